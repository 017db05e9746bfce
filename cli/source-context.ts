import { join } from "node:path";
import { loadFetchSettings } from "../core/fetch/load-fetch-settings.ts";
import { openSourceCache } from "../core/fetch/source/source-cache.ts";
import type { SourceContext } from "../core/fetch/source/scheme.ts";
import type { CommandContext } from "./context.ts";

/** How this command fetches sources: its flags, this machine's mirrors and credentials, the user's cache. */
export async function openSourceContext(context: CommandContext, options: { readonly refresh?: boolean } = {}): Promise<SourceContext> {
  return {
    settings: { ...(await loadFetchSettings({ env: context.env })), offline: context.flags.offline },
    cache: openSourceCache(join(context.places.cache, "sources")),
    env: context.env,
    now: Date.now,
    refresh: options.refresh,
    signal: context.signal,
    warn: (message) => context.report({ kind: "message", level: "warning", text: message }),
  };
}
