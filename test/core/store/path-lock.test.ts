import assert from "node:assert/strict";
import { existsSync, linkSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { makeTextPath } from "../../../core/store-path/make-store-path.ts";
import { parseStorePathBaseName } from "../../../core/store-path/store-path.ts";
import { encodeUtf8 } from "../../../core/util/bytes.ts";
import { temporaryStore } from "./temporary-store.ts";

const a = parseStorePathBaseName("00000000000000000000000000000000-a");
const b = parseStorePathBaseName("11111111111111111111111111111111-b");

test("a path is locked by one at a time, and its lock file goes with the lock", async (t) => {
  const { store } = await temporaryStore(t);
  const first = await store.lockPaths([b, a]);
  assert.equal(await store.lockPaths([a], { wait: false }), undefined);
  assert.ok(existsSync(`${store.realPath(a)}.lock`));
  first.release();
  assert.equal(existsSync(`${store.realPath(a)}.lock`), false);
  (await store.lockPaths([a], { wait: false }))!.release();
});

test("who waits for a lock whose file was removed takes a new file", async (t) => {
  const { store } = await temporaryStore(t);
  const order: string[] = [];
  const first = await store.lockPaths([a]);
  const waiting = [1, 2, 3].map(async (n) => {
    const locks = await store.lockPaths([a], { onWait: () => order.push(`wait ${n}`) });
    order.push(`has ${n}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
    order.push(`drops ${n}`);
    locks.release();
  });
  setTimeout(() => first.release(), 30);
  await Promise.all(waiting);
  assert.deepEqual(order.slice(0, 3), ["wait 1", "wait 2", "wait 3"]);
  // One holder at a time: each has it and drops it before the next.
  for (let n = 3; n < order.length; n += 2) assert.equal(order[n]!.replace("has", "drops"), order[n + 1]);
});

test("waiting for a lock ends with the signal", async (t) => {
  const { store } = await temporaryStore(t);
  await using _held = await store.lockPaths([a]);
  await assert.rejects(store.lockPaths([b, a], { signal: AbortSignal.timeout(30) }), { name: "TimeoutError" });
  (await store.lockPaths([b], { wait: false }))!.release();
});

test("adding a path waits for who holds its lock", async (t) => {
  const { store } = await temporaryStore(t);
  const path = await store.addTextToStore("a", "1", []);
  const other = await store.addTextToStore("first", "1", []);
  assert.notEqual(path, other);
  const wanted = await store.computePathForFile("copy", store.realPath(path));
  const locks = await store.lockPaths([wanted]);
  let done = false;
  const adding = store.addPathToStore("copy", store.realPath(path)).then(() => (done = true));
  await store.addTextToStore("meanwhile", "2", []);
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(done, false);
  locks.release();
  await adding;
  assert.ok(await store.isValidPath(wanted));
});

test("a stale lock file that kept its name is replaced, not waited for", { timeout: 10_000 }, async (t) => {
  const { store } = await temporaryStore(t);
  writeFileSync(`${store.realPath(a)}.lock`, "d");
  (await store.lockPaths([a], { wait: false }))!.release();
  assert.equal(existsSync(`${store.realPath(a)}.lock`), false);
});

test("lock files of a killed process that are one file stop nobody", { timeout: 10_000 }, async (t) => {
  const { store } = await temporaryStore(t);
  const names = ["a", "b", "c"];
  const files = names.map((name) => `${store.realPath(makeTextPath({ name, contents: encodeUtf8(name), references: [] }))}.lock`);
  writeFileSync(files[0]!, "");
  for (const file of files.slice(1)) linkSync(files[0]!, file);
  const paths = await store.addTextsToStore(names.map((name) => ({ name, contents: name, references: [] })));
  assert.equal((await store.queryValidPaths(paths)).size, names.length);
  for (const file of files) assert.equal(existsSync(file), false);
});
