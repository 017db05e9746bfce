import { closeSync, constants, fstatSync, mkdirSync, openSync, statSync } from "node:fs";
import { tryLockDescriptor } from "../util/file-lock.ts";
import { removeTree } from "./file-tree.ts";
import type { TemporaryFolder } from "./store.ts";

/** Begins the name of every temporary folder in a store; Nix's own have it too. */
export const TEMPORARY_PREFIX = "tmp-";

/**
 * A folder of one's own in the store. Its descriptor is locked: collectors, Nix's included, remove what begins
 * with `tmp-` only if they get that lock, so it lives as long as this process and not longer.
 */
export function makeTemporaryFolder(realStoreDir: string): TemporaryFolder {
  for (let n = 0; ; n++) {
    const path = `${realStoreDir}/${TEMPORARY_PREFIX}${process.pid}-${n}`;
    try {
      mkdirSync(path, { mode: 0o700 });
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "EEXIST") continue;
      throw error;
    }
    const descriptor = lockFolder(path);
    if (descriptor === undefined) continue;
    let disposed = false;
    return {
      path,
      async [Symbol.asyncDispose]() {
        if (disposed) return;
        disposed = true;
        try {
          await removeTree(path);
        } finally {
          closeSync(descriptor);
        }
      },
    };
  }
}

/** The locked folder's descriptor, or undefined when another has it or has removed it. */
export function lockFolder(path: string): number | undefined {
  let descriptor: number;
  try {
    descriptor = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
  // A collector may have come between the making and the locking.
  if (tryLockDescriptor(descriptor) && statSync(path, { throwIfNoEntry: false })?.ino === fstatSync(descriptor).ino) return descriptor;
  closeSync(descriptor);
  return undefined;
}
