import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TsosError } from "../error/tsos-error.ts";
import { formatHash } from "../hash/hash.ts";
import { narListingToJson, type NarListing, type NarListingJson } from "../nar/nar-listing.ts";
import { formatNarInfo, narInfoFingerprint, type NarInfo } from "../narinfo/narinfo.ts";
import { formatOutputId, formatRealisation, parseRealisation, signRealisation, type OutputId, type Realisation } from "../narinfo/realisation.ts";
import { parseSecretKey, parseSignature, signFingerprint, type SecretKey } from "../narinfo/signature.ts";
import type { AddOptions, NarSource, Store } from "../store/store.ts";
import type { NewPathInfo, ValidPathInfo } from "../store/path-info.ts";
import { DEFAULT_STORE_DIR, formatStorePath, storePathHash, storePathName, type StorePath } from "../store-path/store-path.ts";
import { decodeUtf8, encodeUtf8 } from "../util/bytes.ts";
import { CacheArchives, type ReadArchiveOptions } from "./cache-archives.ts";
import { parseCacheInfo, type CacheInfo } from "./cache-info.ts";
import type { CacheTransport } from "./cache-transport.ts";
import type { CacheUrl } from "./cache-url.ts";
import type { LookupCache } from "./lookup-cache.ts";
import { ARCHIVE_EXTENSIONS, packArchive } from "./pack-archive.ts";
import { parseCachedNarInfo } from "./parse-cached-narinfo.ts";
import { pathInfoOf } from "./path-info-of.ts";

export type BinaryCacheOptions = {
  readonly transport: CacheTransport;
  readonly url: CacheUrl;
  readonly storeDir?: string | undefined;
  /** What was found before, on disk. */
  readonly lookups?: LookupCache | undefined;
};

/** A description longer than this is no honest one. */
const MAX_NARINFO = 1 << 20;

/** Descriptions kept in memory between the question and the transfer. */
const MAX_RECENT = 10_000;

/**
 * A binary cache: descriptions (`HASH.narinfo`) and archives (`nar/…`) in Nix's layout. It trusts nothing that it
 * reads; who takes a path from it checks signatures (`trust.ts`) and contents (`addNarToStore`).
 */
export class BinaryCache implements Store {
  readonly takesAhead = true;
  readonly storeDir: string;
  readonly url: CacheUrl;
  readonly #transport: CacheTransport;
  readonly #archives: CacheArchives;
  readonly #lookups: LookupCache | undefined;
  /** Described a moment ago, for who takes the archive next. */
  readonly #recent = new Map<StorePath, NarInfo>();
  #info: Promise<CacheInfo | undefined> | undefined;
  #keys: Promise<readonly SecretKey[]> | undefined;

  constructor({ transport, url, storeDir = DEFAULT_STORE_DIR, lookups }: BinaryCacheOptions) {
    this.#transport = transport;
    this.#archives = new CacheArchives(transport);
    this.url = url;
    this.storeDir = storeDir;
    this.#lookups = lookups;
  }

  /** As messages show it. */
  get name(): string {
    return this.#transport.url;
  }

  /**
   * What the cache says of itself.
   *
   * @throws TsosError `cache.not-a-cache`, `cache.other-store`, `cache.unreachable`
   */
  async info(signal?: AbortSignal): Promise<CacheInfo> {
    this.#info ??= this.#readInfo(signal);
    this.#info.catch(() => (this.#info = undefined));
    const info = await this.#info;
    if (info === undefined) throw new TsosError({ code: "cache.not-a-cache", message: `"${this.name}" is not a binary cache: it has no "nix-cache-info"`, hint: "check its address, and that it may be read with these credentials", data: { url: this.name } });
    return info;
  }

  async #readInfo(signal?: AbortSignal): Promise<CacheInfo | undefined> {
    const known = this.#lookups?.findCache(this.name);
    const info = known ?? (await this.#fetchInfo(signal));
    if (info === undefined) return undefined;
    if (info.storeDir !== this.storeDir) {
      throw new TsosError({ code: "cache.other-store", message: `the cache "${this.name}" has paths of "${info.storeDir}", expected "${this.storeDir}"`, data: { url: this.name, storeDir: info.storeDir } });
    }
    if (known === undefined) this.#lookups?.rememberCache(this.name, info);
    return info;
  }

