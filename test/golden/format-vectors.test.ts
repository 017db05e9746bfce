import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { checkDerivation } from "../../core/derivation/check-derivation.ts";
import {
  derivationFromJson,
  derivationOutputFromJson,
  derivationOutputToJson,
  derivationToJson,
  type Json,
} from "../../core/derivation/derivation-json.ts";
import { derivationStorePath } from "../../core/derivation/derivation-store-path.ts";
import type { Derivation } from "../../core/derivation/derivation.ts";
import { fillOutputPaths } from "../../core/derivation/fill-output-paths.ts";
import { finishDerivation } from "../../core/derivation/finish-derivation.ts";
import { formatDerivation } from "../../core/derivation/format-derivation.ts";
import { hashDerivationModulo } from "../../core/derivation/hash-derivation-modulo.ts";
import { HashModuloCache } from "../../core/derivation/hash-modulo-cache.ts";
import { parseDerivation } from "../../core/derivation/parse-derivation.ts";
import { inputPlaceholder, outputPlaceholder } from "../../core/derivation/placeholder.ts";
import { TsosError } from "../../core/error/tsos-error.ts";
import { formatHash, hashBytes, parseHash, parseSriHash } from "../../core/hash/hash.ts";
import { gitObjectHash } from "../../core/nar/git-hash.ts";
import { listNar, narListingToJson } from "../../core/nar/nar-listing.ts";
import type { NarNode } from "../../core/nar/nar-node.ts";
import { readNar } from "../../core/nar/read-nar.ts";
import { writeNar } from "../../core/nar/write-nar.ts";
import { contentAddressFromJson, contentAddressToJson, formatContentAddress, parseContentAddress } from "../../core/store-path/content-address.ts";
import { makeContentAddressedPath } from "../../core/store-path/make-store-path.ts";
import { parseStorePathBaseName } from "../../core/store-path/store-path.ts";
import { encodeUtf8 } from "../../core/util/bytes.ts";
import { SKIP_GOLDEN } from "./golden-dir.ts";
import { getVector, getVectorJson, getVectorText, readVectors } from "./vectors.ts";

type Tree =
  | { readonly type: "regular"; readonly contents: string; readonly executable: boolean }
  | { readonly type: "symlink"; readonly target: string }
  | { readonly type: "directory"; readonly entries: Readonly<Record<string, Tree>> };

function treeToNode(tree: Tree): NarNode {
  switch (tree.type) {
    case "regular":
      return { kind: "regular", executable: tree.executable, contents: encodeUtf8(tree.contents) };
    case "symlink":
      return { kind: "symlink", target: tree.target };
    case "directory":
      return { kind: "directory", entries: new Map(Object.entries(tree.entries).map(([name, child]) => [name, treeToNode(child)])) };
  }
}

