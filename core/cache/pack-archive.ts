import { createWriteStream } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { compress, type Compression } from "../compression/compress.ts";
import { TsosError } from "../error/tsos-error.ts";
import { equalHashes, formatHash, type Hash } from "../hash/hash.ts";
import { createMeter } from "../hash/meter.ts";
import { createNarLister, type NarListing } from "../nar/nar-listing.ts";
import { NarReader } from "../nar/nar-reader.ts";
import type { NarVisitor } from "../nar/nar-visitor.ts";
import type { NewPathInfo } from "../store/path-info.ts";
import { formatStorePath } from "../store-path/store-path.ts";

export type PackOptions = {
  /** Where it is written. */
  readonly file: string;
  readonly compression: Compression;
  readonly compressionLevel?: number | undefined;
  /** Whether it is noted what is in the archive. */
  readonly writeListing: boolean;
  /** For messages. */
  readonly storeDir: string;
  readonly signal?: AbortSignal | undefined;
};

/** `size`: in bytes, of the file, as `hash`. */
export type PackedArchive = { readonly file: string; readonly hash: Hash; readonly size: number; readonly listing: NarListing | undefined };

/** What the name of a packed archive ends in. */
export const ARCHIVE_EXTENSIONS: Readonly<Record<Compression, string>> = { zstd: ".zst", xz: ".xz", gzip: ".gz", br: ".br", none: "" };

/**
 * Packs the archive of a path as a cache keeps it.
 *
 * @throws TsosError `store.hash-mismatch` when it is not the one that `info` promises
 */
export async function packArchive(info: NewPathInfo, nar: AsyncIterable<Uint8Array>, { file, compression, compressionLevel, writeListing, storeDir, signal }: PackOptions): Promise<PackedArchive> {
  const narMeter = createMeter("sha256");
  const lister = writeListing ? createNarLister() : undefined;
  const listed = lister === undefined ? nar : passThroughReader(nar, lister.visitor);
  const fileMeter = createMeter("sha256");
  const packed = Readable.from(fileMeter.pass(compress(compression, narMeter.pass(listed), compressionLevel)), { objectMode: false });
  await pipeline(packed, createWriteStream(file), signal === undefined ? {} : { signal });
  const { hash, size } = narMeter.result();
  if (!equalHashes(hash, info.narHash) || size !== info.narSize) {
    throw new TsosError({
      code: "store.hash-mismatch",
      message: `the contents of "${formatStorePath(info.path, storeDir)}" are not what was promised: ${formatHash(info.narHash, "sri")}, got ${formatHash(hash, "sri")}`,
      data: { path: info.path },
    });
  }
  return { file, ...fileMeter.result(), listing: lister?.result() };
}

async function* passThroughReader(source: AsyncIterable<Uint8Array>, visitor: NarVisitor): AsyncIterable<Uint8Array> {
  const reader = new NarReader(visitor);
  for await (const chunk of source) {
    reader.write(chunk);
    yield chunk;
  }
  reader.end();
}
