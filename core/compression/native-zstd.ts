import * as zlib from "node:zlib";

type ZstdOptions = { readonly chunkSize: number; readonly maxOutputLength?: number };

/** What Node's zlib has for zstd from 22.15 on. */
export type NativeZstd = {
  createZstdDecompress(options: ZstdOptions): NodeJS.ReadWriteStream;
  zstdDecompressSync(bytes: Uint8Array, options: ZstdOptions): Uint8Array;
};

/** Undefined in a Node that has none. */
export function findNativeZstd(): NativeZstd | undefined {
  return "zstdDecompressSync" in zlib && "createZstdDecompress" in zlib ? (zlib as unknown as NativeZstd) : undefined;
}
