import assert from "node:assert/strict";
import { test } from "node:test";
import {
  formatStorePath,
  isDerivationPath,
  parseStorePath,
  parseStorePathBaseName,
  splitStorePath,
  storePathHash,
  storePathName,
} from "../../../core/store-path/store-path.ts";
import { checkStorePathName } from "../../../core/store-path/store-path-name.ts";

const BASE = "g1w7hy3qg1w7hy3qg1w7hy3qg1w7hy3q-foo.drv";

test("reads and writes a path", () => {
  const path = parseStorePath(`/nix/store/${BASE}`);
  assert.equal(path, BASE);
  assert.equal(formatStorePath(path), `/nix/store/${BASE}`);
  assert.equal(formatStorePath(parseStorePath(`/other/${BASE}`, "/other"), "/other"), `/other/${BASE}`);
  assert.equal(storePathHash(path), "g1w7hy3qg1w7hy3qg1w7hy3qg1w7hy3q");
  assert.equal(storePathName(path), "foo.drv");
  assert.equal(isDerivationPath(path), true);
  assert.deepEqual(splitStorePath(`/nix/store/${BASE}/a/b`), { path, rest: "/a/b" });
});

test("rejects what is no store path", () => {
  assert.throws(() => parseStorePath(`/nix/stores/${BASE}`), { code: "store-path.not-in-store" });
  assert.throws(() => parseStorePath(`/nix/store/${BASE}/bin`), { code: "store-path.bad-name" });
  assert.throws(() => parseStorePath("/nix/store/abc"), { code: "store-path.too-short" });
  assert.throws(() => parseStorePathBaseName(`${"e".repeat(32)}-foo`), { code: "store-path.bad-hash-part" });
  assert.throws(() => parseStorePathBaseName(`${"a".repeat(32)}_foo`), { code: "store-path.bad-hash-part" });
});

test("takes the names that Nix takes", () => {
  for (const name of ["a", ".a", "..a", "...", ".a-b", "a-.", "a.b_c?d=e+f", "-", "x".repeat(211)]) assert.equal(checkStorePathName(name), name);
  for (const name of ["", ".", "..", ".-a", "..-a", "a b", "a/b", "ä", "a\n", "a\0", "x".repeat(212)]) {
    assert.throws(() => checkStorePathName(name), { code: "store-path.bad-name" }, JSON.stringify(name));
  }
});
