import { existsSync, lstatSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { TsosError } from "../../error/tsos-error.ts";
import { chmod } from "node:fs/promises";
import { findNumber, getText, sortAttributes, type SourceAttributes } from "./attributes.ts";
import { downloadFile } from "./download.ts";
import { refuseOverride, type SchemeResult, type SourceContext, type SourceScheme } from "./scheme.ts";
import { formatSourceUrl, hidePassword, parseSourceUrl, splitUrlScheme, type SourceUrl } from "./source-url.ts";
import { unpackArchive } from "./unpack-archive.ts";

const TRANSPORTS: ReadonlySet<string> = new Set(["file", "http", "https"]);
const ARCHIVE = /\.(zip|tar|tgz|tar\.gz|tar\.xz|tar\.bz2|tar\.zst)$/;
const ALLOWED: ReadonlySet<string> = new Set(["url", "narHash", "name", "unpack", "rev", "revCount", "lastModified"]);

/** An archive at a URL, unpacked: `https://a.example/x.tar.gz`, `tarball+https://…`. */
export const tarballScheme = createCurlScheme("tarball", (url, requireTree) => requireTree || ARCHIVE.test(lastSegment(url)), fetchTarball);

/** One file at a URL, as it is: `file+https://…`. */
export const fileScheme = createCurlScheme("file", (url, requireTree) => !requireTree && !ARCHIVE.test(lastSegment(url)), fetchFile);

function createCurlScheme(type: "tarball" | "file", isMeant: (url: SourceUrl, requireTree: boolean) => boolean, fetch: SourceScheme["fetch"]): SourceScheme {
  return {
    type,
    allowed: ALLOWED,
    fromUrl(url, requireTree) {
      const { application, transport } = splitUrlScheme(url.scheme);
      if (!TRANSPORTS.has(transport) || !(application === undefined ? isMeant(url, requireTree) : application === type)) return undefined;
      const number = (name: string): number | undefined => (/^\d+$/.test(url.query[name] ?? "") ? Number(url.query[name]) : undefined);
      // What is tsos's own in the query is not sent to the server.
      const query = Object.fromEntries(Object.entries(url.query).filter(([name]) => !ALLOWED.has(name)));
      return sortAttributes({
        type,
        url: formatSourceUrl({ ...url, scheme: transport, query, fragment: undefined }),
        narHash: url.query["narHash"],
        rev: url.query["rev"],
        revCount: number("revCount"),
        lastModified: number("lastModified"),
      });
    },
    check(attributes) {
      getText(attributes, "url");
      return attributes;
    },
    toUrl(attributes) {
      const url = parseSourceUrl(getText(attributes, "url"));
      const narHash = attributes["narHash"];
      return { ...url, query: narHash === undefined ? url.query : { ...url.query, narHash: String(narHash) } };
    },
    isLocked: (attributes) => attributes["narHash"] !== undefined,
    override: (attributes, ref, rev) => refuseOverride(attributes, ref, rev, bad),
    fetch,
  };
}

function lastSegment(url: SourceUrl): string {
  return url.path.slice(url.path.lastIndexOf("/") + 1);
}

type TarballFact = { readonly etag: string; readonly narHash: string; readonly lastModified: number; readonly immutableUrl?: string | undefined };

async function fetchTarball(attributes: SourceAttributes, context: SourceContext): Promise<SchemeResult> {
  const url = getText(attributes, "url");
  checkLocalFile(url);
  const { root, fact } = await downloadArchive(url, {}, context);
  let found = attributes;
  if (fact.immutableUrl !== undefined) {
    const immutable = tarballScheme.fromUrl(parseSourceUrl(fact.immutableUrl), true);
    if (immutable === undefined) throw bad(`tarball 'Link' headers that redirect to non-tarball URLs are not supported, got '${hidePassword(fact.immutableUrl)}'`);
    found = immutable;
  }
  const lastModified = findNumber(found, "lastModified") ?? (fact.lastModified === 0 ? undefined : fact.lastModified);
  return { root, narHash: fact.narHash, attributes: sortAttributes({ ...found, lastModified, narHash: fact.narHash }) };
}

/**
 * An archive from a server, unpacked, or the tree that it gave the last time: while that is fresh without asking, and
 * after that if the server says that nothing changed.
 */
export async function downloadArchive(url: string, headers: Readonly<Record<string, string>>, context: SourceContext): Promise<{ readonly root: string; readonly fact: TarballFact }> {
  const { cache, settings, now } = context;
  // Nothing of the password: not even its hash.
  const key = ["tarball", hidePassword(url)];
  using _lock = await cache.lock(`tarball ${hidePassword(url)}`, context.signal);
  const known = cache.findFact<TarballFact>(key);
  const knownRoot = known === undefined ? undefined : cache.findTree(known.value.narHash);
  const isLocal = url.startsWith("file:");
  const isFresh = known !== undefined && !isLocal && (settings.offline === true || (context.refresh !== true && now() - known.time < settings.tarballTtl * 1000));
  if (known !== undefined && knownRoot !== undefined && isFresh) return { root: knownRoot, fact: known.value };

  let fact: TarballFact | undefined;
  let root = knownRoot;
  const download = async (target: string): Promise<string> => {
    const archive = `${target}.archive`;
    const answer = await downloadFile(url, archive, { headers, etag: knownRoot === undefined ? undefined : known?.value.etag }, context);
    if (answer.kind === "unchanged") throw new Unchanged();
    const unpacked = await unpackArchive(archive, target, { signal: context.signal }).catch((cause: unknown) => {
      if (!(cause instanceof TsosError)) throw cause;
      throw new TsosError({ code: cause.code, message: `cannot unpack '${hidePassword(url)}': ${cause.message}`, data: { ...cause.data, url: hidePassword(url) }, cause });
    });
    fact = { etag: answer.etag, narHash: "", lastModified: unpacked.lastModified, immutableUrl: answer.immutableUrl };
    return unpacked.root;
  };
  try {
    const added = await cache.addTree(download, context.signal);
    root = added.root;
    fact = { ...fact!, narHash: added.narHash };
  } catch (error) {
    if (!(error instanceof Unchanged) || known === undefined) throw error;
    fact = known.value;
  }
  cache.rememberFact(key, fact, now());
  return { root: root!, fact };
}

class Unchanged extends Error {}

type FileFact = { readonly etag: string; readonly narHash: string };

async function fetchFile(attributes: SourceAttributes, context: SourceContext): Promise<SchemeResult> {
  const { cache, settings, now } = context;
  const url = getText(attributes, "url");
  const key = ["file", hidePassword(url)];
  using _lock = await cache.lock(`file ${hidePassword(url)}`, context.signal);
  const known = cache.findFact<FileFact>(key);
  const knownRoot = known === undefined ? undefined : cache.findTree(known.value.narHash);
  const isFresh = known !== undefined && !url.startsWith("file:") && (settings.offline === true || (context.refresh !== true && now() - known.time < settings.tarballTtl * 1000));
  const result = (root: string, narHash: string): SchemeResult => ({ root, narHash, attributes: sortAttributes({ ...attributes, narHash }) });
  if (known !== undefined && knownRoot !== undefined && isFresh) return result(knownRoot, known.value.narHash);
  let etag = "";
  try {
    const added = await cache.addTree(async (target) => {
      const answer = await downloadFile(url, target, { etag: knownRoot === undefined ? undefined : known?.value.etag }, context);
      if (answer.kind === "unchanged") throw new Unchanged();
      etag = answer.etag;
      await chmod(target, 0o444);
      return target;
    }, context.signal);
    cache.rememberFact(key, { etag, narHash: added.narHash } satisfies FileFact, now());
    return result(added.root, added.narHash);
  } catch (error) {
    if (!(error instanceof Unchanged) || known === undefined || knownRoot === undefined) throw error;
    cache.rememberFact(key, known.value, now());
    return result(knownRoot, known.value.narHash);
  }
}

/** Friendlier words for what people mistake for an archive. @throws TsosError `source.bad-input` */
export function checkLocalFile(url: string): void {
  if (!url.startsWith("file:")) return;
  let path: string;
  try {
    if (!/^file:(?:\/\/[^/]*)?\//.test(url)) throw new TypeError("relative");
    path = fileURLToPath(new URL(url.replace(/[?#].*$/s, "")));
  } catch {
    throw bad(`tarball '${url}' must use an absolute path. The 'file' scheme does not support relative paths.`);
  }
  if (lstatSync(path, { throwIfNoEntry: false }) === undefined) throw bad(`tarball '${path}' does not exist.`);
  if (!statSync(path).isDirectory()) return;
  if (existsSync(join(path, ".git"))) throw bad(`tarball '${path}' is a git repository, not a tarball. Please use \`git+file\` as the scheme.`);
  throw bad(`tarball '${path}' is a directory, not a file.`);
}

function bad(message: string): TsosError {
  return new TsosError({ code: "source.bad-input", message });
}
