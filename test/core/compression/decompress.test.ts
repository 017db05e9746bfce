import assert from "node:assert/strict";
import { test } from "node:test";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { decompress, detectCompression } from "../../../core/compression/decompress.ts";
import type { CompressionFormat } from "../../../core/compression/decompress.ts";
import { concatBytes, decodeUtf8, encodeUtf8 } from "../../../core/util/bytes.ts";

const XZ = Buffer.from("/Td6WFoAAATm1rRGAgAhARYAAAB0L+WjAQAHaGVsbG8geHoAho+bS0kI4KQAASAIuxnZux+2830BAAAAAARZWg==", "base64");
const BZIP2 = Buffer.from("QlpoOTFBWSZTWVVaRPcAAAIZgEAAEAASZMAQIAAiAGnqEAMF07Yhg8XckU4UJBVWkT3A", "base64");
const ZSTD = Buffer.from("KLUv/QRYUQAAaGVsbG8genN0ZM/bYJw=", "base64");

async function* inPieces(bytes: Uint8Array, size: number): AsyncIterable<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function readAll(format: CompressionFormat, bytes: Uint8Array, size = 3): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const chunk of decompress(format, inPieces(bytes, size))) parts.push(chunk.slice());
  return decodeUtf8(concatBytes(parts));
}

test("reads each format from pieces of any size", async () => {
  assert.equal(await readAll("none", encodeUtf8("hello")), "hello");
  assert.equal(await readAll("gzip", gzipSync("hello gzip")), "hello gzip");
  assert.equal(await readAll("brotli", brotliCompressSync("hello brotli")), "hello brotli");
  assert.equal(await readAll("xz", XZ), "hello xz");
  assert.equal(await readAll("zstd", ZSTD), "hello zstd");
  assert.equal(await readAll("bzip2", BZIP2), "hello bzip2");
});

test("reads a gzip stream of many megabytes", async () => {
  const text = "0123456789abcdef".repeat(500_000);
  assert.equal((await readAll("gzip", gzipSync(text), 65_536)).length, text.length);
});

test("tells the formats apart by their first bytes", () => {
  assert.equal(detectCompression(gzipSync("x")), "gzip");
  assert.equal(detectCompression(XZ), "xz");
  assert.equal(detectCompression(ZSTD), "zstd");
  assert.equal(detectCompression(BZIP2), "bzip2");
  assert.equal(detectCompression(encodeUtf8("plain text")), "none");
});

test("rejects data that end early or are broken", async () => {
  for (const [format, bytes] of [["gzip", gzipSync("hello")], ["xz", XZ], ["zstd", ZSTD], ["bzip2", BZIP2]] as const) {
    await assert.rejects(readAll(format, bytes.subarray(0, bytes.length - 5)), { code: "compression.invalid" }, `${format} cut short`);
  }
  await assert.rejects(readAll("xz", encodeUtf8("this is not xz at all")), { code: "compression.invalid" });
});

test("passes on an error of its source", async () => {
  async function* failing(): AsyncIterable<Uint8Array> {
    yield gzipSync("hello").subarray(0, 5);
    throw new Error("the disk is gone");
  }
  await assert.rejects(async () => {
    for await (const chunk of decompress("gzip", failing())) void chunk;
  }, /the disk is gone/);
});

test("a zstd stream of blocks that repeat a byte takes bounded memory", async () => {
  // A frame with a window of 2 MiB; blocks of four bytes that stand for 128 KiB each; an empty last block.
  const repeat = ((128 * 1024) << 3) | (1 << 1);
  const block = [repeat & 0xff, (repeat >> 8) & 0xff, (repeat >> 16) & 0xff, 0x41];
  const blocks = 8000;
  const bytes = Uint8Array.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58, ...Array.from({ length: blocks }, () => block).flat(), 1, 0, 0]);
  const before = process.memoryUsage().arrayBuffers;
  let [size, most] = [0, 0];
  for await (const chunk of decompress("zstd", inPieces(bytes, bytes.length))) {
    size += chunk.length;
    most = Math.max(most, process.memoryUsage().arrayBuffers - before);
  }
  assert.equal(size, blocks * 128 * 1024);
  assert.ok(most < 300e6, `${most} bytes`);
});
