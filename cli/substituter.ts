import { join } from "node:path";
import type { CacheSettings } from "../core/cache/load-cache-settings.ts";
import type { Lifetimes } from "../core/cache/lookup-cache.ts";
import type { FetchSettings } from "../core/fetch/fetch-settings.ts";
import type { LocalStore } from "../core/store/store.ts";
import type { Substituter } from "../core/store/substituter.ts";
import type { CommandContext } from "./context.ts";
import type { GlobalFlags } from "./global-flags.ts";

/** What takes paths from the binary caches of `settings`; undefined where there is none to ask. */
export async function createSubstituter(context: Pick<CommandContext, "env" | "places" | "report"> & { readonly flags: Pick<GlobalFlags, "offline"> }, store: LocalStore, settings: CacheSettings, fetchSettings: FetchSettings, lifetimes?: Partial<Lifetimes>): Promise<Substituter | undefined> {
  const urls = settings.substituters.filter((url) => !context.flags.offline || url.startsWith("file:"));
  if (urls.length === 0) return undefined;
  const [{ openBinaryCache }, { createSubstituters }, { LookupCache }] = await Promise.all([import("../core/cache/open-binary-cache.ts"), import("../core/cache/substituters.ts"), import("../core/cache/lookup-cache.ts")]);
  const lookups = LookupCache.open(lookupFolder(context), { lifetimes });
  const caches = await Promise.all(urls.map((url) => openBinaryCache(url, { settings: fetchSettings, environment: context.env, storeDir: store.storeDir, lookups })));
  return createSubstituters({ store, caches, trust: settings.trust, lookups, report: context.report });
}

/** Where answers of caches are remembered. */
export function lookupFolder(context: Pick<CommandContext, "places">): string {
  return join(context.places.cache, "lookups");
}
