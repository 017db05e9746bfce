import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { TsosError } from "../error/tsos-error.ts";
import type { CompressionFormat } from "./decompress.ts";
import { findNativeZstd } from "./native-zstd.ts";

/**
 * The decompressed bytes of a small file that is in memory, at once: streams cost more than so few bytes.
 *
 * @returns undefined for a format that is only read as a stream
 * @throws TsosError `compression.invalid`, also for more than `limit` bytes
 */
export async function decompressWhole(format: CompressionFormat, bytes: Uint8Array, limit: number): Promise<Uint8Array | undefined> {
  try {
    switch (format) {
      case "none":
        return bytes;
      case "gzip":
        return gunzipSync(bytes, { maxOutputLength: limit, chunkSize: chunkSizeFor(limit) });
      case "brotli":
        return brotliDecompressSync(bytes, { maxOutputLength: limit, chunkSize: chunkSizeFor(limit) });
      case "zstd":
        return findNativeZstd()?.zstdDecompressSync(bytes, { maxOutputLength: limit, chunkSize: chunkSizeFor(limit) }) ?? (await import("./read-zstd.ts")).decompressZstd(bytes, limit);
      default:
        return undefined;
    }
  } catch (cause) {
    if (cause instanceof TsosError) throw cause;
    throw new TsosError({ code: "compression.invalid", message: `the ${format} data cannot be decompressed: ${cause instanceof Error ? cause.message : String(cause)}`, cause });
  }
}

/** One chunk where that is possible: the output is made in pieces of this size. */
function chunkSizeFor(limit: number): number {
  return Math.max(1024, Math.min(limit, 1 << 20));
}
