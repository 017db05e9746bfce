import { decompress } from "../compression/decompress.ts";
import { decompressWhole } from "../compression/decompress-whole.ts";
import { TsosError } from "../error/tsos-error.ts";
import type { NarInfo } from "../narinfo/narinfo.ts";
import type { NarSource } from "../store/store.ts";
import type { CacheTransport } from "./cache-transport.ts";
import { ARCHIVE_FORMATS } from "./parse-cached-narinfo.ts";

export type ReadArchiveOptions = {
  readonly signal?: AbortSignal | undefined;
  /** Told of packed bytes. */
  readonly progress?: ((done: number, total: number) => void) | undefined;
};

/** Archives up to this size are received, and unpacked, in one piece. */
const MAX_WHOLE = 1 << 20;

/** How often a transfer that made progress is taken up again where it broke. */
const RESUMPTIONS = 5;

/** The archives of a binary cache, as its descriptions name them. */
export class CacheArchives {
  readonly #transport: CacheTransport;

  constructor(transport: CacheTransport) {
    this.#transport = transport;
  }

  /** The archive that `info` describes, unpacked; a broken transfer goes on where it broke. */
  read(info: NarInfo, options: ReadArchiveOptions = {}): NarSource {
    return { whole: () => this.#readSmall(info, options), [Symbol.asyncIterator]: () => this.#readAny(info, options) };
  }

  async *#readAny(info: NarInfo, options: ReadArchiveOptions): AsyncGenerator<Uint8Array> {
    const nar = await this.#readSmall(info, options);
    if (nar === undefined) yield* this.#stream(info, options);
    else yield nar;
  }

  async *#stream(info: NarInfo, options: ReadArchiveOptions): AsyncGenerator<Uint8Array> {
    let size = 0;
    for await (const chunk of decompress(ARCHIVE_FORMATS[info.compression]!, this.#readPacked(info, options))) {
      size += chunk.length;
      // What is longer than it says would otherwise be unpacked to its end before its hash is known to be wrong.
      if (size > info.narSize) throw new TsosError({ code: "cache.malformed", message: `the archive "${info.url}" of the cache "${this.#transport.url}" is longer than the ${info.narSize} bytes that its description says` });
      yield chunk;
    }
  }

  /** A small archive as one chunk; undefined where it has to be read as a stream. */
  async #readSmall(info: NarInfo, { signal, progress }: ReadArchiveOptions): Promise<Uint8Array | undefined> {
    if (info.fileSize === undefined || info.fileSize > MAX_WHOLE || info.narSize > MAX_WHOLE) return undefined;
    const format = ARCHIVE_FORMATS[info.compression]!;
    if (format === "xz" || format === "bzip2") return undefined;
    let packed: Uint8Array | undefined;
    try {
      packed = await this.#transport.readWhole(info.url, { signal, limit: info.fileSize });
    } catch (error) {
      // A stream is resumed, and cut where it is longer than it says.
      if (error instanceof TsosError && ["fetch.too-long", "cache.broken-transfer"].includes(error.code)) return undefined;
      throw error;
    }
    if (packed === undefined) throw this.#missingArchive(info);
    progress?.(packed.length, info.fileSize);
    return decompressWhole(format, packed, info.narSize);
  }

  async *#readPacked(info: NarInfo, { signal, progress }: ReadArchiveOptions): AsyncIterable<Uint8Array> {
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
    return new TsosError({ code: "cache.missing-archive", message: `the cache "${this.#transport.url}" describes "${url}" and does not have it`, data: { url: this.#transport.url, archive: url } });
  }
}
