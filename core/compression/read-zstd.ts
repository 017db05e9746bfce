import { Decompress } from "fzstd";

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
