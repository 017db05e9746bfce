import { setMaxListeners } from "node:events";
import { createLimiter } from "../util/limiter.ts";
import { TsosError } from "../error/tsos-error.ts";
import type { ValidPathInfo } from "../store/path-info.ts";
import { sortUsersFirst } from "../store/sort-paths.ts";
import type { LocalStore, Store } from "../store/store.ts";
import { formatStorePath, type StorePath } from "../store-path/store-path.ts";
import { createActivityIds, type ProgressListener } from "../util/progress.ts";

export type CopyOptions = {
  /** Transfers at once; default 16. */
  readonly jobs?: number | undefined;
  /** Only these paths, not what they need; default false. */
  readonly noRecursive?: boolean | undefined;
  /** The caller holds the paths' locks in the store that is copied to; default false. */
  readonly locked?: boolean | undefined;
  /** What is taken as it is described; what it throws ends the copy. */
  readonly check?: ((info: ValidPathInfo) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly report?: ProgressListener | undefined;
};

export type CopyResult = { readonly copied: readonly StorePath[]; readonly present: number };

/**
 * Copies paths and all they need from one store to another; what is there is not copied again. What a path needs
 * is there before it.
 *
 * @throws TsosError `store.invalid-path` where the source lacks one
 */
export async function copyPaths(from: Store, to: Store, paths: Iterable<StorePath>, { jobs = 16, noRecursive = false, locked = false, check, signal, report }: CopyOptions = {}): Promise<CopyResult> {
  const infos = new Map<StorePath, ValidPathInfo>();
  const present = new Set<StorePath>();
  let level = [...new Set(paths)];
  while (level.length > 0) {
    signal?.throwIfAborted();
    const there = await to.queryValidPaths(level);
    const missing = level.filter((path) => !there.has(path));
    for (const path of there) present.add(path);
    const found = await Promise.all(missing.map((path) => from.getPathInfo(path)));
    for (const info of found) {
      check?.(info);
      infos.set(info.path, info);
    }
    level = noRecursive ? [] : [...new Set(found.flatMap((info) => info.references))].filter((path) => !infos.has(path) && !present.has(path));
  }

  // What is needed before who needs it.
  const order = sortUsersFirst(new Map([...infos.values()].map((info) => [info.path, info.references.filter((reference) => infos.has(reference))])))
    .toReversed()
    .map((path) => infos.get(path)!);
  // All at once, where that store has a collector.
  if ("addTemporaryRoot" in to) await (to as LocalStore).addTemporaryRoot(...order.map(({ path }) => path));
  const nextId = createActivityIds();
  const whole = nextId();
  report?.({ kind: "start", id: whole, activity: "copy", subject: `${infos.size} paths`, total: infos.size, unit: "items" });
  const limiter = createLimiter(jobs);
  const copied: StorePath[] = [];
  const stop = new AbortController();
  const either = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]);
  // Every transfer listens to it at once, which is no leak.
  setMaxListeners(0, either);
  const running: Promise<void>[] = [];
  async function copyOne(info: ValidPathInfo): Promise<void> {
    // In order: what is needed has its place before who needs it, and the store registers it first.
    const release = await limiter.acquire(either);
    try {
      await to.addNarToStore({ ...info, ultimate: false }, from.narFromPath(info.path), { signal: either, locked, patient: true, onReceived: release });
      copied.push(info.path);
      report?.({ kind: "progress", id: whole, done: copied.length, total: infos.size });
    } finally {
      release();
    }
  }
  let outcome: "done" | "failed" | "cancelled" = "failed";
  try {
    for (const info of order) {
      const copying = copyOne(info);
      running.push(copying);
      copying.catch((error: unknown) => stop.abort(error));
    }
    await Promise.all(running);
    outcome = "done";
  } catch (error) {
    await Promise.allSettled(running);
    if (signal?.aborted) {
      outcome = "cancelled";
      throw signal.reason;
    }
    throw stop.signal.aborted ? stop.signal.reason : error;
  } finally {
    report?.({ kind: "stop", id: whole, outcome });
  }
  return { copied, present: present.size };
}

/** For `check`: a path without a trusted signature ends the copy. */
export function untrusted(path: StorePath, storeDir: string): TsosError {
  const text = formatStorePath(path, storeDir);
  return new TsosError({ code: "cache.untrusted", message: `no trusted key signed "${text}"`, hint: "add the cache's key to the trusted public keys, or copy with --no-check-signatures", data: { path: text } });
}
