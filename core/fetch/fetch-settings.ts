import type { NetrcEntry } from "./source/credentials.ts";

/** Where and how files are fetched; made once a run by `loadFetchSettings`. */
export type FetchSettings = {
  /** What `mirror://NAME/` stands for: base URLs without a slash at their end, the best first. */
  readonly mirrors: Readonly<Record<string, readonly string[]>>;
  readonly proxies: FetchProxies;
  /** Milliseconds until a connection must stand. */
  readonly connectTimeout: number;
  /** Milliseconds without a byte after which a transfer counts as dead. */
  readonly stallTimeout: number;
  /** How often one URL is tried before the next one is. */
  readonly attempts: number;
  /** Milliseconds before the second attempt; each further one waits twice as long. */
  readonly retryDelay: number;
  /** Connections kept open to one server. */
  readonly connections: number;
  /** Where unfinished downloads are kept, so that a later run resumes them. */
  readonly partialFolder?: string;
  /** Only `file:` URLs are fetched, and builders get no network. */
  readonly offline?: boolean;
  /** Seconds for which what a server said of a name that may change (a branch, an archive's URL) is not asked again. */
  readonly tarballTtl: number;
  /** Tokens for forges by host, or by host and the beginning of a path. */
  readonly accessTokens?: Readonly<Record<string, string>>;
  /** Names and passwords by host. */
  readonly netrc?: readonly NetrcEntry[];
};

export type FetchProxies = {
  readonly http?: string;
  readonly https?: string;
  /** Hosts that are reached directly, in the form of `no_proxy`. */
  readonly no?: string;
};

/** Settings without mirrors: for URLs that name their server. */
export const plainFetchSettings: FetchSettings = {
  mirrors: {},
  proxies: {},
  connectTimeout: 10_000,
  stallTimeout: 30_000,
  attempts: 4,
  retryDelay: 400,
  connections: 8,
  tarballTtl: 3600,
};
