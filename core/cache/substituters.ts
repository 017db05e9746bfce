import { setMaxListeners } from "node:events";
import { TsosError } from "../error/tsos-error.ts";
import { formatOutputId, isSignedRealisation, type OutputId, type Realisation } from "../narinfo/realisation.ts";
import type { NarInfo } from "../narinfo/narinfo.ts";
import type { NewPathInfo } from "../store/path-info.ts";
import type { LocalStore } from "../store/store.ts";
import type { SubstitutablePath, SubstituteOptions, Substituter } from "../store/substituter.ts";
import { formatStorePath, storePathHash, type StorePath } from "../store-path/store-path.ts";
import type { ProgressListener } from "../util/progress.ts";
import type { BinaryCache } from "./binary-cache.ts";
import type { LookupCache } from "./lookup-cache.ts";
import { pathInfoOf } from "./path-info-of.ts";
import { isTrusted, type Trust } from "./trust.ts";

export type SubstitutersOptions = {
  readonly store: LocalStore;
  readonly caches: readonly BinaryCache[];
  readonly trust: Trust;
  readonly lookups?: LookupCache | undefined;
  readonly report?: ProgressListener | undefined;
};

/** How long a cache that failed is left alone, in milliseconds. */
const REST = 60_000;

type Place = {
  readonly cache: BinaryCache;
  /** Not asked before this time. */
  restingUntil: number;
  /** Ends what is asked of a cache that turned out to be broken. */
  broken: AbortController;
};

/**
 * Binary caches, asked in the order of their priority. One that cannot be reached is said so once and left alone for
 * a minute: who builds is not to wait for each path anew.
 */
