import { setMaxListeners } from "node:events";
import { TsosError } from "../error/tsos-error.ts";
import type { LocalStore } from "../store/store.ts";
import type { SubstitutablePath } from "../store/substituter.ts";
import { formatStorePath, storePathName, type StorePath } from "../store-path/store-path.ts";
import { createLimiter } from "../util/limiter.ts";
import { createActivityIds } from "../util/progress.ts";
import type { BuildOptions } from "./build-options.ts";
import { serviceOptions } from "./service-options.ts";

const DEFAULT_JOBS = 16;

/**
 * Makes paths valid that no derivation was named for: from substituters, with all that they need.
 *
 * @throws TsosError `build.no-substitute` for what is nowhere, unless `keepGoing`
 */
export async function substitutePaths(store: LocalStore, paths: Iterable<StorePath>, options: Pick<BuildOptions, "substituter" | "substituterUrls" | "clientSettings" | "clientSubstitutes" | "substitutionJobs" | "signal" | "report">, { keepGoing = false }: { readonly keepGoing?: boolean } = {}): Promise<void> {
  const { substituter, signal, report } = options;
  const targets = [...new Set(paths)];
  if (store.builds !== undefined) {
    await store.addTemporaryRoot(...targets);
    return store.builds.realise(targets.map((path) => ({ kind: "path", path })), serviceOptions({ ...options, keepGoing }));
  }
  await store.addTemporaryRoot(...targets);
  const valid = new Set<StorePath>();
  const found = new Map<StorePath, SubstitutablePath | undefined>();
  for (let level = targets; level.length > 0; ) {
    for (const path of await store.queryValidPaths(level)) valid.add(path);
    const asked = level.filter((path) => !valid.has(path));
    const answers = asked.length === 0 ? undefined : await substituter?.query(asked, signal);
    for (const path of asked) found.set(path, answers?.get(path));
    level = [...new Set(asked.flatMap((path) => found.get(path)?.info.references ?? []))].filter((path) => !valid.has(path) && !found.has(path));
    await store.addTemporaryRoot(...level);
  }

  // Each after what it needs; only what can be had with all of that.
  const order: StorePath[] = [];
  const state = new Map<StorePath, boolean>();
  const visit = (path: StorePath): boolean => {
    if (valid.has(path)) return true;
    const known = state.get(path);
    if (known !== undefined) return known;
    const source = found.get(path);
    state.set(path, false);
    const complete = source !== undefined && source.info.references.every((reference) => reference === path || visit(reference));
    state.set(path, complete);
    if (complete) order.push(path);
    return complete;
  };
  const missing = targets.filter((path) => !visit(path));
  if (missing.length > 0 && !keepGoing) throw noSubstitute(missing, store.storeDir);
  if (order.length === 0) return;

  const limiter = createLimiter(options.substitutionJobs ?? DEFAULT_JOBS);
  const stop = new AbortController();
  const either = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]);
  setMaxListeners(0, either);
  const nextId = createActivityIds();
  const running = order.map(async (path) => {
    const release = await limiter.acquire(either);
    const id = nextId();
    const { info, downloadSize } = found.get(path)!;
    report?.({ kind: "start", id, activity: "substitute", subject: storePathName(path), path: formatStorePath(path, store.storeDir), total: downloadSize ?? info.narSize, unit: "bytes" });
    let outcome: "done" | "failed" = "failed";
    try {
      await substituter!.substitute(path, { signal: either, onReceived: release, progress: (done, total) => report?.({ kind: "progress", id, done, total }) });
      outcome = "done";
    } catch (error) {
      if (!keepGoing) stop.abort(error);
      throw error;
    } finally {
      release();
      report?.({ kind: "stop", id, outcome });
    }
  });
  const ends = await Promise.allSettled(running);
  signal?.throwIfAborted();
  if (stop.signal.aborted) throw stop.signal.reason;
  if (keepGoing) return;
  for (const end of ends) if (end.status === "rejected") throw end.reason;
}

function noSubstitute(paths: readonly StorePath[], storeDir: string): TsosError {
  const names = paths.map((path) => `"${formatStorePath(path, storeDir)}"`);
  return new TsosError({
    code: "build.no-substitute",
    message: `${names.join(", ")} ${names.length === 1 ? "is" : "are"} not valid, and no binary cache has ${names.length === 1 ? "it" : "them"} with all that is needed`,
    data: { paths: paths.map((path) => formatStorePath(path, storeDir)) },
  });
}
