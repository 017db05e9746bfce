import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { TsosError } from "../../../../core/error/tsos-error.ts";
import { readerOf, written } from "./byte-streams.ts";

const isProtocolError = (error: unknown): boolean => error instanceof TsosError && (error.code === "daemon.protocol" || error.code === "daemon.connection-lost");

describe("a reader of the daemon protocol", () => {
  it("keeps no memory for a length that is only claimed", async () => {
    const before = process.memoryUsage().arrayBuffers;
    const bytes = await written((writer) => void writer.number(60 * 1024 * 1024));
    await assert.rejects(readerOf(bytes).bytes(), isProtocolError);
    assert.ok(process.memoryUsage().arrayBuffers - before < 1024 * 1024);
  });

  it("refuses a string above the budget, and strings that are above it together", async () => {
    await assert.rejects(readerOf(await written((writer) => void writer.number(2 ** 40))).bytes(), /larger than the 67108864 bytes/);
    const many = await written((writer) => void writer.strings(Array.from({ length: 100 }, () => "x".repeat(100))));
    await assert.rejects(readerOf(many, 64, 5000).strings(), /larger than the 5000 bytes/);
    const empty = await written((writer) => void writer.strings(Array.from({ length: 1000 }, () => "")));
    await assert.rejects(readerOf(empty, 64, 5000).strings(), /larger than the 5000 bytes/);
  });

  it("gives each request its budget anew", async () => {
    const bytes = await written((writer) => void writer.string("x".repeat(3000)).string("y".repeat(3000)));
    const reader = readerOf(bytes, 64, 5000);
    await reader.string();
    reader.renewBudget();
    assert.equal((await reader.string()).length, 3000);
  });

  it("refuses numbers that are not exact, padding that is not zero, and an end in the middle", async () => {
    await assert.rejects(readerOf(new Uint8Array(8).fill(0xff)).number(), isProtocolError);
    assert.equal(await readerOf(new Uint8Array(8).fill(0xff)).bigint(), 2n ** 64n - 1n);
    const padded = await written((writer) => void writer.string("abc"));
    padded[15] = 1;
    await assert.rejects(readerOf(padded).string(), /padding/);
    for (let end = 0; end < 16; end++) await assert.rejects(readerOf(padded.slice(0, end)).string(), isProtocolError);
  });

  it("reads frames up to the empty one, whatever pieces they come in", async () => {
    async function* chunks(): AsyncGenerator<Uint8Array> {
      yield Buffer.from("one ");
      yield Buffer.alloc(0);
      yield Buffer.alloc(100_000, "x");
    }
    const bytes = await written(async (writer) => {
      await writer.frames(chunks());
      writer.number(7);
    });
    for (const size of [1000, 13, bytes.length]) {
      const reader = readerOf(bytes, size);
      const parts: Uint8Array[] = [];
      for await (const part of reader.frames()) parts.push(part);
      assert.equal(Buffer.concat(parts).toString(), `one ${"x".repeat(100_000)}`);
      assert.equal(await reader.number(), 7);
    }
  });

  it("ends with an error, never otherwise, on random bytes", async () => {
    let seed = 1;
    const random = (): number => (seed = (seed * 1103515245 + 12345) & 0x7fffffff) / 0x7fffffff;
    for (let round = 0; round < 300; round++) {
      const bytes = Uint8Array.from({ length: Math.floor(random() * 300) }, () => (random() < 0.8 ? Math.floor(random() * 3) : Math.floor(random() * 256)));
      const reader = readerOf(bytes, 1 + Math.floor(random() * 40), 100_000);
      await assert.rejects(async () => {
        for (;;) await reader.map(() => reader.strings());
      }, isProtocolError);
    }
  });
});
