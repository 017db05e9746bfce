import { TsosError } from "../../core/error/tsos-error.ts";
import type { LocalStoreOptions } from "../../core/store/store.ts";
import { makeStoreLayout } from "../../core/store/store-layout.ts";
import { findPlaces } from "../places.ts";

/**
 * The store that `--store`, `NIX_REMOTE` and the folders of the environment mean; where they say nothing, tsos's own.
 *
 * @throws TsosError `nix.store-url` for a store that is not of this machine
 */
export function locateStore(env: NodeJS.ProcessEnv, uid: number, url: string | undefined): LocalStoreOptions {
  const named = url ?? env["NIX_REMOTE"] ?? "";
  const storeDir = env["NIX_STORE_DIR"] ?? env["NIX_STORE"];
  const stateDir = env["NIX_STATE_DIR"];
  const logDir = env["NIX_LOG_DIR"];
  const folders: { -readonly [K in keyof LocalStoreOptions]: LocalStoreOptions[K] } = {
    ...(storeDir === undefined ? {} : { storeDir }),
    ...(stateDir === undefined ? {} : { stateDir }),
    ...(logDir === undefined ? {} : { logDir }),
  };
  if (named === "" || named === "auto") {
    const { storeRoot } = findPlaces(env, uid, undefined);
    const isMoved = storeDir !== undefined || stateDir !== undefined;
    return storeRoot === undefined || isMoved ? folders : { ...folders, root: storeRoot };
  }
  if (named.startsWith("/")) return { ...(storeDir === undefined ? {} : { storeDir }), root: named };
  const match = /^local(?::\/\/)?(\/[^?]*)?(?:\?(.*))?$/.exec(named);
  if (match === null) {
    throw new TsosError({ code: "nix.store-url", message: `the store '${named}' is not supported`, hint: "expected a store of this machine: local, local?root=DIR, or DIR", data: { store: named } });
  }
  const query = new URLSearchParams(match[2] ?? "");
  if (match[1] !== undefined) folders.root = match[1];
  // What is below a root is not where the environment says.
  if (folders.root !== undefined || query.has("root")) {
    delete folders.stateDir;
    delete folders.logDir;
  }
  for (const [name, value] of query) {
    if (name === "root") folders.root = value;
    else if (name === "store") folders.storeDir = value;
    else if (name === "real") folders.realStoreDir = value;
    else if (name === "state") folders.stateDir = value;
    else if (name === "log") folders.logDir = value;
  }
  return folders;
}

/** Where the store's files really are. */
export function realStoreDir(options: LocalStoreOptions): { readonly storeDir: string; readonly realStoreDir: string } {
  const { storeDir, realStoreDir: real } = makeStoreLayout(options);
  return { storeDir, realStoreDir: real };
}
