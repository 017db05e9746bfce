import { TsosError } from "../error/tsos-error.ts";
import type { LocalStore } from "../store/store.ts";
import type { Substituter } from "../store/substituter.ts";
import { formatStorePath, type StorePath } from "../store-path/store-path.ts";
import type { BuildOptions } from "./build-options.ts";
import { realise } from "./realise.ts";
import { serviceOptions } from "./service-options.ts";

export type RepairOptions = {
  readonly substituter?: Substituter | undefined;
  /** How it is built where no substituter has it. */
  readonly build: BuildOptions;
  readonly signal?: AbortSignal | undefined;
};

/** Where the right contents came from. */
export type RepairSource = "sound" | "substituted" | "built";

/**
 * Makes the contents of a valid path right again: from a substituter, else by building its derivation again. The old
 * contents stay until the new ones are there, hashed and on disk. A path that is sound is left alone.
 *
 * @throws TsosError `store.invalid-path`; `store.cannot-repair` with what each way said
 */
export async function repairPath(store: LocalStore, path: StorePath, { substituter, build, signal }: RepairOptions): Promise<RepairSource> {
  await store.addTemporaryRoot(path);
  const info = await store.getPathInfo(path);
  if ((await store.verifyPath(path, { signal })) === undefined) return "sound";
  if (store.builds !== undefined) {
    // How is the daemon's own choice.
    await store.builds.realise([{ kind: "path", path }], serviceOptions({ ...build, repair: true, signal }));
    return "substituted";
  }
  const failures: unknown[] = [];
  if (substituter !== undefined) {
    try {
      const found = await substituter.query([path], signal);
      if (found.has(path)) {
        await substituter.substitute(path, { repair: true, signal });
        return "substituted";
      }
    } catch (error) {
      signal?.throwIfAborted();
      failures.push(error);
    }
  }
  const derivers = [...new Set([...(info.deriver === undefined ? [] : [info.deriver]), ...(await store.queryValidDerivers(path))])];
  for (const drvPath of derivers) {
    if (!(await store.isValidPath(drvPath))) continue;
    try {
      await realise(store, [{ drvPath }], { ...build, repair: true });
      if ((await store.verifyPath(path, { signal })) === undefined) return "built";
    } catch (error) {
      signal?.throwIfAborted();
      failures.push(error);
    }
  }
  const shown = formatStorePath(path, store.storeDir);
  const said = failures.map((error) => (error instanceof Error ? error.message : String(error)));
  throw new TsosError({
    code: "store.cannot-repair",
    message: `"${shown}" cannot be repaired: ${said.length > 0 ? said.join("; ") : "no binary cache has it and its derivation is not here"}`,
    hint: "add it again from its source, or name a binary cache that has it in the settings",
    data: { path: shown },
    cause: failures[0],
  });
}