describe("the reference's vectors", { skip: SKIP_GOLDEN }, () => {
  let vectors: ReadonlyMap<string, Uint8Array>;
  before(async () => {
    vectors = await readVectors();
  });
  const json = (path: string): Json => getVectorJson(vectors, path) as Json;
  const under = (folder: string, ending: string): readonly string[] => {
    const paths = [...vectors.keys()].filter((path) => path.startsWith(folder) && path.endsWith(ending)).sort();
    assert.ok(paths.length > 0, `no vectors in ${folder}`);
    return paths;
  };

  test("hashes are read and written in SRI form", () => {
    for (const path of under("util/hash/", ".json")) {
      const text = json(path) as string;
      assert.equal(formatHash(parseSriHash(text), "sri"), text);
    }
  });

  test("archives that are no archives are errors that say where", async () => {
    const expected: Readonly<Record<string, string | undefined>> = {
      "dot.nar": "nar.bad-name",
      "dotdot.nar": "nar.bad-name",
      "empty.nar": "nar.bad-name",
      "executable-after-contents.nar": "nar.bad-token",
      "invalid-tag-instead-of-contents.nar": "nar.bad-token",
      "name-after-node.nar": "nar.bad-token",
      "nul-character.nar": "nar.bad-name",
      "regular-one-byte-non-zero-padding.nar": "nar.bad-padding",
      "regular-one-byte-zero-padding.nar": undefined,
      "regular-truncated-large-contents.nar": "nar.too-long",
      "regular-truncated-padding.nar": "nar.truncated",
      "slash.nar": "nar.bad-name",
    };
    const paths = under("util/nars/", ".nar");
    assert.deepEqual(paths.map((path) => path.slice("util/nars/".length)), Object.keys(expected));
    for (const path of paths) {
      const code = expected[path.slice("util/nars/".length)];
      const bytes = getVector(vectors, path);
      for (const size of [1, 7, 64, bytes.length]) {
        const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.subarray(i * size, (i + 1) * size));
        if (code === undefined) assert.equal(await readNar(chunks, {}), bytes.length, path);
        else await assert.rejects(readNar(chunks, {}), (error: unknown) => error instanceof TsosError && error.code === code && /byte \d+/.test(error.message), path);
      }
    }
  });

  test("trees become archives whose listing is the vector's", async () => {
    const complex = treeToNode(json("util/memory-source-accessor/complex.json") as Tree);
    const listing = await listNar(writeNar(complex));
    assert.deepEqual(narListingToJson(listing, { offsets: false }), json("util/nar-listing/deep.json"));
    assert.deepEqual(narListingToJson(listing, { offsets: false, depth: 1 }), json("util/nar-listing/shallow.json"));
    const simple = Buffer.concat([...writeNar(treeToNode(json("util/memory-source-accessor/simple.json") as Tree))]);
    const contents = (json("store/dummy-store/one-flat-file.json") as { contents: Record<string, { contents: Tree; info: { narHash: string; narSize: number } }> }).contents;
    const [path, { info }] = Object.entries(contents)[0]!;
    assert.equal(simple.length, info.narSize);
    const hash = hashBytes("sha256", simple);
    assert.equal(formatHash(hash, "sri"), info.narHash);
    assert.equal(makeContentAddressedPath("my-file", { method: "nar", hash }), path);
  });

  test("git objects are hashed", () => {
    const blob = getVector(vectors, "util/git/hello-world.bin");
    assert.deepEqual(hashBytes("sha1", getVector(vectors, "util/git/hello-world-blob.bin")), gitObjectHash("sha1", "blob", blob));
    for (const algorithm of ["sha1", "sha256"] as const) {
      const tree = getVector(vectors, `util/git/tree-${algorithm}.bin`);
      assert.deepEqual(hashBytes(algorithm, tree), gitObjectHash(algorithm, "tree", tree.subarray(tree.indexOf(0) + 1)));
    }
  });

  test("content addresses", () => {
    for (const path of under("store/content-address/", ".json")) {
      const value = json(path) as { method: string; hash: string };
      const parsed = contentAddressFromJson(value);
      assert.deepEqual(contentAddressToJson(parsed), value);
      assert.deepEqual(parseContentAddress(formatContentAddress(parsed)), parsed);
    }
    const old = json("store/path-info/json-1/impure.json") as { ca: string };
    const current = json("store/path-info/json-3/impure.json") as { ca: { method: string; hash: string } };
    assert.equal(formatContentAddress(parseContentAddress(old.ca)), old.ca);
    assert.deepEqual(parseContentAddress(old.ca), contentAddressFromJson(current.ca));
  });

  test("store paths", () => {
    const path = json("store/store-path/simple.json") as string;
    assert.equal(parseStorePathBaseName(path), path);
  });

  test("outputs in JSON", () => {
    for (const path of under("store/derivation/output-", ".json")) {
      assert.deepEqual(derivationOutputToJson(derivationOutputFromJson(json(path))), json(path), path);
    }
  });

  test("derivations in JSON, and beside their ATerm form", () => {
    let pairs = 0;
    for (const path of [...under("store/derivation/ia/", ".json"), ...under("store/derivation/ca/", ".json"), ...under("store/derivation/", "derivation.json"), ...under("store/derivation/hash-modulo/", ".json")]) {
      if (path.includes("/derivation-options/")) continue;
      const derivation = derivationFromJson(json(path));
      assert.deepEqual(derivationToJson(derivation), json(path), path);
      const text = formatDerivation(derivation);
      assert.deepEqual(parseDerivation(text, derivation.name), derivation, path);
      const aterm = vectors.get(path.replace(/\.json$/, ".drv"));
      if (aterm === undefined || aterm.length === 0) continue;
      pairs++;
      assert.equal(text, Buffer.from(aterm).toString("latin1"), path);
    }
    assert.ok(pairs >= 6);
  });

  test("large derivations, whose inputs stand in another order, lose nothing", () => {
    for (const name of ["firefox", "hello"]) {
      const bytes = getVector(vectors, `store/derivation/${name}.drv`);
      const derivation = parseDerivation(bytes, name);
      const text = formatDerivation(derivation);
      assert.equal(text.length, bytes.length);
      assert.deepEqual(parseDerivation(text, name), derivation);
    }
  });

  test("derivations that are none are refused", () => {
    const expected: Readonly<Record<string, string>> = {
      "bad-ca-fixed-path": "derivation.wrong-output-path",
      "bad-old-version-dyn-deps": "derivation.malformed",
      "bad-version": "derivation.malformed",
    };
    for (const [file, code] of Object.entries(expected)) {
      const text = getVectorText(vectors, `store/derivation/${file}.drv`);
      assert.throws(() => parseDerivation(text, "fixed"), { code }, file);
    }
  });

  test("derivations hashed modulo fixed outputs", () => {
    const folder = "store/derivation/hash-modulo";
    const byPath = new Map<string, Derivation>();
    const names: readonly (readonly [string, string])[] = [
      ["source-first", "source"],
      ["source-second", "source"],
      ["intermediate-first", "intermediate"],
      ["intermediate-second", "intermediate"],
      ["parent-split", "parent"],
      ["parent-joined", "parent"],
    ];
    for (const [file, name] of names) {
      const derivation = parseDerivation(getVector(vectors, `${folder}/${file}.drv`), name);
      byPath.set(derivationStorePath(derivation), derivation);
      const modulo = vectors.get(`${folder}/${file}-modulo.drv`);
      if (modulo === undefined) continue;
      const cache = new HashModuloCache({ getDerivation: (path) => byPath.get(path)! });
      const hash = hashDerivationModulo(derivation, cache.get, { maskOutputs: true });
      const expected = hashBytes("sha256", modulo);
      assert.deepEqual(hash, { kind: "regular", base16: formatHash(expected, "base16") }, file);
    }
  });

  test("the paths that a derivation states must be its own", () => {
    const folder = "store/derivation/invariants";
    const read = (name: string): Derivation => derivationFromJson(json(`${folder}/${name}.json`));
    const cache = new HashModuloCache();
    checkDerivation(read("filled-in-idempotent"), cache.get);
    assert.throws(() => checkDerivation(read("bad-path"), cache.get), { code: "derivation.wrong-output-path" });
    assert.throws(() => checkDerivation({ ...read("bad-env-var") }, cache.get), TsosError);
    for (const name of ["filled-in-deferred-empty-env-var", "filled-in-deferred-no-env-var"]) {
      const { derivation } = fillOutputPaths(read(`${name}-pre`), new HashModuloCache());
      assert.deepEqual(derivationToJson(derivation), json(`${folder}/${name}-post.json`), name);
    }
    const floating: Derivation = {
      ...read("filled-in-deferred-no-env-var-pre"),
      outputs: new Map([["out", { kind: "floating", method: "nar", algorithm: "sha256" }]]),
    };
    const withFloating = new HashModuloCache({ getDerivation: () => floating });
    const waiting = read("depends-on-drv-pre");
    checkDerivation(waiting, withFloating.get);
    assert.deepEqual(finishDerivation(waiting, withFloating).derivation.outputs.get("out"), { kind: "deferred" });
    assert.throws(() => checkDerivation(read("bad-depends-on-drv-pre"), withFloating.get), { code: "derivation.wrong-output-path" });
  });

  test("a derivation with outputs that are known after a build holds their placeholders", () => {
    const self = derivationFromJson(json("store/derivation/ca/self-contained.json"));
    assert.equal(self.env.get("out"), outputPlaceholder("out"));
    const finished = finishDerivation({ ...self, env: new Map([...self.env].filter(([key]) => key !== "out")) }, new HashModuloCache());
    assert.deepEqual(derivationToJson(finished.derivation), json("store/derivation/ca/self-contained.json"));
    const before = derivationFromJson(json("store/derivation/try-resolve/with-inputs-before.json"));
    const dep1 = parseStorePathBaseName("g1w7hy3qg1w7hy3qg1w7hy3qg1w7hy3q-dep1.drv");
    const dep2 = parseStorePathBaseName("h1w7hy3qg1w7hy3qg1w7hy3qg1w7hy3q-dep2.drv");
    assert.equal(before.env.get("DEP1_DEV"), inputPlaceholder(dep1, "dev"));
    assert.equal(before.env.get("DEP1_OUT"), `prefix-${inputPlaceholder(dep1, "out")}-suffix`);
    assert.equal(before.env.get("DEP2"), inputPlaceholder(dep2, "out"));
  });

  test("the derivation of a store's JSON has its path", () => {
    const { derivations } = json("store/dummy-store/one-derivation.json") as { derivations: Record<string, Json> };
    for (const [path, value] of Object.entries(derivations)) assert.equal(derivationStorePath(derivationFromJson(value)), path);
  });

  test("hashes of old forms", () => {
    const old = json("store/nar-info/json-1/impure.json") as { narHash: string };
    assert.equal(formatHash(parseHash(old.narHash), "sri"), old.narHash);
  });
});
