import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { createReferenceScanner, rewriteHashParts } from "../../../core/store/reference-scanner.ts";
import { parseStorePathBaseName } from "../../../core/store-path/store-path.ts";

const a = parseStorePathBaseName("0123456789abcdfghijklmnpqrsvwxyz-a");
const b = parseStorePathBaseName("zyxwvsrqpnmlkjihgfdcba9876543210-b");
const c = parseStorePathBaseName("11111111111111111111111111111111-c");

function found(text: string, sizes: readonly number[], candidates = [a, b, c]): string[] {
  const scanner = createReferenceScanner(candidates);
  const bytes = Buffer.from(text, "latin1");
  for (let at = 0, n = 0; at < bytes.length; n++) {
    const size = sizes[n % sizes.length]!;
    scanner.update(bytes.subarray(at, at + size));
    at += size;
  }
  return [...scanner.found()].sort();
}

test("finds hash parts wherever they stand and in whatever chunks they come", () => {
  const text = `\0#!/nix/store/${a}/bin/sh e${"o".repeat(40)}${b.slice(0, 32)}x11${c.slice(0, 32)}`;
  for (const sizes of [[1], [2, 3], [7], [31], [32], [33], [5, 64, 1], [text.length]]) assert.deepEqual(found(text, sizes), [a, c, b].sort(), `chunks of ${sizes}`);
});

test("finds a hash part inside of a longer run of base-32 characters", () => {
  assert.deepEqual(found(`0000${a.slice(0, 32)}0000`, [1000]), [a]);
  assert.deepEqual(found(`0000${a.slice(0, 32)}0000`, [13]), [a]);
});

test("does not find a hash part that is cut or changed", () => {
  assert.deepEqual(found(a.slice(0, 31), [1000]), []);
  assert.deepEqual(found(`${a.slice(0, 16)}-${a.slice(16, 32)}`, [1000]), []);
  assert.deepEqual(found(`${a.slice(0, 31)}y`, [1000]), []);
});

test("agrees with a plain search on random bytes", () => {
  for (let round = 0; round < 50; round++) {
    const noise = randomBytes(2000).toString("latin1");
    const at = Math.floor(Math.random() * 2000);
    const text = noise.slice(0, at) + b.slice(0, 32) + noise.slice(at);
    assert.deepEqual(found(text, [1 + Math.floor(Math.random() * 300)]), [b]);
  }
});

test("rewrites hash parts across chunk borders and tells where they stood", async () => {
  const text = `x/${a}/y/${a}/${b}`;
  const from = a.slice(0, 32);
  const to = c.slice(0, 32);
  for (const size of [1, 5, 31, 32, 33, 1000]) {
    const positions: number[] = [];
    const chunks = async function* (): AsyncIterable<Uint8Array> {
      for (let at = 0; at < text.length; at += size) yield Buffer.from(text.slice(at, at + size));
    };
    const parts: Uint8Array[] = [];
    for await (const part of rewriteHashParts(chunks(), new Map([[from, to]]), (position) => positions.push(position))) parts.push(Buffer.from(part));
    assert.equal(Buffer.concat(parts).toString(), text.replaceAll(from, to));
    assert.deepEqual(positions, [2, text.indexOf(from, 3)]);
  }
});
