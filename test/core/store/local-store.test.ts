import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, linkSync, lstatSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import type { Derivation } from "../../../core/derivation/derivation.ts";
import { HashModuloCache } from "../../../core/derivation/hash-modulo-cache.ts";
import { finishDerivation } from "../../../core/derivation/finish-derivation.ts";
import { formatHash, hashBytes } from "../../../core/hash/hash.ts";
import { dumpPath, narHashOfPath } from "../../../core/nar/dump-path.ts";
import { openLocalStore } from "../../../core/store/local-store.ts";
import { formatStorePath, parseStorePathBaseName, type StorePath } from "../../../core/store-path/store-path.ts";
import { nixStore, temporaryStore } from "./temporary-store.ts";

const absent = parseStorePathBaseName("00000000000000000000000000000000-absent");

test("makes the layout and the schema that Nix makes", async (t) => {
  const { store, root } = await temporaryStore(t);
  for (const file of ["db/db.sqlite", "db/schema", "db/big-lock", "db/reserved", "gc.lock", "temproots", "gcroots", "profiles/per-user"]) {
    assert.ok(existsSync(`${store.stateDir}/${file}`), file);
  }
  assert.equal(readFileSync(`${store.stateDir}/db/schema`, "utf8"), "10");
  assert.ok(existsSync(`${root}/nix/store/.links`));
  assert.equal(store.storeDir, "/nix/store");
});

test("refuses a database of another version", async (t) => {
  const { store, root } = await temporaryStore(t);
  writeFileSync(`${store.stateDir}/db/schema`, "11");
  await assert.rejects(openLocalStore({ root }), { code: "store.schema" });
});

test("adds a text with its references, canonical and registered", async (t) => {
  const { store } = await temporaryStore(t);
  const a = await store.addTextToStore("a", "hello", []);
  const b = await store.addTextToStore("b", `see ${formatStorePath(a)}`, [a]);
  const stats = lstatSync(store.realPath(b));
  assert.equal(stats.mode & 0o7777, 0o444);
  assert.equal(stats.mtimeMs, 1000);
  const info = await store.getPathInfo(b);
  assert.deepEqual(info.references, [a]);
  assert.deepEqual(info.contentAddress, { method: "text", hash: hashBytes("sha256", readFileSync(store.realPath(b))) });
  const { hash, size } = await narHashOfPath(store.realPath(b));
  assert.deepEqual([info.narHash, info.narSize], [hash, size]);
  assert.deepEqual(await store.queryReferrers(a), [b]);
  assert.deepEqual(await store.closure([b]), new Set([a, b]));
  assert.deepEqual(await store.closure([a], { direction: "referrers" }), new Set([a, b]));
  assert.deepEqual(await store.sortTopologically([a, b]), [b, a]);
  assert.equal(await store.findPathFromHashPart(a.slice(0, 32)), a);
});

test("registers many texts at once that refer to each other", async (t) => {
  const { store } = await temporaryStore(t);
  const adding: Promise<StorePath>[] = [];
  let last: StorePath | undefined;
  for (let n = 0; n < 600; n++) {
    const text = store.addTextToStore(`chain-${n}`, `${n} ${last ?? ""}`, last === undefined ? [] : [last]);
    adding.push(text);
    // The path is known before it is valid.
    if (n % 100 === 0) last = await text;
  }
  const paths = await Promise.all(adding);
  assert.equal((await store.queryValidPaths(paths)).size, 600);
  const parallel = await Promise.all([store.addTextToStore("twin", "x", []), store.addTextToStore("twin", "x", [])]);
  assert.equal(parallel[0], parallel[1]);
});

test("refuses a text that refers to what is not valid, and registers the others of its group", async (t) => {
  const { store } = await temporaryStore(t);
  const [bad, good] = await Promise.allSettled([store.addTextToStore("bad", "x", [absent]), store.addTextToStore("good", "y", [])]);
  assert.equal(bad.status, "rejected");
  assert.equal((bad as PromiseRejectedResult).reason.code, "store.invalid-path");
  assert.equal(good.status, "fulfilled");
  assert.deepEqual(readdirSync(store.realStoreDir).sort(), [".links", (good as PromiseFulfilledResult<StorePath>).value].sort());
});

