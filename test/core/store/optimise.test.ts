import assert from "node:assert/strict";
import { chmodSync, lstatSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { openLocalStore } from "../../../core/store/local-store.ts";
import { nixStore, temporaryFolder, temporaryStore } from "./temporary-store.ts";

function makeTree(folder: string, extra: string): string {
  mkdirSync(`${folder}/sub`, { recursive: true });
  for (const name of ["a", "sub/b"]) writeFileSync(`${folder}/${name}`, "x".repeat(10_000));
  writeFileSync(`${folder}/program`, "x".repeat(10_000), { mode: 0o755 });
  writeFileSync(Buffer.concat([Buffer.from(`${folder}/`), Buffer.from([0xff, 0x41])]), "x".repeat(10_000));
  symlinkSync("a", `${folder}/link`);
  writeFileSync(`${folder}/own`, extra);
  return folder;
}

test("equal files become one, by links that Nix counts as its own", async (t) => {
  const folder = temporaryFolder(t);
  const root = `${folder}/root`;
  const store = await openLocalStore({ root });
  const one = store.realPath(await store.addPathToStore("one", makeTree(`${folder}/1`, "one")));
  const two = store.realPath(await store.addPathToStore("two", makeTree(`${folder}/2`, "two")));
  const result = await store.optimise();
  assert.equal(lstatSync(`${one}/a`).ino, lstatSync(`${two}/sub/b`).ino);
  assert.equal(lstatSync(Buffer.concat([Buffer.from(`${one}/`), Buffer.from([0xff, 0x41])])).ino, lstatSync(`${two}/a`).ino);
  assert.equal(lstatSync(`${one}/link`).ino, lstatSync(`${two}/link`).ino);
  assert.notEqual(lstatSync(`${one}/a`).ino, lstatSync(`${one}/program`).ino, "the executable bit is part of the contents");
  assert.deepEqual([lstatSync(`${two}/sub`).mtimeMs, lstatSync(`${two}/sub`).mode & 0o777], [1000, 0o555]);
  assert.equal(result.filesLinked, 7);
  assert.ok(result.bytesFreed >= 5 * 10_000);
  assert.deepEqual(await store.optimise(), { filesLinked: 0, bytesFreed: 0 }, "a second time there is nothing left to do");
  assert.deepEqual(await store.verify({ checkContents: true }), []);
  const nix = nixStore(root);
  if (nix !== undefined) {
    nix("--verify", "--check-contents");
    const links = readdirSync(`${store.realStoreDir}/.links`).sort();
    nix("--optimise");
    assert.deepEqual(readdirSync(`${store.realStoreDir}/.links`).sort(), links, "Nix finds all files linked under its own names");
  }
  await store[Symbol.asyncDispose]();
  await using later = await openLocalStore({ root });
  await later.collectGarbage();
  assert.deepEqual(readdirSync(`${later.realStoreDir}/.links`), []);
});

test("a damaged shared file gets no further users", async (t) => {
  const { store, folder } = await temporaryStore(t);
  const one = store.realPath(await store.addPathToStore("one", makeTree(`${folder}/1`, "one")));
  await store.optimise();
  chmodSync(`${one}/a`, 0o644);
  writeFileSync(`${one}/a`, "y".repeat(10_000));
  chmodSync(`${one}/a`, 0o444);
  const two = await store.addPathToStore("two", makeTree(`${folder}/2`, "two"));
  await store.optimise([two]);
  assert.equal(await store.verifyPath(two), undefined);
  assert.notEqual(lstatSync(`${one}/a`).ino, lstatSync(`${store.realPath(two)}/a`).ino);
});

test("a store that shares on adding does so for what is added, and only then", async (t) => {
  const root = `${temporaryFolder(t)}/root`;
  const source = makeTree(`${temporaryFolder(t)}/tree`, "tree");
  for (const [autoOptimise, links] of [[false, 1], [true, 4]] as const) {
    await using store = await openLocalStore({ root, autoOptimise });
    const path = store.realPath(await store.addPathToStore(`auto-${autoOptimise}`, source));
    assert.equal(lstatSync(`${path}/a`).nlink, links, String(autoOptimise));
    assert.deepEqual(await store.verify({ checkContents: true }), []);
  }
});

test("a file with as many links as the file system allows stays a file of its own", async (t) => {
  const { store, folder } = await temporaryStore(t);
  const limit = 65_000;
  const one = store.realPath(await store.addPathToStore("one", makeTree(`${folder}/1`, "one")));
  await store.optimise();
  const { linkSync } = await import("node:fs");
  mkdirSync(`${folder}/links`);
  let reached = false;
  try {
    for (let n = 0; n <= limit; n++) linkSync(`${one}/a`, `${folder}/links/${n}`);
  } catch (error) {
    assert.equal((error as NodeJS.ErrnoException).code, "EMLINK");
    reached = true;
  }
  const two = await store.addPathToStore("two", makeTree(`${folder}/2`, "two"));
  await store.optimise([two]);
  assert.equal(await store.verifyPath(two), undefined);
  // Not every file system has such a limit below this number.
  assert.equal(lstatSync(`${store.realPath(two)}/a`).ino === lstatSync(`${one}/a`).ino, !reached);
  rmSync(`${folder}/links`, { recursive: true });
});
