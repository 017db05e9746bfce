import { createBrotliCompress, createGzip, constants } from "node:zlib";
import { Readable, type Transform } from "node:stream";
import { unreachable } from "../util/unreachable.ts";
import { compressXz } from "./compress-xz.ts";

/** What archives are written as; bzip2 is only read. */
export const COMPRESSIONS = ["zstd", "xz", "gzip", "br", "none"] as const;

export type Compression = (typeof COMPRESSIONS)[number];

/** Bytes that become one zstd frame. A file of several frames is a valid one, and this bounds the memory. */
const FRAME = 4 * 1024 * 1024;

/** The compressed bytes of `source`. `level`: as the format counts, its own default where undefined. */
export function compress(format: Compression, source: AsyncIterable<Uint8Array>, level?: number): AsyncIterable<Uint8Array> {
  switch (format) {
    case "none":
      return source;
    case "gzip":
      return through(source, createGzip(level === undefined ? {} : { level }));
    case "br":
      // Its own default is the slowest of all levels.
      return through(source, createBrotliCompress({ params: { [constants.BROTLI_PARAM_QUALITY]: level ?? 5 } }));
    case "zstd":
      return compressZstd(source, level);
    case "xz":
      return compressXz(source, level);
    default:
      return unreachable(format);
  }
}

async function* through(source: AsyncIterable<Uint8Array>, transform: Transform): AsyncIterable<Uint8Array> {
  const input = Readable.from(source, { objectMode: false });
  input.on("error", (error) => transform.destroy(error));
  try {
    for await (const chunk of input.pipe(transform)) yield chunk as Uint8Array;
  } finally {
    input.destroy();
    transform.destroy();
  }
}

async function* compressZstd(source: AsyncIterable<Uint8Array>, level: number | undefined): AsyncIterable<Uint8Array> {
  // Loaded with the first archive that is written: the program inside takes time to compile.
  const { Zstd } = await import("@hpcc-js/wasm-zstd");
  const zstd = await Zstd.load();
  const frame = new Uint8Array(FRAME);
  let length = 0;
  let frames = 0;
  for await (const chunk of source) {
    for (let at = 0; at < chunk.length; ) {
      const part = chunk.subarray(at, at + FRAME - length);
      frame.set(part, length);
      length += part.length;
      at += part.length;
      if (length < FRAME) continue;
      yield zstd.compress(frame, level);
      length = 0;
      frames++;
    }
  }
  if (length > 0 || frames === 0) yield zstd.compress(frame.subarray(0, length), level);
}
