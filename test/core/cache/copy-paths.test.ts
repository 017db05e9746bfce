import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test, type TestContext } from "node:test";
import { copyPaths } from "../../../core/cache/copy-paths.ts";
import { openBinaryCache } from "../../../core/cache/open-binary-cache.ts";
import { plainFetchSettings } from "../../../core/fetch/fetch-settings.ts";
import type { LocalStore } from "../../../core/store/store.ts";
import { storePathHash, type StorePath } from "../../../core/store-path/store-path.ts";
import { temporaryStore } from "../store/temporary-store.ts";

const open = (url: string) => openBinaryCache(url, { settings: { ...plainFetchSettings, attempts: 1 }, environment: {} });

/** Texts of which each refers to the two before it. */
async function makeChain(store: LocalStore, length: number): Promise<StorePath[]> {
  const paths: StorePath[] = [];
  for (let n = 0; n < length; n++) paths.push(await store.addTextToStore(`link-${n}`, `${n}\n`.repeat(1 + (n % 7) * 1000), paths.slice(-2)));
  return paths;
}

async function chainInCache(t: TestContext, length: number): Promise<{ readonly paths: StorePath[]; readonly folder: string }> {
  const { store, folder } = await temporaryStore(t);
  const paths = await makeChain(store, length);
  await using cache = await open(`file://${folder}/cache?compression=none`);
  await copyPaths(store, cache, [paths.at(-1)!]);
  return { paths, folder: `${folder}/cache` };
}

test("a long chain comes whole, asked for at its top", async (t) => {
  const { paths, folder } = await chainInCache(t, 150);
  const { store } = await temporaryStore(t);
  await using cache = await open(`file://${folder}`);
  const { copied, present } = await copyPaths(cache, store, [paths.at(-1)!], { jobs: 3 });
  assert.deepEqual([...copied].sort(), [...paths].sort());
  assert.equal(present, 0);
  assert.deepEqual(await store.verify({ checkContents: true }), []);
  assert.deepEqual(await copyPaths(cache, store, paths), { copied: [], present: paths.length });
});

test("a cache gets the description of a path after those of all that it needs", async (t) => {
  const { store } = await temporaryStore(t);
  const paths = await makeChain(store, 60);
  const described: string[] = [];
  const server = createServer((request, response) => {
    if (request.method !== "PUT") {
      response.writeHead(404).end();
      return;
    }
    // The first archives take longest.
    setTimeout(() => {
      if (request.url!.endsWith(".narinfo")) described.push(request.url!.slice(1, -".narinfo".length));
      request.resume();
      response.end();
    }, request.url!.startsWith("/nar/") ? Math.max(0, 40 - described.length) : 0);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.closeAllConnections());
  t.after(() => server.close());
  await using cache = await open(`http://127.0.0.1:${(server.address() as AddressInfo).port}?compression=none`);
  await copyPaths(store, cache, [paths.at(-1)!]);
  assert.deepEqual(described, paths.map(storePathHash));
});

test("what refers to something that the source lacks is not registered, and nothing is left behind", async (t) => {
  const { paths, folder } = await chainInCache(t, 20);
  rmSync(`${folder}/${storePathHash(paths[5]!)}.narinfo`);
  const { store } = await temporaryStore(t);
  await using cache = await open(`file://${folder}`);
  await assert.rejects(copyPaths(cache, store, [paths.at(-1)!]), { code: "store.invalid-path" });
  const valid = await store.queryValidPaths(paths);
  for (const path of paths.slice(5)) assert.ok(!valid.has(path), path);
  assert.deepEqual(await store.verify({ checkContents: true }), []);
  assert.deepEqual(readdirSync(store.realStoreDir).filter((name) => !valid.has(name as StorePath) && name !== ".links"), []);
});

test("paths that refer to each other are refused, and do not wait for each other for ever", async (t) => {
  const { paths, folder } = await chainInCache(t, 3);
  const file = `${folder}/${storePathHash(paths[0]!)}.narinfo`;
  // Without its content address, which says at once that the references are others.
  writeFileSync(file, readFileSync(file, "utf8").replace(/^CA: .*\n/m, "").replace(/^References:.*$/m, `References: ${paths[2]!}`));
  const { store } = await temporaryStore(t);
  await using cache = await open(`file://${folder}`);
  await assert.rejects(copyPaths(cache, store, [paths[2]!]), { code: "store.reference-cycle" });
  assert.equal((await store.queryAllValidPaths()).length, 0);
});

test("a copy that is stopped ends with its reason, and the next one goes on from there", async (t) => {
  const { paths, folder } = await chainInCache(t, 40);
  const { store } = await temporaryStore(t);
  await using cache = await open(`file://${folder}`);
  const stop = new AbortController();
  let described = 0;
  const check = (): void => {
    if (++described === 25) stop.abort(new Error("enough"));
  };
  await assert.rejects(copyPaths(cache, store, [paths.at(-1)!], { signal: stop.signal, check }), /enough/);
  assert.deepEqual(await store.verify({ checkContents: true }), []);
  await copyPaths(cache, store, [paths.at(-1)!]);
  assert.equal((await store.queryValidPaths(paths)).size, paths.length);
});
