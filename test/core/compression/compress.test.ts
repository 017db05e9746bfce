import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { COMPRESSIONS, compress } from "../../../core/compression/compress.ts";
import { decompress } from "../../../core/compression/decompress.ts";
import { concatBytes } from "../../../core/util/bytes.ts";

async function* inPieces(bytes: Uint8Array, size: number): AsyncIterable<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function readAll(source: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const chunk of source) parts.push(chunk.slice());
  return concatBytes(parts);
}

for (const format of COMPRESSIONS) {
  test(`what ${format} writes reads back, empty, small and of several frames`, async () => {
    for (const bytes of [new Uint8Array(0), Buffer.from("hello"), Buffer.concat([randomBytes(1000), Buffer.alloc(9_000_000, "abc"), randomBytes(70_000)])]) {
      const packed = await readAll(compress(format, inPieces(bytes, 100_000)));
      const back = await readAll(decompress(format === "br" ? "brotli" : format, inPieces(packed, 65_536)));
      assert.ok(Buffer.compare(bytes, back) === 0, `${bytes.length} bytes`);
      if (format !== "none" && bytes.length > 1e6) assert.ok(packed.length < bytes.length / 20);
    }
  });
}
