import { EnvHttpProxyAgent, interceptors, request } from "undici";
import type { Dispatcher } from "undici";
import type { FetchSettings } from "./fetch-settings.ts";

export type FetchDispatcher = {
  readonly request: typeof request;
  /** Follows redirects. */
  readonly dispatcher: Dispatcher;
  /** Does not. */
  readonly direct: Dispatcher;
};

// One pool of connections for all that is fetched with the same settings; it ends with them. Idle
// connections do not keep the process alive.
const dispatchers = new WeakMap<FetchSettings, FetchDispatcher>();

/** The connections for `settings`. */
export function getDispatcher(settings: FetchSettings): FetchDispatcher {
  let found = dispatchers.get(settings);
  if (found === undefined) {
    found = createDispatcher(settings);
    dispatchers.set(settings, found);
  }
  return found;
}

function createDispatcher(settings: FetchSettings): FetchDispatcher {
  const { http, https, no } = settings.proxies;
  const agent = new EnvHttpProxyAgent({
    // An empty string stands for "none": undefined would make the client read the environment itself.
    httpProxy: http ?? "",
    httpsProxy: https ?? "",
    noProxy: no ?? "",
    connections: settings.connections,
    connect: { timeout: settings.connectTimeout },
    headersTimeout: settings.stallTimeout,
    bodyTimeout: settings.stallTimeout,
    maxHeaderSize: 64 * 1024,
  });
  return { request, direct: agent, dispatcher: agent.compose(interceptors.redirect({ maxRedirections: 10 })) };
}
