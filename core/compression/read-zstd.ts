import { Decompress } from "fzstd";
import { TsosError } from "../error/tsos-error.ts";
import { concatBytes } from "../util/bytes.ts";

/**
 * How much is decompressed at once. The decoder gives all that its input makes before it returns, and a block of
 * four bytes may stand for 128 KiB: what is kept stays below 32 MiB however hostile the input is.
 */
const PIECE = 1024;

/** The bytes of a zstd stream. */
export async function* readZstd(source: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  let ready: Uint8Array[] = [];
  const stream = new Decompress((data) => ready.push(data));
  for await (const chunk of source) {
    for (let at = 0; at < chunk.length; at += PIECE) {
      stream.push(chunk.subarray(at, at + PIECE));
      yield* ready;
      ready = [];
    }
  }
  stream.push(new Uint8Array(0), true);
  yield* ready;
}

/** The same of bytes in memory. @throws TsosError `compression.invalid` where they become more than `limit` */
export function decompressZstd(bytes: Uint8Array, limit: number): Uint8Array {
  const chunks: Uint8Array[] = [];
  let size = 0;
  const stream = new Decompress((data) => {
    chunks.push(data);
    size += data.length;
  });
  for (let at = 0; at < bytes.length && size <= limit; at += PIECE) stream.push(bytes.subarray(at, at + PIECE));
  if (size > limit) throw new TsosError({ code: "compression.invalid", message: `the zstd data become more than ${limit} bytes` });
  stream.push(new Uint8Array(0), true);
  return chunks.length === 1 ? chunks[0]! : concatBytes(chunks);
}
