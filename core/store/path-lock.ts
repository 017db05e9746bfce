import { closeSync, fstatSync, lstatSync, unlinkSync, writeSync } from "node:fs";
import type { StorePath } from "../store-path/store-path.ts";
import { lockDescriptor, openLockFile, tryLockDescriptor } from "../util/file-lock.ts";
import { compareByteStrings } from "../util/ordering.ts";
import type { PathLocks } from "./store.ts";

type HeldPathLock = { readonly file: string; readonly descriptor: number };

/**
 * Locks `<path>.lock` of each path, in order, so that two that want the same paths never wait for each other.
 * The protocol is Nix's (libstore/pathlocks.cc), so both may work on one store.
 *
 * @returns undefined when `wait` is false and another holds one of them
 */
export async function lockStorePaths(
  realStoreDir: string,
  paths: Iterable<StorePath>,
  options: { readonly wait: boolean; readonly signal?: AbortSignal | undefined; readonly onWait?: ((path: StorePath) => void) | undefined },
): Promise<PathLocks | undefined> {
  const held: HeldPathLock[] = [];
  try {
    for (const path of [...new Set(paths)].sort(compareByteStrings)) {
      const file = `${realStoreDir}/${path}.lock`;
      let lock = tryLock(file);
      for (let told = false; lock === undefined; lock = tryLock(file)) {
        if (!options.wait) {
          releaseAll(held, false);
          return undefined;
        }
        if (!told) options.onWait?.(path);
        told = true;
        const descriptor = openLockFile(file);
        try {
          await lockDescriptor(descriptor, { signal: options.signal });
          if (isCurrent(descriptor)) {
            lock = { file, descriptor };
            break;
          }
          closeSync(descriptor);
        } catch (error) {
          closeSync(descriptor);
          throw error;
        }
      }
      held.push(lock);
    }
  } catch (error) {
    releaseAll(held, false);
    throw error;
  }
  return pathLocks(held);
}

/** Locks of many paths, added one by one without waiting, released together. */
export class PathLockGroup {
  readonly #realStoreDir: string;
  readonly #held: HeldPathLock[] = [];

  constructor(realStoreDir: string) {
    this.#realStoreDir = realStoreDir;
  }

  /** @returns false when another holds the path's lock */
  tryAdd(path: StorePath): boolean {
    const lock = tryLock(`${this.#realStoreDir}/${path}.lock`);
    if (lock !== undefined) this.#held.push(lock);
    return lock !== undefined;
  }

  release(): void {
    releaseAll(this.#held, true);
  }
}

function tryLock(file: string): HeldPathLock | undefined {
  for (;;) {
    const descriptor = openLockFile(file);
    try {
      if (!tryLockDescriptor(descriptor)) {
        closeSync(descriptor);
        return undefined;
      }
      if (isCurrent(descriptor)) return { file, descriptor };
      // A stale file that still has its name would be stale for ever. Who changes the name must hold this lock, so
      // nobody else can have put a new file there since.
      if (lstatSync(file, { throwIfNoEntry: false })?.ino === fstatSync(descriptor).ino) unlinkSync(file);
    } catch (error) {
      closeSync(descriptor);
      throw error;
    }
    closeSync(descriptor);
  }
}

/** Who removes a lock file writes a byte into it, so that those who opened it before know that it is gone. */
function isCurrent(descriptor: number): boolean {
  return fstatSync(descriptor).size === 0;
}

function pathLocks(held: readonly HeldPathLock[]): PathLocks {
  let released = false;
  const release = ({ remove = true }: { readonly remove?: boolean } = {}): void => {
    if (released) return;
    released = true;
    releaseAll(held, remove);
  };
  return {
    release,
    async [Symbol.asyncDispose]() {
      release();
    },
  };
}

function releaseAll(held: readonly HeldPathLock[], remove: boolean): void {
  for (const { file, descriptor } of held) {
    if (remove) {
      try {
        unlinkSync(file);
        writeSync(descriptor, "d");
      } catch (error) {
        // A lock file that stays is harmless: it is locked again or collected.
        if (!(error instanceof Error && "code" in error)) throw error;
      }
    }
    closeSync(descriptor);
  }
}
