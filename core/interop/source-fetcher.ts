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
import type { StoreChannel } from "./store-channel.ts";

export type SourceFetcherOptions = {
  readonly channel: StoreChannel;
  readonly registries: RegistryFiles | undefined;
  /** What stands before all registries; more of it comes with `overrideRegistry`. */
  readonly overrides?: readonly (readonly [from: ByteString, to: ByteString])[] | undefined;
  readonly folder: ByteString;
  /** Where what was fetched lies. */
  readonly realStoreDir: ByteString;
  readonly warn: (message: ByteString) => void;
  /** What a restricted evaluation may fetch; undefined for one that is not restricted. */
  readonly allowedUris: readonly string[] | undefined;
  /** @throws NixError of kind `restricted` */
  readonly checkAccess: (path: ByteString) => void;
  /** Lets the evaluation see what was fetched. */
  readonly allow: (path: StorePath) => void;
};

/** How an evaluation in a thread of its own gets at sources: names and URLs here, the fetching where the store is. */
export function createSourceFetcher({ channel, registries, overrides = [], folder, realStoreDir, warn, allow, allowedUris, checkAccess }: SourceFetcherOptions): NixFetcher {
  let opened: { readonly all: readonly (readonly RegistryEntry[])[]; readonly limited: readonly (readonly RegistryEntry[])[] } | undefined;
  const open = () => {
    const tell = (message: string): void => warn(toByteString(`warning: ${message}`));
    if (opened !== undefined) return opened;
    const global = readRegistry(findGlobal(registries?.global), tell);
    const pairs = overrides.map(([from, to]) => entryOf(parse(from), parse(to)));
    flagged.unshift(...pairs);
    return (opened = { all: [flagged, readRegistry(registries?.user, tell), readRegistry(registries?.system, tell), global], limited: [flagged, global] });
  };
  const flagged: RegistryEntry[] = [];
  const parse = (text: ByteString): SourceAttributes => parseFlakeRef(fromByteString(text), { folder: fromByteString(folder), allowMissing: true });
  const entryOf = (from: SourceAttributes, { dir, ...to }: SourceAttributes): RegistryEntry => ({ from, to, dir: typeof dir === "string" ? dir : undefined, exact: false });
  /** A file of this machine, or one that is fetched first. */
  const findGlobal = (place: string | undefined): string | undefined => {
    if (place === undefined || place === "" || place.startsWith("/")) return place === "" ? undefined : place;
    const { path } = channel.call({ op: "fetch-file", url: place, name: "flake-registry.json" });
    return fromByteString(`${realStoreDir}/${path}`);
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
    overrideRegistry: (from, to) => void flagged.push(entryOf(toText(from), toText(to))),
    resolve: (source, used) => {
      if (used !== "none" && registries !== undefined) return said(() => toBytes(resolveInRegistries(toText(source), open()[used])));
      if (source["type"] !== "indirect") return source;
      throw new NixError("eval", `'${toByteString(formatSource(toText(source)))}' is an indirect flake reference, but registry lookups are not allowed`);
    },
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
