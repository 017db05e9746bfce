import type { TsosError } from "../../core/error/tsos-error.ts";
import type { EvaluationStore } from "../../core/interop/evaluation-session.ts";
import type { StorePath } from "../../core/store-path/store-path.ts";
import type { StoreChoice } from "../store-url.ts";
import type { ClassicOptions } from "./classic-arguments.ts";
import { openNixStore, refuseDummy, type LazyStore } from "./open-store.ts";
import { locateStore } from "./store-location.ts";

/** The stores of a command: one that builds, and one that has what an evaluation writes; mostly one and the same. */
export type EvaluationStores = AsyncDisposable & {
  /** Where the evaluation writes to. */
  readonly choice: StoreChoice;
  readonly open: LazyStore["open"];
  readonly openBuilding: LazyStore["open"];
  readonly areTwo: boolean;
  /** Has the store that builds know what the evaluation wrote. */
  bring(derivations: readonly StorePath[]): Promise<void>;
  /** Has the evaluation's store know what was built. */
  bringBack(outputs: readonly StorePath[]): Promise<void>;
};

/** By `--store` and `--eval-store`. */
export function openEvaluationStores(env: NodeJS.ProcessEnv, uid: number, { storeUrl, evaluationStoreUrl, settings }: Pick<ClassicOptions, "storeUrl" | "evaluationStoreUrl" | "settings">): EvaluationStores {
  const building = locateStore(env, uid, storeUrl);
  const lazyBuilding = openNixStore(building, settings);
  const areTwo = evaluationStoreUrl !== undefined;
  const choice = areTwo ? locateStore(env, uid, evaluationStoreUrl) : building;
  const lazy = areTwo ? openNixStore(choice, settings) : lazyBuilding;
  const copy = async (from: LazyStore["open"], to: LazyStore["open"], paths: readonly StorePath[]): Promise<void> => {
    if (!areTwo) return;
    const { copyPaths } = await import("../../core/cache/copy-paths.ts");
    const source = await from();
    await copyPaths(source, await to(), await source.queryValidPaths(paths));
  };
  return {
    choice,
    open: lazy.open,
    openBuilding: lazyBuilding.open,
    areTwo,
    bring: (derivations) => copy(lazy.open, lazyBuilding.open, derivations),
    bringBack: (outputs) => copy(lazyBuilding.open, lazy.open, outputs),
    async [Symbol.asyncDispose]() {
      await lazy[Symbol.asyncDispose]();
      await lazyBuilding[Symbol.asyncDispose]();
    },
  };
}

/** The store `dummy://`: nothing is in it, and nothing can be written to it. Nix: libstore/dummy-store.cc */
export function createDummyStore(): EvaluationStore {
  let failure: TsosError | undefined;
  const settle = async (): Promise<void> => {
    if (failure !== undefined) throw failure;
  };
  return {
    put: (objects) => void (failure ??= refuseDummy(objects[0]?.kind !== "path" && objects[0]?.name.endsWith(".drv") === true ? "writeDerivation" : "addToStoreFromDump")),
    settle,
    async answer(call) {
      await settle();
      switch (call.op) {
        case "valid":
        case "hold":
          return { op: call.op, valid: [] };
        case "closure":
        case "references":
          return { op: call.op, paths: [] };
        case "fetch-source":
          // What is wrong with the source itself is said first, as there.
          if (call.source["type"] === "tarball") (await import("../../core/fetch/source/curl-schemes.ts")).checkLocalFile(String(call.source["url"]));
          throw refuseDummy("addToStoreFromDump");
        default:
          throw refuseDummy(call.op === "build" ? "buildPaths" : "addToStoreFromDump");
      }
    },
  };
}
