import { closeSync, constants, openSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { LOCK, native } from "./native.ts";

export type FileLockMode = "shared" | "exclusive";

/** A held `flock`. The kernel releases it when the process dies, however it dies. */
export type FileLock = Disposable & {
  readonly file: string;
  readonly descriptor: number;
  release(): void;
};

export type FileLockOptions = {
  /** Default `exclusive`. */
  readonly mode?: FileLockMode | undefined;
  /** The lock file's mode if it is made: default 0600. */
  readonly permissions?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called once when another holds the lock and this has to wait. */
  readonly onWait?: (() => void) | undefined;
};

/** Waits for the lock of `file`, which is made if it is not there. @throws the signal's reason */
export async function lockFile(file: string, options: FileLockOptions = {}): Promise<FileLock> {
  const descriptor = openLockFile(file, options.permissions);
  try {
    await lockDescriptor(descriptor, options);
    return heldLock(file, descriptor);
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}

/** The lock of `file`, or undefined when another holds it in a mode that excludes this one. */
export function tryLockFile(file: string, options: Pick<FileLockOptions, "mode" | "permissions"> = {}): FileLock | undefined {
  const descriptor = openLockFile(file, options.permissions);
  try {
    if (tryLockDescriptor(descriptor, options.mode)) return heldLock(file, descriptor);
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
  closeSync(descriptor);
  return undefined;
}

/** Opens or makes a file to be locked; `flock` belongs to the opened file, so closing it releases the lock. */
export function openLockFile(file: string, permissions = 0o600): number {
  return openSync(file, constants.O_CREAT | constants.O_RDWR, permissions);
}

export function tryLockDescriptor(descriptor: number, mode: FileLockMode = "exclusive"): boolean {
  return native().flock(descriptor, LOCK[mode] | LOCK.nonBlocking);
}

export function unlockDescriptor(descriptor: number): void {
  native().flock(descriptor, LOCK.unlock);
}

/**
 * Waits for a lock. It asks again and again rather than blocking a thread: a blocked thread of Node's small pool
 * would stop every other file operation, and could not be aborted.
 */
export async function lockDescriptor(descriptor: number, options: Omit<FileLockOptions, "permissions"> = {}): Promise<void> {
  options.signal?.throwIfAborted();
  if (tryLockDescriptor(descriptor, options.mode)) return;
  options.onWait?.();
  for (let delay = 2; ; delay = Math.min(delay * 1.5, 100)) {
    await sleep(delay, undefined, { signal: options.signal }).catch((error: unknown) => {
      options.signal?.throwIfAborted();
      throw error;
    });
    if (tryLockDescriptor(descriptor, options.mode)) return;
  }
}

function heldLock(file: string, descriptor: number): FileLock {
  let held = true;
  const release = (): void => {
    if (!held) return;
    held = false;
    closeSync(descriptor);
  };
  return { file, descriptor, release, [Symbol.dispose]: release };
}
