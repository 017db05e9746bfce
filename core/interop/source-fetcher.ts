import { TsosError } from "../error/tsos-error.ts";
import type { SourceAttributes } from "../fetch/source/attributes.ts";
import { formatFlakeRef, parseFlakeRef } from "../fetch/source/flake-ref.ts";
import { fixGitUrl } from "../fetch/source/git-place.ts";
import { readRegistry, resolveInRegistries, type RegistryEntry, type RegistryFiles } from "../fetch/source/registry.ts";
import { checkSource, formatSource, isLockedSource, parseSource } from "../fetch/source/source.ts";
import { parseSriHash } from "../hash/hash.ts";
import { NixError } from "../nix/nix-error.ts";
import type { NixFetcher, NixSource } from "../nix/nix-fetcher.ts";
import type { StorePath } from "../store-path/store-path.ts";
import { fromByteString, toByteString, type ByteString } from "../util/bytes.ts";
import type { StoreChannel } from "./evaluation-io.ts";

export type SourceFetcherOptions = {
  readonly channel: StoreChannel;
  readonly registries: RegistryFiles | undefined;
  readonly warn: (message: ByteString) => void;
  /** What a restricted evaluation may fetch; undefined for one that is not restricted. */
  readonly allowedUris: readonly string[] | undefined;
  /** @throws NixError of kind `restricted` */
  readonly checkAccess: (path: ByteString) => void;
  /** Lets the evaluation see what was fetched. */
  readonly allow: (path: StorePath) => void;
};

/** How an evaluation in a thread of its own gets at sources: names and URLs here, the fetching where the store is. */
export function createSourceFetcher({ channel, registries, warn, allow, allowedUris, checkAccess }: SourceFetcherOptions): NixFetcher {
  let opened: { readonly all: readonly (readonly RegistryEntry[])[]; readonly limited: readonly (readonly RegistryEntry[])[] } | undefined;
  const open = () => {
    const tell = (message: string): void => warn(toByteString(`warning: ${message}`));
    const global = readRegistry(registries?.global, tell);
    return (opened ??= { all: [readRegistry(registries?.user, tell), readRegistry(registries?.system, tell), global], limited: [global] });
  };
  return {
    checkUri: (uri) => {
      if (allowedUris === undefined || allowedUris.some((prefix) => isAllowed(uri, toByteString(prefix)))) return;
      if (uri.startsWith("/")) return checkAccess(uri);
      if (uri.startsWith("file://")) return checkAccess(uri.slice("file://".length));
      throw new NixError("restricted", `access to URI '${uri}' is forbidden in restricted mode`);
    },
    parse: (url) => said(() => toBytes(parseSource(fromByteString(url)))),
    check: (source) => said(() => toBytes(checkSource(toText(source)))),
    format: (source) => said(() => toByteString(formatSource(toText(source)))),
    isLocked: (source) => said(() => isLockedSource(toText(source))),
    fixGitUrl: (url) => said(() => toByteString(fixGitUrl(fromByteString(url)))),
    parseFlakeRef: (text, options) => said(() => toBytes(parseFlakeRef(fromByteString(text), { ...options, folder: options.folder === undefined ? undefined : fromByteString(options.folder) }))),
    formatFlakeRef: (source) => said(() => toByteString(formatFlakeRef(toText(source)))),
    resolve: (source, used) => said(() => toBytes(resolveInRegistries(toText(source), used === "none" ? [] : open()[used]))),
    fetch: (source, isFinal) => {
      const { path, attributes } = fetching(source, () => channel.call({ op: "fetch-source", source: toText(source), isFinal }));
      allow(path as StorePath);
      return { path: path as StorePath, source: toBytes(attributes) };
    },
    fetchFile: (url, name) => {
      const { path, hash } = channel.call({ op: "fetch-file", url: fromByteString(url), name: fromByteString(name) });
      allow(path as StorePath);
      return { path: path as StorePath, hash: parseSriHash(hash) };
    },
    fetchClosure: ({ fromStore, ...request }) => {
      const { path } = channel.call({ op: "fetch-closure", request: { fromStore: fromByteString(fromStore), ...request } });
      allow(path as StorePath);
      return path as StorePath;
    },
    allow,
  };
}

/** What goes wrong says for which source. */
function fetching<T>(source: NixSource, fetch: () => T): T {
  try {
    return fetch();
  } catch (error) {
    if (error instanceof NixError) error.addTrace(`while fetching the input '${toByteString(formatSource(toText(source)))}'`, undefined);
    throw error;
  }
}

/** Itself, or what is below it: `https://a.example` allows `https://a.example/x`, `github:` all of its repositories. */
function isAllowed(uri: ByteString, prefix: ByteString): boolean {
  if (uri === prefix) return true;
  return prefix !== "" && uri.startsWith(prefix) && (/[/:]$/.test(prefix) || uri[prefix.length] === "/");
}

function toText(source: NixSource): SourceAttributes {
  return Object.fromEntries(Object.entries(source).map(([name, value]) => [name, typeof value === "string" ? fromByteString(value) : value]));
}

function toBytes(source: SourceAttributes): NixSource {
  return Object.fromEntries(Object.entries(source).map(([name, value]) => [name, typeof value === "string" ? toByteString(value) : value]));
}

/** What is wrong is an error of the expression. */
function said<T>(body: () => T): T {
  try {
    return body();
  } catch (error) {
    if (!(error instanceof TsosError) || error instanceof NixError) throw error;
    throw new NixError("eval", toByteString(error.message));
  }
}