test("adds a folder with links, modes and names of any bytes", async (t) => {
  const { store, folder } = await temporaryStore(t);
  const source = `${folder}/source`;
  mkdirSync(`${source}/sub`, { recursive: true });
  writeFileSync(`${source}/plain`, "plain");
  writeFileSync(`${source}/run`, "#!/bin/sh", { mode: 0o700 });
  chmodSync(`${source}/run`, 0o4755);
  linkSync(`${source}/plain`, `${source}/hard`);
  symlinkSync("../nowhere", `${source}/sub/link`);
  writeFileSync(Buffer.from(`${source}/\xff\xfe`, "latin1"), "bytes");
  utimesSync(`${source}/plain`, 5, 5);
  const path = await store.addPathToStore("source", source);
  assert.equal(path, await store.computePathForFile("source", source));
  assert.equal(lstatSync(`${store.realPath(path)}/run`).mode & 0o7777, 0o555);
  assert.equal(lstatSync(`${store.realPath(path)}/sub`).mode & 0o7777, 0o555);
  assert.equal(lstatSync(`${store.realPath(path)}/sub/link`).mtimeMs, 1000);
  assert.equal((await narHashOfPath(store.realPath(path))).size, (await store.getPathInfo(path)).narSize);
  assert.deepEqual(await store.verify({ checkContents: true }), []);
  assert.deepEqual(readdirSync(store.realStoreDir).sort(), [".links", path].sort());
});

test("adds a flat file by any algorithm, and a folder as git has it", async (t) => {
  const { store, folder } = await temporaryStore(t);
  writeFileSync(`${folder}/file`, "contents");
  const flat = await store.addPathToStore("file", `${folder}/file`, { method: "flat", algorithm: "sha512" });
  assert.deepEqual((await store.getPathInfo(flat)).contentAddress, { method: "flat", hash: hashBytes("sha512", Buffer.from("contents")) });
  mkdirSync(`${folder}/tree/sub`, { recursive: true });
  writeFileSync(`${folder}/tree/sub.txt`, "1");
  writeFileSync(`${folder}/tree/sub/file`, "2");
  const path = await store.addPathToStore("tree", `${folder}/tree`, { method: "git", algorithm: "sha1" });
  // Of `git hash-object` and `git mktree`.
  const blob = hashBytes("sha1", Buffer.from("blob 1\0" + "2"));
  const text = hashBytes("sha1", Buffer.from("blob 1\0" + "1"));
  const tree = (...parts: readonly (string | Uint8Array)[]): Uint8Array => {
    const body = Buffer.concat(parts.map((part) => Buffer.from(part)));
    return hashBytes("sha1", Buffer.concat([Buffer.from(`tree ${body.length}\0`), body])).digest;
  };
  const digest = tree("100644 sub.txt\0", text.digest, "40000 sub\0", tree("100644 file\0", blob.digest));
  assert.deepEqual((await store.getPathInfo(path)).contentAddress?.hash.digest, new Uint8Array(digest));
  await assert.rejects(store.addPathToStore("tree", `${folder}/tree`, { method: "flat" }), { code: "store.not-a-file" });
});

test("refuses a special file by its name", async (t) => {
  const { store, folder } = await temporaryStore(t);
  mkdirSync(`${folder}/source`);
  execFileSync("mkfifo", [`${folder}/source/pipe`]);
  await assert.rejects(store.addPathToStore("source", `${folder}/source`), /pipe/);
  assert.deepEqual(readdirSync(store.realStoreDir), [".links"]);
});

test("adds an archive that has the declared hash, and keeps nothing of one that has not", async (t) => {
  const { store, folder } = await temporaryStore(t);
  writeFileSync(`${folder}/file`, "contents");
  const { hash, size } = await narHashOfPath(`${folder}/file`);
  const path = parseStorePathBaseName("11111111111111111111111111111111-imported");
  const wrong = { path, narHash: hashBytes("sha256", new Uint8Array()), narSize: size, references: [] };
  await assert.rejects(store.addNarToStore(wrong, dumpPath(`${folder}/file`)), { code: "store.hash-mismatch" });
  await assert.rejects(store.addNarToStore({ ...wrong, narHash: hash, narSize: 1 }, dumpPath(`${folder}/file`)), { code: "store.hash-mismatch" });
  assert.deepEqual(readdirSync(store.realStoreDir), [".links"]);
  await store.addNarToStore({ path, narHash: hash, narSize: size, references: [path], signatures: ["key:sig"] }, dumpPath(`${folder}/file`));
  const info = await store.getPathInfo(path);
  assert.deepEqual(info.references, [path]);
  assert.deepEqual(info.signatures, ["key:sig"]);
  await store.addSignatures(path, ["other:sig"]);
  assert.deepEqual((await store.getPathInfo(path)).signatures, ["key:sig", "other:sig"]);
});

