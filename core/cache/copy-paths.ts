import { setMaxListeners } from "node:events";
import type { ValidPathInfo } from "../store/path-info.ts";
import { sortUsersFirst } from "../store/sort-paths.ts";
import type { LocalStore, Store } from "../store/store.ts";
import type { StorePath } from "../store-path/store-path.ts";
import { Gates } from "../util/gates.ts";
import { createLimiter } from "../util/limiter.ts";
import { createActivityIds, type ProgressListener } from "../util/progress.ts";
import { refuseCycles } from "./refuse-cycles.ts";

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

/** So many bytes of archives are received before all is known that a copy needs: who is interrupted keeps what was registered. */
const AHEAD = 64 << 20;

/**
 * Copies paths and all they need from one store to another; what is there is not copied again. What a path needs
 * is there before it.
 *
 * @throws TsosError `store.invalid-path` where the source lacks one; `store.reference-cycle`
 */
export async function copyPaths(from: Store, to: Store, paths: Iterable<StorePath>, { jobs = 16, noRecursive = false, locked = false, check, signal, report }: CopyOptions = {}): Promise<CopyResult> {
  const infos = new Map<StorePath, ValidPathInfo>();
  const asked = new Set(paths);
  const present = new Set<StorePath>();
  const begun = new Set<StorePath>();
  const placed = new Gates<StorePath>();
  const copied: StorePath[] = [];
  const limiter = createLimiter(jobs);
  const stop = new AbortController();
  const either = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]);
  // Every transfer listens to it at once, which is no leak.
  setMaxListeners(0, either);
  const stopped = new Promise<never>((_, reject) => either.addEventListener("abort", () => reject(either.reason as Error), { once: true }));
  stopped.catch(() => undefined);
  const nextId = createActivityIds();
  const whole = nextId();
  report?.({ kind: "start", id: whole, activity: "copy", subject: "paths", unit: "items" });

  async function needed(info: ValidPathInfo): Promise<void> {
    const others = info.references.filter((path) => path !== info.path && asked.has(path));
    await Promise.race([Promise.all(others.map((path) => placed.passed(path))), stopped]);
  }

  const running: Promise<void>[] = [];
  async function copyOne(info: ValidPathInfo): Promise<void> {
    const adding = { ...info, ultimate: false };
    const options = { signal: either, locked, patient: true } as const;
    if (to.takesAhead !== true) await needed(info);
    const release = await limiter.acquire(either);
    try {
      const nar = from.narFromPath(info.path);
      if (to.takesAhead === true) await to.addNarToStore(adding, nar, { ...options, after: () => needed(info), onReceived: release, onQueued: () => placed.open(info.path) });
      else await to.addNarToStore(adding, nar, options);
      placed.open(info.path);
      copied.push(info.path);
      report?.({ kind: "progress", id: whole, done: copied.length, total: infos.size });
    } finally {
      release();
    }
  }
  function begin(info: ValidPathInfo): void {
    if (begun.has(info.path)) return;
    begun.add(info.path);
    const copying = copyOne(info);
    running.push(copying);
    copying.catch((error: unknown) => stop.abort(error));
  }

  let ahead = 0;
  function described(info: ValidPathInfo): void {
    check?.(info);
    infos.set(info.path, info);
    // While the rest is asked for, whose answers are waited for more than they are worked at.
    if (to.takesAhead !== true || ahead + info.narSize > AHEAD) return;
    ahead += info.narSize;
    begin(info);
  }

  /** Asks for `asked`, and all that it turns out to need. */
  async function describe(): Promise<void> {
    let fresh = [...asked];
    let open = 0;
    let wake = (): void => {};
    while (fresh.length > 0 || open > 0) {
      either.throwIfAborted();
      const level = fresh;
      fresh = [];
      if (level.length > 0) {
        // Before it is asked for: what is there stays there. All at once, where that store has a collector.
        if ("addTemporaryRoot" in to) await (to as LocalStore).addTemporaryRoot(...level);
        const there = await to.queryValidPaths(level);
        for (const path of level) {
          if (there.has(path)) {
            present.add(path);
            placed.open(path);
            continue;
          }
          open++;
          from
            .getPathInfo(path)
            .then((info) => {
              described(info);
              if (noRecursive) return;
              for (const reference of info.references) {
                if (asked.has(reference)) continue;
                asked.add(reference);
                fresh.push(reference);
              }
            })
            .catch((error: unknown) => stop.abort(error))
            .finally(() => {
              open--;
              wake();
            });
        }
      }
      if (fresh.length === 0 && open > 0) await new Promise<void>((resolve) => (wake = resolve));
      // Those that were answered in the same turn are asked about together.
      if (open > 0) await new Promise((resolve) => setImmediate(resolve));
    }
    either.throwIfAborted();
  }

  let outcome: "done" | "failed" | "cancelled" = "failed";
  try {
    await describe();
    // What is needed before who needs it.
    const order = sortUsersFirst(new Map([...infos.values()].map((info) => [info.path, info.references.filter((reference) => infos.has(reference))]))).toReversed();
    refuseCycles(order, infos, to.storeDir);
    report?.({ kind: "progress", id: whole, done: copied.length, total: infos.size });
    for (const path of order) begin(infos.get(path)!);
    await Promise.all(running);
    outcome = "done";
  } catch (error) {
    stop.abort(error);
    await Promise.allSettled(running);
    if (signal?.aborted) {
      outcome = "cancelled";
      throw signal.reason;
    }
    throw stop.signal.reason;
  } finally {
    report?.({ kind: "stop", id: whole, outcome });
  }
  return { copied, present: present.size };
}
