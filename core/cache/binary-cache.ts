import { randomBytes } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { compress, type Compression } from "../compression/compress.ts";
import { decompress, type CompressionFormat } from "../compression/decompress.ts";
import { decompressWhole } from "../compression/decompress-whole.ts";
import { TsosError } from "../error/tsos-error.ts";
import { equalHashes, formatHash } from "../hash/hash.ts";
import { createMeter } from "../hash/meter.ts";
import { NarReader } from "../nar/nar-reader.ts";
import { createNarLister, narListingToJson, type NarListing, type NarListingJson } from "../nar/nar-listing.ts";
import type { NarVisitor } from "../nar/nar-visitor.ts";
import { formatNarInfo, narInfoFingerprint, parseNarInfo, type NarInfo } from "../narinfo/narinfo.ts";
import { formatOutputId, formatRealisation, parseRealisation, signRealisation, type OutputId, type Realisation } from "../narinfo/realisation.ts";
import { formatSignature, parseSecretKey, parseSignature, signFingerprint, type SecretKey } from "../narinfo/signature.ts";
import type { AddOptions, Store } from "../store/store.ts";
import type { NewPathInfo, ValidPathInfo } from "../store/path-info.ts";
import { DEFAULT_STORE_DIR, formatStorePath, storePathHash, storePathName, type StorePath } from "../store-path/store-path.ts";
import { decodeUtf8, encodeUtf8 } from "../util/bytes.ts";
import { parseCacheInfo, type CacheInfo } from "./cache-info.ts";
import type { CacheTransport } from "./cache-transport.ts";
import type { CacheUrl } from "./cache-url.ts";
import type { LookupCache } from "./lookup-cache.ts";

export type BinaryCacheOptions = {
  readonly transport: CacheTransport;
  readonly url: CacheUrl;
  readonly storeDir?: string | undefined;
  /** What was found before, on disk. */
  readonly lookups?: LookupCache | undefined;
};

/** A description longer than this is no honest one. */
const MAX_NARINFO = 1 << 20;

/** Archives up to this size are received, and unpacked, in one piece. */
const MAX_WHOLE = 1 << 20;

/** Descriptions kept in memory between the question and the transfer. */
const MAX_RECENT = 10_000;

/** How often a transfer that made progress is taken up again where it broke. */
const RESUMPTIONS = 5;

const FORMATS: Readonly<Record<string, CompressionFormat>> = { none: "none", "": "none", gzip: "gzip", xz: "xz", zstd: "zstd", br: "brotli", bzip2: "bzip2" };
const EXTENSIONS: Readonly<Record<Compression, string>> = { zstd: ".zst", gzip: ".gz", br: ".br", none: "" };

/**
 * A binary cache: descriptions (`HASH.narinfo`) and archives (`nar/…`) in Nix's layout. It trusts nothing that it
 * reads; who takes a path from it checks signatures (`trust.ts`) and contents (`addNarToStore`).
 */
export class BinaryCache implements Store {
  readonly takesAhead = true;
  readonly storeDir: string;
  readonly url: CacheUrl;
  readonly #transport: CacheTransport;
  readonly #lookups: LookupCache | undefined;
  /** Described a moment ago, for who takes the archive next. */
  readonly #recent = new Map<StorePath, NarInfo>();
  #info: Promise<CacheInfo | undefined> | undefined;
  #keys: Promise<readonly SecretKey[]> | undefined;

  constructor({ transport, url, storeDir = DEFAULT_STORE_DIR, lookups }: BinaryCacheOptions) {
    this.#transport = transport;
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
    if (info === undefined) throw new TsosError({ code: "cache.not-a-cache", message: `"${this.name}" is not a binary cache: it has no "nix-cache-info"`, hint: "check its address", data: { url: this.name } });
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
    const info = text === undefined ? undefined : this.#parse(text, path);
    if (known === undefined) this.#lookups?.rememberNarInfo(this.name, hashPart, text);
    return info;
  }