test("knows the outputs of a derivation that it wrote, and refuses one with a wrong output path", async (t) => {
  const { store, folder } = await temporaryStore(t);
  const unfinished: Derivation = {
    name: "thing",
    outputs: new Map([["out", { kind: "deferred" }], ["dev", { kind: "deferred" }]]),
    inputDerivations: new Map(),
    inputSources: new Set(),
    platform: "x86_64-linux",
    builder: "/bin/sh",
    args: [],
    env: new Map([["name", "thing"], ["out", ""], ["dev", ""]]),
  } as unknown as Derivation;
  const { derivation, path, contents } = finishDerivation(unfinished, new HashModuloCache());
  assert.equal(await store.writeDerivation(derivation), path);
  const outputs = await store.queryDerivationOutputs(path);
  assert.deepEqual([...outputs.keys()].sort(), ["dev", "out"]);
  assert.deepEqual(await store.queryValidDerivers(outputs.get("dev")!), [path]);

  const forged = contents.replaceAll(outputs.get("out")!.slice(0, 32), "0".repeat(32));
  writeFileSync(`${folder}/forged`, forged);
  const { hash, size } = await narHashOfPath(`${folder}/forged`);
  const info = { path: parseStorePathBaseName("22222222222222222222222222222222-thing.drv"), narHash: hash, narSize: size, references: [] };
  await assert.rejects(store.addNarToStore(info, dumpPath(`${folder}/forged`)), { code: "derivation.wrong-output-path" });
  assert.equal(await store.isValidPath(info.path), false);
});

test("an invalid path left by a killed process is replaced", async (t) => {
  const { store } = await temporaryStore(t);
  const path = await store.addTextToStore("a", "hello", []);
  await store.collectGarbage();
  // Held by a temporary root; so it is still there.
  assert.ok(await store.isValidPath(path));
  const other = parseStorePathBaseName("33333333333333333333333333333333-left");
  mkdirSync(`${store.realStoreDir}/${other}`);
  writeFileSync(`${store.realStoreDir}/${other}/half`, "");
  const nar = dumpPath(store.realPath(path));
  const info = await store.getPathInfo(path);
  await store.addNarToStore({ path: other, narHash: info.narHash, narSize: info.narSize, references: [] }, nar);
  assert.equal(readFileSync(store.realPath(other), "utf8"), "hello");
});

test("a store that this user cannot write is read-only", { skip: process.getuid?.() === 0 && "root may write everywhere" }, async (t) => {
  const { store, root } = await temporaryStore(t);
  await store.addTextToStore("a", "hello", []);
  chmodSync(store.realStoreDir, 0o555);
  try {
    await using reader = await openLocalStore({ root });
    assert.equal(reader.readOnly, true);
    await assert.rejects(reader.addTextToStore("b", "hello", []), { code: "store.not-writable" });
  } finally {
    chmodSync(store.realStoreDir, 0o755);
  }
});

test("nix-store agrees with what stands in the store", async (t) => {
  const { store, root, folder } = await temporaryStore(t);
  const nix = nixStore(root);
  if (nix === undefined) return t.skip("nix-store is not on PATH");
  const a = await store.addTextToStore("a", "hello", []);
  const b = await store.addTextToStore("b", `see ${formatStorePath(a)}`, [a]);
  mkdirSync(`${folder}/tree`);
  writeFileSync(`${folder}/tree/file`, "x");
  const tree = await store.addPathToStore("tree", `${folder}/tree`);
  nix("--verify", "--check-contents");
  assert.equal(nix("--query", "--requisites", formatStorePath(b)), `${formatStorePath(a)}\n${formatStorePath(b)}\n`);
  assert.equal(nix("--query", "--referrers", formatStorePath(a)), `${formatStorePath(b)}\n`);
  assert.equal(nix("--query", "--hash", formatStorePath(tree)).trim(), formatHash((await store.getPathInfo(tree)).narHash, "nix32", true));
  assert.equal(nix("--add", `${folder}/tree`).trim(), formatStorePath(tree));
});

test("tells which derivations paths say they were made by, of few paths and of many", async (t) => {
  const { store } = await temporaryStore(t);
  const deriver = parseStorePathBaseName("11111111111111111111111111111111-made.drv");
  const paths = await Promise.all(Array.from({ length: 6 }, (_, n) => store.addTextToStore(`text-${n}`, `${n}`, [])));
  const { narHash, narSize } = await store.getPathInfo(paths[0]!);
  const made = parseStorePathBaseName("33333333333333333333333333333333-made");
  await store.addNarToStore({ path: made, narHash, narSize, references: [], deriver }, store.narFromPath(paths[0]!));
  assert.deepEqual(await store.queryDeriversOf([...paths, made]), new Set([deriver]));
  assert.deepEqual(await store.queryDeriversOf(paths), new Set());
  const absent = parseStorePathBaseName("22222222222222222222222222222222-absent");
  assert.deepEqual(await store.queryValidPaths([absent, paths[0]!]), new Set([paths[0]]));
  assert.deepEqual(await store.queryValidPaths([...paths, absent]), new Set(paths));
});

test("a new store has its reserve on the disk", async (t) => {
  const { store } = await temporaryStore(t);
  const { size, blocks } = statSync(`${store.stateDir}/db/reserved`);
  assert.equal(size, 8 << 20);
  assert.ok(blocks * 512 >= size, `${blocks} blocks`);
});
