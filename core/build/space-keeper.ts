import { statfsSync } from "node:fs";
import type { LocalStore } from "../store/store.ts";
import type { ProgressListener } from "../util/progress.ts";

export type SpaceLimits = {
  /** With less than so many bytes free, garbage is collected before and while something is built. */
  readonly minFree: number;
  /** Until so many are free; at least `minFree`. */
  readonly maxFree: number;
  /** Automatic roots that were last made so long ago, in milliseconds, count as garbage too. */
  readonly rootsExpireAfter?: number | undefined;
};

export type SpaceKeeper = AsyncDisposable & {
  /** Before something is made: waits for a collection where there is too little room. */
  makeRoom(): Promise<void>;
};

export type SpaceKeeperOptions = {
  readonly limits: SpaceLimits | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly report?: ProgressListener | undefined;
  /** Bytes free where the store is; default: what the file system says to this user. */
  readonly available?: (() => number) | undefined;
};

/** How often it looks while something is being made, and how long it rests when nothing was to be had. Nix: `min-free-check-interval`. */
const INTERVAL = 5_000;
const REST = 60_000;

/**
 * Keeps room on the store's disk while paths are made (Nix: `min-free`, `max-free`). What is being built, its inputs
 * and all that was asked for are temporary roots, so a collection takes none of it; one runs at a time.
 */
export function keepSpace(store: LocalStore, { limits, signal, report, available = () => freeBytes(store.realStoreDir) }: SpaceKeeperOptions): SpaceKeeper {
  if (limits === undefined || limits.minFree <= 0 || store.readOnly) return { makeRoom: async () => {}, async [Symbol.asyncDispose]() {} };
  let running: Promise<void> | undefined;
  let restingUntil = 0;
  const collect = async (missing: number): Promise<void> => {
    report?.({ kind: "message", level: "notice", text: `less than ${limits.minFree} bytes are free for "${store.realStoreDir}": collecting garbage` });
    const rootsOlderThan = limits.rootsExpireAfter === undefined ? undefined : new Date(Date.now() - limits.rootsExpireAfter);
    const { bytesFreed } = await store.collectGarbage({ maxFreed: missing, signal, rootsOlderThan });
    if (bytesFreed < missing) restingUntil = performance.now() + REST;
    if (available() < limits.minFree) report?.({ kind: "message", level: "warning", text: `${available()} bytes are free for "${store.realStoreDir}" after ${bytesFreed} bytes of garbage were deleted; the rest is in use` });
  };
  const makeRoom = async (): Promise<void> => {
    if (running === undefined) {
      const free = available();
      if (free >= limits.minFree || performance.now() < restingUntil) return;
      running = collect(Math.max(limits.maxFree, limits.minFree) - free).finally(() => (running = undefined));
    }
    await running;
  };
  const timer = setInterval(() => {
    // What fails here fails again where it is waited for.
    makeRoom().catch(() => undefined);
  }, INTERVAL);
  timer.unref();
  return {
    makeRoom,
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      await running?.catch(() => undefined);
    },
  };
}

function freeBytes(folder: string): number {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
}
