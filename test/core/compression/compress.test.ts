import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
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

test("xz is what the xz program writes, and an unknown level is refused", async (t) => {
  const bytes = Buffer.concat([Buffer.alloc(300_000, "some text "), randomBytes(5000)]);
  await assert.rejects(readAll(compress("xz", inPieces(bytes, 1000), 9)), { code: "compression.bad-level" });
  // After a failed one, too.
  const packed = await readAll(compress("xz", inPieces(bytes, 1000), 3));
  const { status, stdout } = spawnSync("xz", ["-3", "--threads=1", "--check=crc64", "--stdout"], { input: bytes });
  if (status !== 0) return t.skip("there is no xz program");
  assert.equal(Buffer.compare(packed, stdout), 0);
});