  #parse(text: string, path: StorePath): NarInfo {
    const wrong = (problem: string, cause?: unknown): TsosError =>
      new TsosError({ code: "cache.malformed", message: `what the cache "${this.name}" says of "${formatStorePath(path, this.storeDir)}" ${problem}`, data: { url: this.name, path }, ...(cause === undefined ? {} : { cause }) });
    let info: NarInfo;
    try {
      info = parseNarInfo(text, this.storeDir);
    } catch (error) {
      throw wrong(`is broken: ${error instanceof Error ? error.message : String(error)}`, error);
    }
    if (info.path !== path) throw wrong(`is about "${formatStorePath(info.path, this.storeDir)}"`);
    // Relative, and never out of the cache.
    if (info.url === "" || info.url.includes("\\") || /^[a-z][a-z0-9+.-]*:|^\//i.test(info.url) || info.url.split("/").some((part) => part === ".." || part === "." || part === "")) {
      throw wrong(`names the archive "${info.url}", which may be another server's file`);
    }
    if (FORMATS[info.compression] === undefined) throw wrong(`has the unknown compression "${info.compression}"`);
    return info;
  }

  /** The archive that `info` describes, unpacked; a broken transfer goes on where it broke. */
  async *readArchive(info: NarInfo, options: { readonly signal?: AbortSignal | undefined; readonly progress?: ((done: number, total: number) => void) | undefined } = {}): AsyncIterable<Uint8Array> {
    if (info.fileSize !== undefined && info.fileSize <= MAX_WHOLE && info.narSize <= MAX_WHOLE) {
      const nar = await this.#readSmall(info, options);
      if (nar !== undefined) {
        yield nar;
        return;
      }
    }
    let size = 0;
    for await (const chunk of decompress(FORMATS[info.compression]!, this.#readPacked(info, options))) {
      size += chunk.length;
      // What is longer than it says would otherwise be unpacked to its end before its hash is known to be wrong.
      if (size > info.narSize) throw new TsosError({ code: "cache.malformed", message: `the archive "${info.url}" of the cache "${this.name}" is longer than the ${info.narSize} bytes that its description says` });
      yield chunk;
    }
  }

  /** A small archive as one chunk; undefined where it has to be read as a stream. */
  async #readSmall(info: NarInfo, { signal, progress }: { readonly signal?: AbortSignal | undefined; readonly progress?: ((done: number, total: number) => void) | undefined }): Promise<Uint8Array | undefined> {
    const format = FORMATS[info.compression]!;
    if (format === "xz" || format === "bzip2") return undefined;
    let packed: Uint8Array | undefined;
    try {
      packed = await this.#transport.readWhole(info.url, { signal, limit: info.fileSize! });
    } catch (error) {
      // A stream is resumed, and cut where it is longer than it says.
      if (error instanceof TsosError && ["fetch.too-long", "cache.broken-transfer"].includes(error.code)) return undefined;
      throw error;
    }
    if (packed === undefined) throw this.#missingArchive(info);
    progress?.(packed.length, info.fileSize!);
    return decompressWhole(format, packed, info.narSize);
  }

  async *#readPacked(info: NarInfo, { signal, progress }: { readonly signal?: AbortSignal | undefined; readonly progress?: ((done: number, total: number) => void) | undefined }): AsyncIterable<Uint8Array> {
    let done = 0;
    for (let resumptions = 0; ; ) {
      const before = done;
      const file = await this.#transport.read(info.url, { signal, offset: done });
      if (file === undefined) throw this.#missingArchive(info);
      try {
        for await (const chunk of file.body) {
          done += chunk.length;
          progress?.(done, info.fileSize ?? info.narSize);
          if (info.fileSize !== undefined && done > info.fileSize) break;
          yield chunk;
        }
        return;
      } catch (error) {
        if (signal?.aborted || done === before || ++resumptions > RESUMPTIONS) throw error;
      }
    }
  }

  #missingArchive({ url }: NarInfo): TsosError {
    return new TsosError({ code: "cache.missing-archive", message: `the cache "${this.name}" describes "${url}" and does not have it`, data: { url: this.name, archive: url } });
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

  async *narFromPath(path: StorePath): AsyncIterable<Uint8Array> {
    const info = this.#recent.get(path) ?? (await this.findNarInfo(path)) ?? this.#absent(path);
    this.#recent.delete(path);
    yield* this.readArchive(info);
  }

  /** Adds an archive and its description, signed with the keys of the cache's URL. What is there stays. */
  async addNarToStore(info: NewPathInfo, nar: AsyncIterable<Uint8Array>, options: AddOptions = {}): Promise<ValidPathInfo> {
    const { signal, after, onReceived } = options;
    await this.#initialise(signal);
    const { compression, compressionLevel } = this.url;
    const folder = await mkdtemp(join(tmpdir(), "tsos-cache-"));
    try {
      const file = join(folder, randomBytes(8).toString("hex"));
      const narMeter = createMeter("sha256");
      const lister = this.url.writeListing ? createNarLister() : undefined;
      const listed = lister === undefined ? nar : passThroughReader(nar, lister.visitor);
      const fileMeter = createMeter("sha256");
      await pipeline(Readable.from(fileMeter.pass(compress(compression, narMeter.pass(listed), compressionLevel)), { objectMode: false }), createWriteStream(file), { ...(signal === undefined ? {} : { signal }) });
      const [narResult, fileResult] = [narMeter.result(), fileMeter.result()];
      if (!equalHashes(narResult.hash, info.narHash) || narResult.size !== info.narSize) {
        throw new TsosError({
          code: "store.hash-mismatch",
          message: `the contents of "${formatStorePath(info.path, this.storeDir)}" are not what was promised: ${formatHash(info.narHash, "sri")}, got ${formatHash(narResult.hash, "sri")}`,
          data: { path: info.path },
        });
      }
      const url = `nar/${formatHash(fileResult.hash, "nix32", false)}.nar${EXTENSIONS[compression]}`;
      if (!(await this.#transport.exists(url, signal))) await this.#transport.write(url, { file, size: fileResult.size }, { contentType: "application/x-nix-nar", signal });
      if (lister !== undefined) await this.#writeListing(info.path, lister.result(), signal);
      const described: NarInfo = {
        path: info.path,
        url,
        compression,
        fileHash: fileResult.hash,
        fileSize: fileResult.size,
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
      return pathInfoOf(signed);
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

async function* passThroughReader(source: AsyncIterable<Uint8Array>, visitor: NarVisitor): AsyncIterable<Uint8Array> {
  const reader = new NarReader(visitor);
  for await (const chunk of source) {
    reader.write(chunk);
    yield chunk;
  }
  reader.end();
}

/** Nix: libstore/binary-cache-store.cc, makeRealisationPath. */
function realisationPath(id: OutputId): string {
  return `realisations/${formatOutputId(id)}.doi`;
}

/** What a description says, as a store keeps it. */
export function pathInfoOf(info: NarInfo): ValidPathInfo {
  return {
    path: info.path,
    narHash: info.narHash,
    narSize: info.narSize,
    references: info.references,
    deriver: info.deriver,
    registrationTime: 0,
    signatures: info.signatures.map(formatSignature),
    contentAddress: info.contentAddress,
    ultimate: false,
  };
}
