import { TsosError } from "../error/tsos-error.ts";
import { isNix32 } from "../hash/nix32.ts";
import { checkStorePathName } from "./store-path-name.ts";

declare const storePathBrand: unique symbol;

/**
 * A store path's base name, `<32 characters of Nix base-32>-<name>`, without the store's folder. ASCII, so it
 * compares by bytes.
 */
export type StorePath = string & { readonly [storePathBrand]: true };

export const DEFAULT_STORE_DIR = "/nix/store";

/** Characters of the hash part. */
export const STORE_PATH_HASH_LENGTH = 32;

/**
 * The store path that `text`, an absolute path, is. A path inside of one is an error.
 *
 * @throws TsosError `store-path.not-in-store`, `store-path.bad-hash-part`, `store-path.bad-name`.
 */
export function parseStorePath(text: string, storeDir: string = DEFAULT_STORE_DIR): StorePath {
  if (!text.startsWith(storeDir) || text[storeDir.length] !== "/") {
    throw new TsosError({ code: "store-path.not-in-store", message: `path "${text}" is not in the store "${storeDir}"`, data: { path: text, storeDir } });
  }
  return parseStorePathBaseName(text.slice(storeDir.length + 1), text);
}

/** `shown` is what an error names, when that is more than the base name. */
export function parseStorePathBaseName(baseName: string, shown: string = baseName): StorePath {
  if (baseName.length <= STORE_PATH_HASH_LENGTH + 1) {
    throw new TsosError({ code: "store-path.too-short", message: `"${shown}" is too short for a store path, expected "<32 characters>-<name>"`, data: { path: shown } });
  }
  const hashPart = baseName.slice(0, STORE_PATH_HASH_LENGTH);
  if (!isNix32(hashPart) || baseName[STORE_PATH_HASH_LENGTH] !== "-") {
    throw new TsosError({
      code: "store-path.bad-hash-part",
      message: `"${shown}" is no store path: it must begin with 32 characters of Nix base-32 and a dash`,
      hint: "that alphabet is 0-9 and a-z without e, o, t, u",
      data: { path: shown },
    });
  }
  checkStorePathName(baseName.slice(STORE_PATH_HASH_LENGTH + 1));
  return baseName as StorePath;
}

export function isStorePathBaseName(baseName: string): baseName is StorePath {
  try {
    parseStorePathBaseName(baseName);
    return true;
  } catch (error) {
    if (error instanceof TsosError) return false;
    throw error;
  }
}

/** A store path and what follows it: `/nix/store/<base>/bin/sh` → `{ path, rest: "/bin/sh" }`. */
export function splitStorePath(text: string, storeDir: string = DEFAULT_STORE_DIR): { readonly path: StorePath; readonly rest: string } {
  const slash = text.indexOf("/", storeDir.length + 1);
  if (slash < 0) return { path: parseStorePath(text, storeDir), rest: "" };
  return { path: parseStorePath(text.slice(0, slash), storeDir), rest: text.slice(slash) };
}

/** The absolute path. */
export function formatStorePath(path: StorePath, storeDir: string = DEFAULT_STORE_DIR): string {
  return `${storeDir}/${path}`;
}

/** The 32 characters before the dash. */
export function storePathHash(path: StorePath): string {
  return path.slice(0, STORE_PATH_HASH_LENGTH);
}

/** What follows the dash. */
export function storePathName(path: StorePath): string {
  return path.slice(STORE_PATH_HASH_LENGTH + 1);
}

export function isDerivationPath(path: StorePath): boolean {
  return path.endsWith(".drv");
}