  async #fetchInfo(signal?: AbortSignal): Promise<CacheInfo | undefined> {
    const text = await this.#readText("nix-cache-info", signal);
    return text === undefined ? undefined : parseCacheInfo(text);
  }

  async #readText(path: string, signal?: AbortSignal): Promise<string | undefined> {
    try {
      const bytes = await this.#transport.readWhole(path, { signal, limit: MAX_NARINFO });
      return bytes === undefined ? undefined : decodeUtf8(bytes);
    } catch (error) {
      if (error instanceof TsosError && error.code === "fetch.too-long") throw new TsosError({ code: "cache.malformed", message: `"${path}" of the cache "${this.name}" is longer than ${MAX_NARINFO} bytes` });
      throw error;
    }
  }

  /**
   * The description of a path; undefined where the cache has none.
   *
   * @throws TsosError `cache.malformed` for one that is broken or is about another path
   */
  async findNarInfo(path: StorePath, signal?: AbortSignal): Promise<NarInfo | undefined> {
    const hashPart = storePathHash(path);
    const known = this.#lookups?.findNarInfo(this.name, hashPart);
    if (known === "absent") return undefined;
    const text = known ?? (await this.#readText(`${hashPart}.narinfo`, signal));
    const info = text === undefined ? undefined : parseCachedNarInfo(text, path, { cacheName: this.name, storeDir: this.storeDir });
    if (known === undefined) this.#lookups?.rememberNarInfo(this.name, hashPart, text);
    return info;
  }

  /** The archive that `info` describes, unpacked; a broken transfer goes on where it broke. */
  readArchive(info: NarInfo, options: ReadArchiveOptions = {}): NarSource {
    return this.#archives.read(info, options);
  }

  async findPathInfo(path: StorePath): Promise<ValidPathInfo | undefined> {
    const info = await this.findNarInfo(path);
    if (info === undefined) return undefined;
    if (this.#recent.size < MAX_RECENT) this.#recent.set(path, info);
    return pathInfoOf(info);
  }

  async getPathInfo(path: StorePath): Promise<ValidPathInfo> {
    return (await this.findPathInfo(path)) ?? this.#absent(path);
  }

  async isValidPath(path: StorePath): Promise<boolean> {
    return (await this.findNarInfo(path)) !== undefined;
  }

  async queryValidPaths(paths: Iterable<StorePath>): Promise<Set<StorePath>> {
    const asked = [...paths];
    const found = await Promise.all(asked.map((path) => this.isValidPath(path)));
    return new Set(asked.filter((_, i) => found[i]));
  }

  narFromPath(path: StorePath): NarSource {
    const recent = this.#recent.get(path);
    this.#recent.delete(path);
    return recent === undefined ? this.#findArchive(path) : this.readArchive(recent);
  }

  async *#findArchive(path: StorePath): AsyncGenerator<Uint8Array> {
    yield* this.readArchive((await this.findNarInfo(path)) ?? this.#absent(path));
  }

  /** Adds an archive and its description, signed with the keys of the cache's URL. What is there stays. */
  async addNarToStore(info: NewPathInfo, nar: AsyncIterable<Uint8Array>, options: AddOptions = {}): Promise<void> {
    const { signal, after, onReceived } = options;
    await this.#initialise(signal);
    const { compression } = this.url;
    const folder = await mkdtemp(join(tmpdir(), "tsos-cache-"));
    try {
      const packed = await packArchive(info, nar, { ...this.url, file: join(folder, "archive"), storeDir: this.storeDir, signal });
      const url = `nar/${formatHash(packed.hash, "nix32", false)}.nar${ARCHIVE_EXTENSIONS[compression]}`;
      if (!(await this.#transport.exists(url, signal))) await this.#transport.write(url, packed, { contentType: "application/x-nix-nar", signal });
      if (packed.listing !== undefined) await this.#writeListing(info.path, packed.listing, signal);
      const described: NarInfo = {
        path: info.path,
        url,
        compression,
        fileHash: packed.hash,
        fileSize: packed.size,
        narHash: info.narHash,
        narSize: info.narSize,
        references: info.references,
        deriver: info.deriver,
        signatures: (info.signatures ?? []).map(parseSignature),
        contentAddress: info.contentAddress,
      };
      const signed = await this.#sign(described);
      const text = formatNarInfo(signed, this.storeDir);
      onReceived?.();
      await after?.();
      // Last: who sees the description finds the archive, and all that it needs.
      await this.#transport.write(`${storePathHash(info.path)}.narinfo`, encodeUtf8(text), { contentType: "text/x-nix-narinfo", signal });
      this.#lookups?.rememberNarInfo(this.name, storePathHash(info.path), text);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  /**
   * Which path an output of a derivation turned out to be, as the cache has it; who takes its word checks signatures.
   *
   * @throws TsosError `realisation.malformed`, `cache.malformed` for one about another output
   */
  async findRealisation(id: OutputId, signal?: AbortSignal): Promise<Realisation | undefined> {
    const text = await this.#readText(realisationPath(id), signal);
    if (text === undefined) return undefined;
    const realisation = parseRealisation(text);
    if (formatOutputId(realisation) === formatOutputId(id)) return realisation;
    throw new TsosError({ code: "cache.malformed", message: `what the cache "${this.name}" says of the output "${formatOutputId(id)}" is about "${formatOutputId(realisation)}"`, data: { url: this.name } });
  }

  /** Adds it, signed with the keys of the cache's URL. */
  async addRealisation(realisation: Realisation, signal?: AbortSignal): Promise<void> {
    await this.#initialise(signal);
    const text = formatRealisation(signRealisation(realisation, await this.#secretKeys()));
    await this.#transport.write(realisationPath(realisation), encodeUtf8(text), { contentType: "application/json", signal });
  }

  /** As Nix's `write-nar-listing`. Names that JSON cannot hold leave a path without a listing. */
  async #writeListing(path: StorePath, listing: NarListing, signal?: AbortSignal): Promise<void> {
    let root: NarListingJson;
    try {
      root = narListingToJson(listing);
    } catch (error) {
      if (error instanceof TypeError) return;
      throw error;
    }
    await this.#transport.write(`${storePathHash(path)}.ls`, encodeUtf8(JSON.stringify({ root, version: 1 })), { contentType: "application/json", signal });
  }

  /** A cache that is written to for the first time says what it is. */
  async #initialise(signal?: AbortSignal): Promise<void> {
    this.#info ??= this.#readInfo(signal);
    if ((await this.#info) !== undefined) return;
    const text = `StoreDir: ${this.storeDir}\n`;
    await this.#transport.write("nix-cache-info", encodeUtf8(text), { contentType: "text/x-nix-cache-info", signal });
    this.#info = Promise.resolve(parseCacheInfo(text));
  }

  #secretKeys(): Promise<readonly SecretKey[]> {
    return (this.#keys ??= Promise.all(this.url.secretKeyFiles.map(async (file) => parseSecretKey((await readFile(file, "utf8")).trim()))));
  }

  async #sign(info: NarInfo): Promise<NarInfo> {
    const keys = await this.#secretKeys();
    const fingerprint = narInfoFingerprint(info, this.storeDir);
    const own = keys.map((key) => signFingerprint(fingerprint, key));
    const others = info.signatures.filter((signature) => !own.some((mine) => mine.keyName === signature.keyName));
    return { ...info, signatures: [...others, ...own] };
  }

  #absent(path: StorePath): never {
    throw new TsosError({ code: "store.invalid-path", message: `the cache "${this.name}" does not have "${formatStorePath(path, this.storeDir)}"`, data: { path: formatStorePath(path, this.storeDir), name: storePathName(path) } });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#transport[Symbol.asyncDispose]();
  }
}

/** Nix: libstore/binary-cache-store.cc, makeRealisationPath. */
function realisationPath(id: OutputId): string {
  return `realisations/${formatOutputId(id)}.doi`;
}
