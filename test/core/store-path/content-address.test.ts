import assert from "node:assert/strict";
import { test } from "node:test";
import { hashBytes } from "../../../core/hash/hash.ts";
import {
  contentAddressFromJson,
  contentAddressToJson,
  formatContentAddress,
  formatMethodAndAlgorithm,
  parseContentAddress,
  parseContentAddressMethod,
  parseMethodAndAlgorithm,
  type ContentAddress,
} from "../../../core/store-path/content-address.ts";

const EMPTY = new Uint8Array(0);
const CASES: readonly (readonly [ContentAddress, string])[] = [
  [{ method: "flat", hash: hashBytes("md5", EMPTY) }, "fixed:md5:3y8bwfr609h3lh9ch0izcqq7fl"],
  [{ method: "nar", hash: hashBytes("sha256", EMPTY) }, "fixed:r:sha256:0mdqa9w1p6cmli6976v4wi0sw9r4p5prkj7lzfd1877wk11c9c73"],
  [{ method: "text", hash: hashBytes("sha256", EMPTY) }, "text:sha256:0mdqa9w1p6cmli6976v4wi0sw9r4p5prkj7lzfd1877wk11c9c73"],
  [{ method: "git", hash: hashBytes("sha1", EMPTY) }, "fixed:git:sha1:143xibwh31h9bvxzalr0sjvbbvpa6ffs"],
];

test("reads and writes each kind", () => {
  for (const [value, text] of CASES) {
    assert.equal(formatContentAddress(value), text);
    assert.deepEqual(parseContentAddress(text), value);
    assert.deepEqual(contentAddressFromJson(contentAddressToJson(value)), value);
    const field = formatMethodAndAlgorithm(value.method, value.hash.algorithm);
    assert.deepEqual(parseMethodAndAlgorithm(field), { method: value.method, algorithm: value.hash.algorithm });
  }
});

test("rejects what is none", () => {
  assert.throws(() => parseContentAddress("sha256:abc"), { code: "content-address.malformed" });
  assert.throws(() => parseContentAddress("fixed:r:sha256"), { code: "content-address.malformed" });
  assert.throws(() => parseContentAddress("text:sha1:143xibwh31h9bvxzalr0sjvbbvpa6ffs"), { code: "content-address.wrong-algorithm" });
  assert.throws(() => parseContentAddress("fixed:x:sha256:abc"), { code: "hash.unknown-algorithm" });
});

test("knows the older name of nar", () => {
  assert.equal(parseContentAddressMethod("recursive"), "nar");
  assert.throws(() => parseContentAddressMethod("recursiv"), { code: "content-address.unknown-method", hint: "did you mean recursive?" });
});
