import type { FetchSettings } from "../fetch-settings.ts";
import type { SourceAttributes } from "./attributes.ts";
import type { SourceCache } from "./source-cache.ts";
import type { SourceUrl } from "./source-url.ts";

/** What fetching sources needs of the machine. */
export type SourceContext = {
  readonly settings: FetchSettings;
  readonly cache: SourceCache;
  /** For git, ssh and credentials: `HOME`, `PATH`, `SSH_AUTH_SOCK`, … */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Ask the servers again, however fresh what is remembered. */
  readonly refresh?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly warn: (message: string) => void;
  /** A file that holds what is fetched, under its URL. */
  readonly progress?: ((url: string, done: number, total?: number) => void) | undefined;
};

/** What a scheme's fetcher gives: a tree (or one file) on disk that nobody changes, and what it found out. */
export type SchemeResult = {
  /** The tree; its owner is the cache, or the user for a path that is only read. */
  readonly root: string;
  /** SRI. */
  readonly narHash: string;
  /** What was asked for, with what is known now: `rev`, `lastModified`, … */
  readonly attributes: SourceAttributes;
};

/** One kind of source. Its attributes and URLs are those of Nix's input schemes. */
export type SourceScheme = {
  readonly type: string;
  readonly allowed: ReadonlySet<string>;
  /** The attributes of a URL of this scheme; undefined for others. @throws TsosError for one that is wrong */
  fromUrl(url: SourceUrl, requireTree: boolean): SourceAttributes | undefined;
  /** @throws TsosError for wrong ones */
  check(attributes: SourceAttributes): SourceAttributes;
  toUrl(attributes: SourceAttributes): SourceUrl;
  isLocked(attributes: SourceAttributes): boolean;
  /** With another branch or revision, as a registry asks for. */
  override(attributes: SourceAttributes, ref: string | undefined, rev: string | undefined): SourceAttributes;
  fetch(attributes: SourceAttributes, context: SourceContext): Promise<SchemeResult>;
};

/** Most schemes have neither branches nor revisions to choose. */
export function refuseOverride(attributes: SourceAttributes, ref: string | undefined, rev: string | undefined, refuse: (message: string) => Error): SourceAttributes {
  if (ref !== undefined) throw refuse(`don't know how to set branch/tag name of input to '${ref}'`);
  if (rev !== undefined) throw refuse(`don't know how to set revision of input to '${rev}'`);
  return attributes;
}
