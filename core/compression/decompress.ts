import { Readable } from "node:stream";
import { createBrotliDecompress, createGunzip } from "node:zlib";
import { TsosError } from "../error/tsos-error.ts";
import { findNativeZstd } from "./native-zstd.ts";
import { unreachable } from "../util/unreachable.ts";

export type CompressionFormat = "none" | "gzip" | "xz" | "zstd" | "brotli" | "bzip2";

/**
 * The decompressed bytes of `source`. Memory stays bounded by the format's window.
 *
 * @throws TsosError `compression.invalid` when the data are broken or end too early.
 */
export function decompress(format: CompressionFormat, source: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  switch (format) {
    case "none":
      return source;
    case "gzip":
      return throughZlib(format, source, createGunzip({ chunkSize: CHUNK }));
    case "brotli":
      return throughZlib(format, source, createBrotliDecompress({ chunkSize: CHUNK }));
    case "xz":
      return decompressXz(source);
    case "zstd": {
      const native = findNativeZstd();
      return native === undefined ? decompressZstd(source) : throughZlib(format, source, native.createZstdDecompress({ chunkSize: CHUNK }));
    }
    case "bzip2":
      return decompressBzip2(source);
    default:
      return unreachable(format);
  }
}

/** The format that a file's first bytes (at least six) show; brotli has no such mark. */
export function detectCompression(start: Uint8Array): CompressionFormat {
  if (start[0] === 0x1f && start[1] === 0x8b) return "gzip";
  if (start[0] === 0xfd && start[1] === 0x37 && start[2] === 0x7a && start[3] === 0x58 && start[4] === 0x5a) return "xz";
  if (start[0] === 0x28 && start[1] === 0xb5 && start[2] === 0x2f && start[3] === 0xfd) return "zstd";
  if (start[0] === 0x42 && start[1] === 0x5a && start[2] === 0x68) return "bzip2";
  return "none";
}

const CHUNK = 64 * 1024;

async function* throughZlib(format: CompressionFormat, source: AsyncIterable<Uint8Array>, transform: NodeJS.ReadWriteStream): AsyncIterable<Uint8Array> {
  const input = Readable.from(source, { objectMode: false });
  // An error of the source must end the transform as well, or its reader waits for ever.
  input.on("error", (error) => transform.emit("error", error));
  try {
    for await (const chunk of input.pipe(transform)) yield toBytes(chunk);
  } catch (error) {
    throw invalid(format, error);
  } finally {
    input.destroy();
  }
}

// Loaded with the first stream of their kind, since each brings a decoder of its own along.
async function* decompressXz(source: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  const { readXz } = await import("./read-xz.ts");
  yield* guarded("xz", readXz(source));
}

async function* decompressZstd(source: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  const { readZstd } = await import("./read-zstd.ts");
  yield* guarded("zstd", readZstd(source));
}

async function* decompressBzip2(source: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  const { readBzip2 } = await import("./read-bzip2.ts");
  yield* guarded("bzip2", readBzip2(source));
}

async function* guarded(format: CompressionFormat, chunks: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  try {
    yield* chunks;
  } catch (error) {
    throw invalid(format, error);
  }
}

function toBytes(chunk: string | Uint8Array): Uint8Array {
  if (typeof chunk === "string") throw new TypeError("a decompressor gave text");
  return chunk;
}

function invalid(format: CompressionFormat, cause: unknown): unknown {
  if (cause instanceof TsosError) return cause;
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new TsosError({ code: "compression.invalid", message: `the ${format} data cannot be decompressed: ${reason}`, cause });
}
