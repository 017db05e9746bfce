import assert from "node:assert/strict";
import { test } from "node:test";
import { compressHash } from "../../../core/hash/compress-hash.ts";
import * as noble from "../../../core/hash/engine-noble.ts";
import * as native from "../../../core/hash/engine-node.ts";
import { HASH_ALGORITHMS } from "../../../core/hash/hash-algorithm.ts";
import { equalHashes, formatHash, hashByteString, hashBytes, parseHash, parseSriHash } from "../../../core/hash/hash.ts";
import { encodeUtf8 } from "../../../core/util/bytes.ts";

const ABC = hashBytes("sha256", encodeUtf8("abc"));

test("writes each form", () => {
  assert.equal(formatHash(ABC, "base16"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  assert.equal(formatHash(ABC, "nix32", true), "sha256:1b8m03r63zqhnjf7l5wnldhh7c134ap5vpj0850ymkq1iyzicy5s");
  assert.equal(formatHash(ABC, "base64"), "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=");
  assert.equal(formatHash(ABC, "sri"), "sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=");
});

test("reads each form of each algorithm", () => {
  for (const algorithm of HASH_ALGORITHMS) {
    const hash = hashBytes(algorithm, encodeUtf8("x"));
    for (const format of ["base16", "nix32", "base64", "sri"] as const) {
      assert.ok(equalHashes(parseHash(formatHash(hash, format, true)), hash));
      assert.ok(equalHashes(parseHash(formatHash(hash, format), algorithm), hash));
    }
  }
});

test("both engines give the same digests, at once and in parts", () => {
  const bytes = Uint8Array.from({ length: 1000 }, (_, i) => (i * 7) & 0xff);
  const text = String.fromCharCode(...bytes);
  for (const algorithm of HASH_ALGORITHMS) {
    const expected = native.digestBytes(algorithm, bytes);
    for (const engine of [native, noble]) {
      assert.deepEqual(engine.digestBytes(algorithm, bytes), expected);
      assert.deepEqual(engine.digestByteString(algorithm, text), expected);
      const hasher = engine.createEngineHasher(algorithm);
      hasher.update(bytes.subarray(0, 333));
      hasher.update(bytes.subarray(333));
      assert.deepEqual(hasher.digest(), expected);
    }
  }
});

test("hashes a byte string as its bytes", () => {
  assert.deepEqual(hashByteString("sha256", "\u00ff\u0000"), hashBytes("sha256", new Uint8Array([255, 0])));
});

test("says what is wrong with a hash", () => {
  assert.throws(() => parseHash("abc"), { code: "hash.no-algorithm" });
  assert.throws(() => parseHash("sha265-abc"), { code: "hash.unknown-algorithm", hint: "did you mean sha256?" });
  assert.throws(() => parseHash("sha256:abc"), { code: "hash.wrong-length", hint: /64 of base-16, 52 of Nix base-32 or 44 of base-64/ });
  assert.throws(() => parseHash(formatHash(ABC, "sri"), "sha512"), { code: "hash.wrong-algorithm" });
  assert.throws(() => parseHash(`sha256:${"g".repeat(64)}`), { code: "hash.bad-base16", message: /"g" at 0/ });
  assert.throws(() => parseHash(`sha256-${"*".repeat(44)}`), { code: "hash.bad-base64" });
  assert.throws(() => parseSriHash(formatHash(ABC, "nix32", true)), { code: "hash.not-sri" });
  assert.throws(() => parseSriHash("sha256-AAAA"), { code: "hash.wrong-length" });
});

test("folds a digest by exclusive or", () => {
  assert.deepEqual(compressHash(new Uint8Array([1, 2, 4, 8, 16]), 2), new Uint8Array([1 ^ 4 ^ 16, 2 ^ 8]));
});
