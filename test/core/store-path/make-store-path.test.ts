import assert from "node:assert/strict";
import { test } from "node:test";
import { formatHash, hashBytes, parseHash } from "../../../core/hash/hash.ts";
import { makeFixedOutputPath, makeOutputPath, makeTextPath } from "../../../core/store-path/make-store-path.ts";
import { parseStorePathBaseName } from "../../../core/store-path/store-path.ts";
import { encodeUtf8 } from "../../../core/util/bytes.ts";

// The expected paths were made with the reference implementation.
const HASH = hashBytes("sha256", encodeUtf8("abc"));
const DIGITS = formatHash(HASH, "base16");
const REFERENCES = ["g1w7hy3qg1w7hy3qg1w7hy3qg1w7hy3q-bar", "c015dhfh5l0lp6wxyvdn7bmwhbbr6hr9-foo"].map((path) => parseStorePathBaseName(path));

test("makes the paths of fixed outputs", () => {
  assert.equal(makeFixedOutputPath({ name: "x", method: "flat", hash: HASH }), "wg5dqh07jh5lgg9nvzq5skm9i3qkhl00-x");
  assert.equal(makeFixedOutputPath({ name: "x", method: "nar", hash: HASH }), "pc9cg5mrl4hpb00d4mb64abffprgs1rh-x");
  assert.equal(makeFixedOutputPath({ name: "x", method: "nar", hash: hashBytes("sha1", encodeUtf8("abc")) }), "mxm5h60qjq2b5z19bkj9phyyc3zkaxgs-x");
});

test("makes the paths of texts", () => {
  assert.equal(makeTextPath({ name: "x", contents: "abc" }), "vylz2d5mzcgx8z67q4xi43zhzf5zrld5-x");
  assert.equal(makeTextPath({ name: "x", contents: encodeUtf8("abc") }), "vylz2d5mzcgx8z67q4xi43zhzf5zrld5-x");
  assert.equal(makeFixedOutputPath({ name: "x", method: "text", hash: HASH }), "vylz2d5mzcgx8z67q4xi43zhzf5zrld5-x");
});

test("does not mind the order of references, nor that one stands twice", () => {
  const once = makeTextPath({ name: "x", contents: "abc", references: REFERENCES });
  assert.equal(makeTextPath({ name: "x", contents: "abc", references: [...REFERENCES].reverse().concat(REFERENCES) }), once);
  assert.notEqual(once, makeTextPath({ name: "x", contents: "abc" }));
  const source = { name: "x", method: "nar", hash: HASH } as const;
  const self = makeFixedOutputPath({ ...source, references: { others: REFERENCES, self: true } });
  assert.notEqual(self, makeFixedOutputPath({ ...source, references: { others: REFERENCES, self: false } }));
});

test("names the output in an output's path", () => {
  const out = makeOutputPath({ derivationHash: DIGITS, outputName: "out", name: "hello" });
  const dev = makeOutputPath({ derivationHash: DIGITS, outputName: "dev", name: "hello" });
  assert.match(out, /^.{32}-hello$/);
  assert.match(dev, /^.{32}-hello-dev$/);
  assert.notEqual(out.slice(0, 32), dev.slice(0, 32));
});

test("depends on the store's folder", () => {
  assert.notEqual(makeTextPath({ name: "x", contents: "abc", storeDir: "/other" }), makeTextPath({ name: "x", contents: "abc" }));
});

test("rejects references where there can be none, and algorithms that do not go with a method", () => {
  const references = { others: REFERENCES, self: false };
  assert.throws(() => makeFixedOutputPath({ name: "x", method: "flat", hash: HASH, references }), { code: "store-path.references-not-allowed" });
  assert.throws(() => makeFixedOutputPath({ name: "x", method: "text", hash: HASH, references: { others: [], self: true } }), {
    code: "store-path.references-not-allowed",
  });
  assert.throws(() => makeFixedOutputPath({ name: "x", method: "text", hash: hashBytes("sha1", new Uint8Array()) }), {
    code: "content-address.wrong-algorithm",
  });
  assert.throws(() => makeFixedOutputPath({ name: "x", method: "git", hash: parseHash("1B2M2Y8AsgTpgAmY7PhCfg==", "md5") }), {
    code: "content-address.wrong-algorithm",
  });
});
