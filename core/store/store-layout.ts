import path from "node:path";
import { DEFAULT_STORE_DIR, formatStorePath, type StorePath } from "../store-path/store-path.ts";
import type { LocalStoreOptions } from "./store.ts";

/** Space that a collector frees first, so that it can work on a full disk. As large as Nix makes it. */
export const RESERVED_BYTES = 8 * 1024 * 1024;

/** Where everything of a local store really is; `storeDir` alone is logical. */
export type StoreLayout = {
  readonly storeDir: string;
  readonly realStoreDir: string;
  readonly stateDir: string;
  readonly logDir: string;
  readonly linksDir: string;
  readonly databaseDir: string;
  readonly database: string;
  readonly bigLock: string;
  readonly schema: string;
  readonly reserved: string;
  readonly gcLock: string;
  readonly gcSocketDir: string;
  readonly temporaryRootsDir: string;
  readonly gcRootsDir: string;
  readonly profilesDir: string;
};

/** Nix: libstore/local-fs-store.hh. A root does not move `storeDir`, which is hashed into every path. */
export function makeStoreLayout(options: LocalStoreOptions): StoreLayout {
  const storeDir = options.storeDir ?? DEFAULT_STORE_DIR;
  const root = options.root === undefined ? "" : path.resolve(options.root).replace(/\/$/, "");
  const stateDir = options.stateDir ?? `${root}/nix/var/nix`;
  const realStoreDir = options.realStoreDir ?? (root === "" ? storeDir : `${root}${DEFAULT_STORE_DIR}`);
  return {
    storeDir,
    realStoreDir,
    stateDir,
    logDir: options.logDir ?? `${root}/nix/var/log/nix`,
    linksDir: `${realStoreDir}/.links`,
    databaseDir: `${stateDir}/db`,
    database: `${stateDir}/db/db.sqlite`,
    bigLock: `${stateDir}/db/big-lock`,
    schema: `${stateDir}/db/schema`,
    reserved: `${stateDir}/db/reserved`,
    gcLock: `${stateDir}/gc.lock`,
    gcSocketDir: `${stateDir}/gc-socket`,
    temporaryRootsDir: `${stateDir}/temproots`,
    gcRootsDir: `${stateDir}/gcroots`,
    profilesDir: `${stateDir}/profiles`,
  };
}

/** A store path, or an absolute logical path in or below the store, as it is on this machine's disk. */
export function realPathOf(layout: StoreLayout, target: StorePath | string): string {
  const logical = target.startsWith("/") ? target : formatStorePath(target as StorePath, layout.storeDir);
  if (logical === layout.storeDir || logical.startsWith(`${layout.storeDir}/`)) return layout.realStoreDir + logical.slice(layout.storeDir.length);
  return logical;
}
