import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { decodeNix32, encodeNix32, isNix32, nix32Length } from "../../../core/hash/nix32.ts";

test("writes the last bits first", () => {
  assert.equal(encodeNix32(new Uint8Array(0)), "");
  assert.equal(encodeNix32(new Uint8Array([0x1f])), "0z");
  assert.equal(encodeNix32(new Uint8Array([1, 0])), "0001");
});

test("reads back what it writes, of each length", () => {
  for (let size = 0; size <= 64; size++) {
    const bytes = new Uint8Array(randomBytes(size));
    const text = encodeNix32(bytes);
    assert.equal(text.length, nix32Length(size));
    assert.deepEqual(decodeNix32(text), bytes);
  }
});

test("names a character that is not in the alphabet, and its place", () => {
  assert.throws(() => decodeNix32("0e"), { code: "hash.bad-nix32", message: /"e" at 1/ });
  assert.throws(() => decodeNix32("0ü"), { code: "hash.bad-nix32" });
  assert.equal(isNix32("abc"), true);
  assert.equal(isNix32("abu"), false);
});

test("rejects bits that no byte has, and lengths that fit no bytes", () => {
  assert.throws(() => decodeNix32("zz"), { code: "hash.bad-nix32", message: /more than 1 bytes/ });
  assert.throws(() => decodeNix32("0"), { code: "hash.bad-nix32", message: /no whole number of bytes/ });
});