export function createSubstituters({ store, caches, trust, lookups, report }: SubstitutersOptions): Substituter {
  let places: Promise<Place[]> | undefined;
  const found = new Map<StorePath, { readonly place: Place; readonly narInfo: NarInfo }[]>();
  const complained = new Set<string>();
  const warn = (text: string): void => {
    if (complained.has(text)) return;
    complained.add(text);
    report?.({ kind: "message", level: "warning", text });
  };

  async function orderPlaces(signal?: AbortSignal): Promise<Place[]> {
    const all = caches.map((cache): Place => ({ cache, restingUntil: 0, broken: new AbortController() }));
    const ranked = await Promise.all(
      all.map(async (place) => ({ place, priority: place.cache.url.priority ?? (await ask(place, async () => (await place.cache.info(signal)).priority, signal)) ?? Number.POSITIVE_INFINITY })),
    );
    return ranked.sort((a, b) => a.priority - b.priority).map(({ place }) => place);
  }

  /** What a cache answers; undefined where it fails, which is said. */
  async function ask<T>(place: Place, question: (signal: AbortSignal) => Promise<T>, signal: AbortSignal | undefined): Promise<T | undefined> {
    if (performance.now() < place.restingUntil) return undefined;
    const { broken } = place;
    setMaxListeners(0, broken.signal);
    try {
      return await question(signal === undefined ? broken.signal : AbortSignal.any([signal, broken.signal]));
    } catch (error) {
      signal?.throwIfAborted();
      if (broken.signal.aborted) return undefined;
      if (error instanceof TsosError && (error.code === "cache.malformed" || error.code === "realisation.malformed")) {
        // About one path only.
        warn(error.message);
        return undefined;
      }
      place.restingUntil = performance.now() + REST;
      place.broken = new AbortController();
      broken.abort(error);
      warn(`the binary cache "${place.cache.name}" is left out for a minute: ${error instanceof Error ? error.message : String(error)}`);
      return undefined;
    }
  }

  async function lookUp(path: StorePath, place: Place, signal: AbortSignal | undefined): Promise<SubstitutablePath | undefined> {
    const narInfo = await ask(place, async (either) => {
      await place.cache.info(either);
      return place.cache.findNarInfo(path, either);
    }, signal);
    if (narInfo === undefined) return undefined;
    const info: NewPathInfo = { ...pathInfoOf(narInfo), registrationTime: undefined };
    if (!place.cache.url.trusted && !isTrusted(info, trust, store.storeDir)) {
      warn(`"${formatStorePath(path, store.storeDir)}" of "${place.cache.name}" is left out: no trusted key signed it`);
      return undefined;
    }
    const known = found.get(path) ?? [];
    if (!known.some((one) => one.place === place)) found.set(path, [...known, { place, narInfo }]);
    return { info, downloadSize: narInfo.fileSize, from: place.cache.name };
  }

  async function query(paths: Iterable<StorePath>, signal?: AbortSignal): Promise<ReadonlyMap<StorePath, SubstitutablePath>> {
    const result = new Map<StorePath, SubstitutablePath>();
    let missing = [...new Set(paths)];
    places ??= orderPlaces(signal);
    places.catch(() => (places = undefined));
    for (const place of await places) {
      if (missing.length === 0) break;
      // The connections of the cache bound how many are really under way.
      const answers = await Promise.all(missing.map((path) => lookUp(path, place, signal)));
      for (const [i, answer] of answers.entries()) if (answer !== undefined) result.set(missing[i]!, answer);
      missing = missing.filter((path) => !result.has(path));
    }
    return result;
  }

  async function substitute(path: StorePath, { signal, locked, repair, progress, onReceived }: SubstituteOptions = {}): Promise<void> {
    if (!found.has(path)) await query([path], signal);
    const failures: { readonly from: string; readonly error: unknown }[] = [];
    const tried = new Set<Place>();
    for (;;) {
      const next = (found.get(path) ?? []).find(({ place }) => !tried.has(place)) ?? (await findFurther(path, tried, signal));
      if (next === undefined) break;
      tried.add(next.place);
      try {
        const { cache } = next.place;
        return await store.addNarToStore(pathInfoOf(next.narInfo), cache.readArchive(next.narInfo, { signal, progress }), { signal, locked, repair, onReceived });
      } catch (error) {
        signal?.throwIfAborted();
        // It may have been remembered from long ago.
        lookups?.forgetNarInfo(next.place.cache.name, storePathHash(path));
        failures.push({ from: next.place.cache.name, error });
      }
    }
    const text = formatStorePath(path, store.storeDir);
    throw new TsosError({
      code: "cache.substitution-failed",
      message: failures.length === 0 ? `no binary cache has "${text}"` : `"${text}" could not be taken from a binary cache: ${failures.map(({ from, error }) => `${from}: ${error instanceof Error ? error.message : String(error)}`).join("; ")}`,
      data: { path: text, caches: failures.map(({ from }) => from) },
      cause: failures.length === 1 ? failures[0]!.error : undefined,
    });
  }

  /** Caches that were not asked since an earlier one had the path. */
  async function findFurther(path: StorePath, tried: ReadonlySet<Place>, signal: AbortSignal | undefined): Promise<{ readonly place: Place; readonly narInfo: NarInfo } | undefined> {
    for (const place of (await places) ?? []) {
      if (tried.has(place)) continue;
      await lookUp(path, place, signal);
      const entry = (found.get(path) ?? []).find((one) => one.place === place);
      if (entry !== undefined) return entry;
    }
    return undefined;
  }

  async function findRealisation(id: OutputId, signal?: AbortSignal): Promise<Realisation | undefined> {
    places ??= orderPlaces(signal);
    places.catch(() => (places = undefined));
    for (const place of await places) {
      const realisation = await ask(place, (either) => place.cache.findRealisation(id, either), signal);
      if (realisation === undefined) continue;
      if (place.cache.url.trusted || !trust.requireSignatures || isSignedRealisation(realisation, trust.publicKeys)) return realisation;
      warn(`what "${place.cache.name}" says of the output "${formatOutputId(id)}" is left out: no trusted key signed it`);
    }
    return undefined;
  }

  return { query, substitute, findRealisation };
}
