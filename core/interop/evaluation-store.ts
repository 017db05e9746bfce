import { fromByteString } from "../util/bytes.ts";
import { TsosError } from "../error/tsos-error.ts";
import { formatHash } from "../hash/hash.ts";
import type { LocalStore, TextToAdd } from "../store/store.ts";
import { formatStorePath, type StorePath } from "../store-path/store-path.ts";
import type { StoreObject } from "./evaluation-protocol.ts";
import type { ClosureFetcher } from "./fetch-closure.ts";
import type { StoreFetcher } from "./fetch-into-store.ts";
import type { EvaluationStore } from "./evaluation-session.ts";

/** Builds outputs during an evaluation; the result is their paths, in the same order. */
export type BuildDuringEvaluation = (targets: readonly { readonly drvPath: StorePath; readonly output: string }[]) => Promise<readonly StorePath[]>;

/** Writes what an evaluation makes into a local store, inputs first, while the evaluation goes on. */
export function createEvaluationStore(store: LocalStore, build: BuildDuringEvaluation, fetcher?: StoreFetcher, fetchClosure?: ClosureFetcher): EvaluationStore {
  let queue: Promise<unknown> = Promise.resolve();
  let failure: { readonly error: unknown } | undefined;

  async function write(objects: readonly StoreObject[]): Promise<void> {
    const paths = objects.map(({ path }) => path as StorePath);
    // First, so that no collector removes what is valid now.
    await store.addTemporaryRoot(...paths);
    const valid = await store.queryValidPaths(paths);
    // Inputs come before their users: a source must be there before the text that names it is registered.
    // Together, since a daemon takes them in one stream: on several connections one may come before what it refers to.
    let texts: TextToAdd[] = [];
    const addTexts = async (): Promise<void> => {
      if (texts.length > 0) await store.addTextsToStore(texts, { ownDerivation: true });
      texts = [];
    };
    for (const object of objects) {
      if (valid.has(object.path as StorePath)) continue;
      if (object.kind === "text") {
        texts.push({ name: object.name, contents: object.contents, references: object.references as StorePath[] });
        continue;
      }
      await addTexts();
      const excluded = object.excluded === undefined ? undefined : new Set(object.excluded);
      const added = await store.addPathToStore(object.name, fromByteString(object.file), { method: object.method, references: object.references as StorePath[], ...(excluded === undefined ? {} : { include: (path) => !excluded.has(path) }) });
      if (added !== object.path) {
        throw new TsosError({
          code: "nix.changed-source",
          message: `'${object.file}' changed during the evaluation: it was '${formatStorePath(object.path as StorePath, store.storeDir)}' and is '${formatStorePath(added, store.storeDir)}'`,
          hint: "run the command again",
        });
      }
    }
    await addTexts();
  }

  const getFetcher = (): StoreFetcher => {
    if (fetcher === undefined) throw new TsosError({ code: "nix.no-fetcher", message: "this evaluation fetches no sources" });
    return fetcher;
  };

  const settle = async (): Promise<void> => {
    await queue;
    if (failure !== undefined) throw failure.error;
  };

  return {
    put(objects) {
      queue = queue.then(() => (failure === undefined ? write(objects) : undefined)).catch((error: unknown) => void (failure ??= { error }));
    },
    settle,
    async answer(call) {
      await settle();
      switch (call.op) {
        case "hold":
          // Roots first, so that no collector comes between.
          await store.addTemporaryRoot(...(call.paths as StorePath[]));
          return { op: "hold", valid: [...(await store.queryValidPaths(call.paths as StorePath[]))] };
        case "valid":
          return { op: "valid", valid: [...(await store.queryValidPaths(call.paths as StorePath[]))] };
        case "closure":
          return { op: "closure", paths: [...(await store.closure([call.path as StorePath]))] };
        case "references":
          return { op: "references", paths: (await store.findPathInfo(call.path as StorePath))?.references ?? [] };
        case "fetch-source": {
          const { path, attributes } = await getFetcher().source(call.source, call.isFinal);
          return { op: "fetch-source", path, attributes };
        }
        case "fetch-file": {
          const { path, hash } = await getFetcher().file(call.url, call.name);
          return { op: "fetch-file", path, hash: formatHash(hash, "sri") };
        }
        case "fetch-closure":
          if (fetchClosure === undefined) throw new TsosError({ code: "nix.no-fetcher", message: "this evaluation fetches no sources" });
          return { op: "fetch-closure", path: await fetchClosure(call.request) };
        case "build":
          return { op: "build", outputs: await build(call.targets.map(({ drvPath, output }) => ({ drvPath: drvPath as StorePath, output }))) };
      }
    },
  };
}
