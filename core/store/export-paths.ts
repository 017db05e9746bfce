import { createReadStream } from "node:fs";
import { open, rm } from "node:fs/promises";
import { join } from "node:path";
import { TsosError } from "../error/tsos-error.ts";
import { equalHashes, formatHash } from "../hash/hash.ts";
import { createHasher } from "../hash/hasher.ts";
import { NarReader } from "../nar/nar-reader.ts";
import { formatStorePath, parseStorePath, type StorePath } from "../store-path/store-path.ts";
import { byteStringToBytes, bytesToByteString, type ByteString } from "../util/bytes.ts";
import { compareByteStrings } from "../util/ordering.ts";
import type { LocalStore } from "./store.ts";

/** Stands after each archive. Nix: libstore/export-import.cc. */
const MAGIC = 0x4558494e;

/** Longer than any honest path or the empty signature. */
const MAX_STRING = 1 << 16;
const MAX_REFERENCES = 1 << 20;

/**
 * The stream of `nix-store --export`: these paths (not what they need, unless it is named too), what is referred to
 * before who refers.
 *
 * @throws TsosError `store.invalid-path`; `store.hash-mismatch` for a path that is damaged, of which nothing may leave
 */
export async function* exportPaths(store: LocalStore, paths: Iterable<StorePath>, options: { readonly signal?: AbortSignal | undefined } = {}): AsyncIterable<Uint8Array> {
  const order = (await store.sortTopologically(paths)).toReversed();
  for (const path of order) {
    options.signal?.throwIfAborted();
    const info = await store.getPathInfo(path);
    yield word(1);
    const hasher = createHasher("sha256");
    for await (const chunk of store.narFromPath(path)) {
      hasher.update(chunk);
      yield chunk;
    }
    const hash = { algorithm: "sha256", digest: hasher.digest() } as const;
    if (!equalHashes(hash, info.narHash)) {
      const shown = formatStorePath(path, store.storeDir);
      throw new TsosError({
        code: "store.hash-mismatch",
        message: `the contents of "${shown}" have the hash "${formatHash(hash, "sri")}", expected "${formatHash(info.narHash, "sri")}"`,
        hint: `tsos store repair ${shown} puts it right`,
        data: { path: shown },
      });
    }
    yield word(MAGIC);
    yield text(formatStorePath(path, store.storeDir));
    yield word(info.references.length);
    for (const reference of info.references) yield text(formatStorePath(reference, store.storeDir));
    yield text(info.deriver === undefined ? "" : formatStorePath(info.deriver, store.storeDir));
    // No signature of the old kind.
    yield word(0);
  }
  yield word(0);
}

/**
 * Adds what such a stream holds. An archive comes before its path's name, so it waits in a file beside the store.
 * The stream names no hash: who reads it trusts whoever wrote it.
 *
 * @returns the paths, in the stream's order
 * @throws TsosError `store.bad-export`, `nar.*`; what was added before stays
 */
export async function importPaths(store: LocalStore, stream: AsyncIterable<Uint8Array>, options: { readonly signal?: AbortSignal | undefined } = {}): Promise<StorePath[]> {
  const reader = new StreamReader(stream);
  const added: StorePath[] = [];
  await using folder = await store.createTemporaryFolder();
  for (;;) {
    options.signal?.throwIfAborted();
    const more = await reader.word();
    if (more === 0) return added;
    if (more !== 1) throw bad(`it has ${more} where a path or the end must be`);
    const file = join(folder.path, String(added.length));
    const { digest, size } = await reader.spoolNar(file);
    if ((await reader.word()) !== MAGIC) throw bad("an archive is not followed by what is said of it");
    const path = parseStorePath(await reader.text(), store.storeDir);
    const references: StorePath[] = [];
    for (let left = await reader.word(MAX_REFERENCES); left > 0; left--) references.push(parseStorePath(await reader.text(), store.storeDir));
    const deriver = await reader.text();
    // A signature of the old kind, which nobody has checked since Nix 2.
    if ((await reader.word()) === 1) await reader.text();
    await store.addNarToStore(
      {
        path,
        narHash: { algorithm: "sha256", digest },
        narSize: size,
        references: [...new Set(references)].sort(compareByteStrings),
        ...(deriver === "" ? {} : { deriver: parseStorePath(deriver, store.storeDir) }),
      },
      readSpool(file),
      options,
    );
    await rm(file);
    added.push(path);
  }
}

/** Opened when it is first read: who never reads it leaves no stream behind that fails by itself. */
async function* readSpool(file: string): AsyncIterable<Uint8Array> {
  yield* createReadStream(file);
}

class StreamReader {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #chunk: Uint8Array = new Uint8Array(0);

  constructor(stream: AsyncIterable<Uint8Array>) {
    this.#chunks = stream[Symbol.asyncIterator]();
  }

  async #fill(): Promise<void> {
    while (this.#chunk.length === 0) {
      const next = await this.#chunks.next();
      if (next.done === true) throw bad("it ends too early");
      this.#chunk = next.value;
    }
  }

  async #bytes(length: number): Promise<Uint8Array> {
    const result = new Uint8Array(length);
    for (let at = 0; at < length; ) {
      await this.#fill();
      const part = this.#chunk.subarray(0, length - at);
      result.set(part, at);
      at += part.length;
      this.#chunk = this.#chunk.subarray(part.length);
    }
    return result;
  }

  async word(limit: number = MAGIC): Promise<number> {
    const bytes = await this.#bytes(8);
    const value = new DataView(bytes.buffer).getBigUint64(0, true);
    if (value > BigInt(limit)) throw bad(`it has the number ${value}, expected at most ${limit}`);
    return Number(value);
  }

  async text(): Promise<ByteString> {
    const length = await this.word(MAX_STRING);
    const bytes = await this.#bytes(length + ((8 - (length % 8)) % 8));
    if (bytes.subarray(length).some((byte) => byte !== 0)) throw bad("a text is not followed by zeros");
    return bytesToByteString(bytes.subarray(0, length));
  }

  /** Writes one archive, which says itself where it ends, to a file. */
  async spoolNar(file: string): Promise<{ readonly digest: Uint8Array; readonly size: number }> {
    const nar = new NarReader({});
    const hasher = createHasher("sha256");
    await using handle = await open(file, "wx", 0o600);
    do {
      await this.#fill();
      const used = nar.write(this.#chunk);
      const part = this.#chunk.subarray(0, used);
      hasher.update(part);
      await handle.writeFile(part);
      this.#chunk = this.#chunk.subarray(used);
    } while (!nar.done);
    return { digest: hasher.digest(), size: nar.offset };
  }
}

function word(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value), true);
  return bytes;
}

function text(value: ByteString): Uint8Array {
  const bytes = byteStringToBytes(value);
  const result = new Uint8Array(8 + bytes.length + ((8 - (bytes.length % 8)) % 8));
  result.set(word(bytes.length));
  result.set(bytes, 8);
  return result;
}

function bad(problem: string): TsosError {
  return new TsosError({ code: "store.bad-export", message: `this is no stream of exported paths: ${problem}`, hint: "tsos store export or nix-store --export makes one" });
}
