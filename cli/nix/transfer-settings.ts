import type { Lifetimes } from "../../core/cache/lookup-cache.ts";
import type { SpaceLimits } from "../../core/build/space-keeper.ts";
import type { FetchSettings } from "../../core/fetch/fetch-settings.ts";
import type { NixConfiguration } from "../../core/interop/nix-configuration.ts";

/** Where a setting says that there is no limit. */
const NO_TIMEOUT = 24 * 3600_000;
const NO_BOUND = 128;

/** Of `known`, what `connect-timeout`, `stalled-download-timeout`, `download-attempts` and `http-connections` say otherwise. */
export function withTransferSettings(known: FetchSettings, settings: NixConfiguration): FetchSettings {
  const milliseconds = (name: string, otherwise: number): number => (settings.find(name) === undefined ? otherwise : settings.int(name, 0) * 1000 || NO_TIMEOUT);
  return {
    ...known,
    connectTimeout: milliseconds("connect-timeout", known.connectTimeout),
    stallTimeout: milliseconds("stalled-download-timeout", known.stallTimeout),
    attempts: Math.max(1, settings.int("download-attempts", known.attempts)),
    connections: settings.int("http-connections", known.connections) || NO_BOUND,
  };
}

/** How long answers of caches hold: `narinfo-cache-positive-ttl`, `narinfo-cache-negative-ttl`, `narinfo-cache-meta-ttl`. */
export function lookupLifetimes(settings: NixConfiguration): Partial<Lifetimes> {
  const names = { found: "narinfo-cache-positive-ttl", absent: "narinfo-cache-negative-ttl", cache: "narinfo-cache-meta-ttl" } as const;
  return Object.fromEntries(Object.entries(names).flatMap(([key, name]) => (settings.find(name) === undefined ? [] : [[key, settings.int(name, 0)]])));
}

/** `min-free` and `max-free`; undefined where nothing is collected by itself. */
export function spaceLimits(settings: NixConfiguration): SpaceLimits | undefined {
  const minFree = settings.int("min-free", 0);
  if (minFree <= 0) return undefined;
  return { minFree, maxFree: Math.max(minFree, settings.int("max-free", Number.MAX_SAFE_INTEGER)) };
}
