import type { LocalStoreOptions } from "../../core/store/store.ts";
import { makeStoreLayout } from "../../core/store/store-layout.ts";
import { findPlaces } from "../places.ts";
import { parseStoreUrl, type StoreChoice } from "../store-url.ts";

/**
 * The store that `--store`, `NIX_REMOTE` and the folders of the environment mean; where they say nothing, tsos's own.
 *
 * @throws TsosError `nix.store-url` for a store that is not of this machine
 */
export function locateStore(env: NodeJS.ProcessEnv, uid: number, url: string | undefined): StoreChoice {
  const named = url ?? env["NIX_REMOTE"] ?? "";
  const storeDir = env["NIX_STORE_DIR"] ?? env["NIX_STORE"];
  const stateDir = env["NIX_STATE_DIR"];
  const logDir = env["NIX_LOG_DIR"];
  const folders: StoreChoice = {
    ...(storeDir === undefined ? {} : { storeDir }),
    ...(stateDir === undefined ? {} : { stateDir }),
    ...(logDir === undefined ? {} : { logDir }),
  };
  if (named === "" || named === "auto") {
    const { storeRoot, daemon } = findPlaces(env, uid, "auto");
    const isMoved = storeDir !== undefined || stateDir !== undefined;
    if (daemon !== undefined) return { ...folders, daemon };
    return storeRoot === undefined || isMoved ? folders : { ...folders, root: storeRoot };
  }
  if (/^dummy:(?:\/\/)?(?:\?.*)?$/.test(named)) return { ...folders, isDummy: true };
  const choice = parseStoreUrl(named, env);
  // What is below a root is not where the environment says.
  return choice.root === undefined ? { ...folders, ...choice } : { ...(storeDir === undefined ? {} : { storeDir }), ...choice };
}

/** Where the store's files really are. */
export function realStoreDir(options: LocalStoreOptions): { readonly storeDir: string; readonly realStoreDir: string } {
  const { storeDir, realStoreDir: real } = makeStoreLayout(options);
  return { storeDir, realStoreDir: real };
}
