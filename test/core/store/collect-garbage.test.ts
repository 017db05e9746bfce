import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, linkSync, mkdirSync, openSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { openLocalStore } from "../../../core/store/local-store.ts";
import type { LocalStore } from "../../../core/store/store.ts";
import { formatStorePath, parseStorePathBaseName, type StorePath } from "../../../core/store-path/store-path.ts";
import { lockFile } from "../../../core/util/file-lock.ts";
import { nixStore, temporaryStore } from "./temporary-store.ts";

/** A store's paths outlive the process that made them only by roots, so another instance makes them. */
async function populate(root: string): Promise<{ readonly a: StorePath; readonly b: StorePath; readonly c: StorePath }> {
  await using store = await openLocalStore({ root });
  const a = await store.addTextToStore("a", "hello", []);
  const b = await store.addTextToStore("b", `see ${formatStorePath(a)}`, [a]);
  const c = await store.addTextToStore("c", "lonely", []);
  return { a, b, c };
}

async function left(store: LocalStore): Promise<StorePath[]> {
  const paths = await store.queryAllValidPaths();
  const files = readdirSync(store.realStoreDir).filter((name) => name !== ".links");
  assert.deepEqual(files.sort(), [...paths].sort(), "what lies in the store is what is registered");
  return paths;
}

test("deletes what no root reaches, and keeps what a root needs", async (t) => {
  const { store, root, folder } = await temporaryStore(t);
  const { a, b, c } = await populate(root);
  await store.addPermanentRoot(b, `${folder}/result`);
  // That one is this process's own temporary root, too.
  const dry = await store.collectGarbage({ dryRun: true });
  assert.deepEqual(dry.deleted, [formatStorePath(c)]);
  assert.ok(dry.bytesFreed > 0);
  const { deleted, alive, bytesFreed } = await store.collectGarbage();
  assert.deepEqual(deleted, [formatStorePath(c)]);
  assert.equal(alive, 2);
  assert.ok(bytesFreed > 0);
  assert.deepEqual(await left(store), [a, b].sort());
  assert.deepEqual(await store.verify({ checkContents: true }), []);
  assert.ok(existsSync(`${store.stateDir}/db/reserved`));
});

test("says which roots keep a path alive, and by which way", async (t) => {
  const { store, root, folder } = await temporaryStore(t);
  const { a, b, c } = await populate(root);
  await store.addPermanentRoot(b, `${folder}/result`);
  const found = (await store.findRootsOf(a)).filter(({ root: { source } }) => !source.startsWith("{temp:"));
  assert.deepEqual(found, [{ root: { path: b, source: `${folder}/result` }, way: [b, a] }]);
  assert.deepEqual(await store.findRootsOf(c), []);
});

test("removes the indirect root of a link that is gone", async (t) => {
  const { store, root, folder } = await temporaryStore(t);
  const { b } = await populate(root);
  {
    await using other = await openLocalStore({ root });
    await other.addPermanentRoot(b, `${folder}/result`);
  }
  assert.equal(readdirSync(`${store.stateDir}/gcroots/auto`).length, 1);
  rmSync(`${folder}/result`);
  await store.collectGarbage();
  assert.deepEqual(readdirSync(`${store.stateDir}/gcroots/auto`), []);
  assert.deepEqual(await left(store), []);
});

test("links in profiles and named files in gcroots are roots", async (t) => {
  const { store, root } = await temporaryStore(t);
  const { a, c } = await populate(root);
  symlinkSync(formatStorePath(c), `${store.stateDir}/profiles/thing-1-link`);
  writeFileSync(`${store.stateDir}/gcroots/${a}`, "");
  await store.collectGarbage();
  assert.deepEqual(await left(store), [a, c].sort());
});

test("what a process has open, or in its environment, is alive", async (t) => {
  const { store, root } = await temporaryStore(t);
  const { a, b, c } = await populate(root);
  const descriptor = openSync(store.realPath(a), "r");
  const child = spawn("sleep", ["60"], { env: { PATH: process.env["PATH"], THING: `x:${formatStorePath(c)}/bin` }, stdio: "ignore" });
  await once(child, "spawn");
  try {
    assert.deepEqual((await store.collectGarbage()).deleted, [formatStorePath(b)]);
    assert.deepEqual(await left(store), [a, c].sort());
  } finally {
    closeSync(descriptor);
    child.kill();
    await once(child, "exit");
  }
});

test("a link through a loop, or a file open under a name longer than any can be, does not stop the collector", async (t) => {
  const { store, root, folder } = await temporaryStore(t);
  const { a, b, c } = await populate(root);
  await store.addPermanentRoot(b, `${folder}/result`);
  await store.addPermanentRoot(a, `${folder}/mine/result`);
  rmSync(`${folder}/mine`, { recursive: true });
  symlinkSync("mine", `${folder}/mine`);
  // Each is reached from the one before: as a whole no call would take its name.
  const program = "process.chdir(process.argv[1]); for (let i = 0; i < 30; i++) { const name = 'd'.repeat(200); fs.mkdirSync(name); process.chdir(name); } fs.openSync('file', 'w'); console.log('ready'); setInterval(() => {}, 1000)";
  const child = spawn(process.execPath, ["-e", program, folder], { stdio: ["ignore", "pipe", "inherit"] });
  t.after(() => child.kill());
  await once(child.stdout!, "data");
  const { deleted } = await store.collectGarbage();
  assert.deepEqual(deleted, [formatStorePath(c)]);
  assert.deepEqual(await left(store), [a, b].sort());
});

test("temporary roots of living processes hold, those of dead ones do not", async (t) => {
  const { store, root } = await temporaryStore(t);
  const { c } = await populate(root);
  const child = await storeProcess(root, `await store.addTemporaryRoot(${JSON.stringify(c)}); console.log("ready"); setInterval(() => {}, 1000);`);
  await store.collectGarbage();
  assert.deepEqual(await left(store), [c]);
  child.kill("SIGKILL");
  await once(child, "exit");
  await store.collectGarbage();
  assert.deepEqual(await left(store), []);
});

test("a root that is added while the collector runs is told to it, and spared", async (t) => {
  const { store, root } = await temporaryStore(t);
  const { a, b, c } = await populate(root);
  await using other = await openLocalStore({ root });
  let added: Promise<void> | undefined;
  const { deleted } = await store.collectGarbage({
    // The first report comes when the collector has marked and holds its lock, before it deletes.
    report: () => (added ??= other.addTemporaryRoot(b)),
    maxFreed: 0,
  });
  await added;
  assert.deepEqual(deleted, []);
  assert.deepEqual((await store.collectGarbage()).deleted, [formatStorePath(c)]);
  assert.deepEqual(await left(store), [a, b].sort());
});

test("keeps the derivers of live paths unless told not to", async (t) => {
  const { store, root } = await temporaryStore(t);
  const { a, b, c } = await populate(root);
  const built = parseStorePathBaseName("77777777777777777777777777777777-built");
  {
    await using other = await openLocalStore({ root });
    const { narHash, narSize } = await other.getPathInfo(a);
    await other.addNarToStore({ path: built, narHash, narSize, references: [], deriver: b }, other.narFromPath(a));
  }
  symlinkSync(formatStorePath(built), `${store.stateDir}/gcroots/built`);
  assert.deepEqual((await store.collectGarbage({ dryRun: true, keepDerivations: false })).deleted.length, 3);
  assert.deepEqual((await store.collectGarbage()).deleted, [formatStorePath(c)]);
});

test("stops when enough is freed, and users go before what they use", async (t) => {
  const { store, root } = await temporaryStore(t);
  const { a, b, c } = await populate(root);
  const order = (await store.collectGarbage({ dryRun: true })).deleted;
  assert.ok(order.indexOf(formatStorePath(b)) < order.indexOf(formatStorePath(a)));
  assert.equal((await store.collectGarbage({ maxFreed: 1 })).deleted.length, 1);
  assert.equal((await left(store)).length, 2);
  assert.ok(c);
});

test("deletes chosen paths only, and none that is alive", async (t) => {
  const { store, root } = await temporaryStore(t);
  const { a, b, c } = await populate(root);
  await assert.rejects(store.collectGarbage({ paths: [a] }), { code: "store.still-alive" });
  await store.collectGarbage({ paths: [a, b] });
  assert.deepEqual(await left(store), [c]);
});

test("spares what is young, with all that it needs", async (t) => {
  const { store, root } = await temporaryStore(t);
  await populate(root);
  assert.deepEqual((await store.collectGarbage({ olderThan: new Date(Date.now() - 60_000) })).deleted, []);
  assert.equal((await store.collectGarbage({ olderThan: new Date(Date.now() + 60_000) })).deleted.length, 3);
});

test("removes what killed processes leave, and not what living ones hold", async (t) => {
  const { store } = await temporaryStore(t);
  const hash = "44444444444444444444444444444444";
  const at = (name: string): string => `${store.realStoreDir}/${name}`;
  mkdirSync(`${at("tmp-1-0")}/deep`, { recursive: true });
  mkdirSync(at(`${hash}-x.drv.chroot`));
  writeFileSync(at(`${hash}-x.lock`), "");
  mkdirSync(at("trash"));
  writeFileSync(at(`${hash}-x`), "never registered");
  writeFileSync(`${store.realStoreDir}/.links/unused`, "");
  await using held = await store.createTemporaryFolder();
  using lock = await lockFile(at("55555555555555555555555555555555-y.lock"));
  const needed = parseStorePathBaseName("66666666666666666666666666666666-z");
  await store.addTemporaryRoot(needed);
  mkdirSync(at(`${needed}.drv.chroot`));
  await store.collectGarbage();
  assert.deepEqual(readdirSync(store.realStoreDir).sort(), [".links", "55555555555555555555555555555555-y.lock", `${needed}.drv.chroot`, held.path.split("/").at(-1)].sort());
  assert.deepEqual(readdirSync(`${store.realStoreDir}/.links`), []);
  assert.ok(lock);
});

test("a file that others share stays, with its link", async (t) => {
  const { store, root } = await temporaryStore(t);
  const { a, c } = await populate(root);
  for (const path of [a, c]) linkSync(store.realPath(path), `${store.realStoreDir}/.links/${path.slice(0, 10)}`);
  symlinkSync(formatStorePath(a), `${store.stateDir}/gcroots/a`);
  await store.collectGarbage();
  assert.deepEqual(readdirSync(`${store.realStoreDir}/.links`), [a.slice(0, 10)]);
});

test("an aborted collector leaves the store right", async (t) => {
  const { store, root } = await temporaryStore(t);
  await populate(root);
  const controller = new AbortController();
  await assert.rejects(store.collectGarbage({ signal: controller.signal, report: () => controller.abort() }), { name: "AbortError" });
  assert.deepEqual(await store.verify({ checkContents: true }), []);
  await store.collectGarbage();
  assert.deepEqual(await left(store), []);
});

test("nix-store finds the same dead paths, and respects our temporary roots", async (t) => {
  const { store, root } = await temporaryStore(t);
  const nix = nixStore(root);
  if (nix === undefined) return t.skip("nix-store is not on PATH");
  const { a, b, c } = await populate(root);
  await store.addTemporaryRoot(b);
  assert.deepEqual(nix("--gc", "--print-dead").trim().split("\n"), [formatStorePath(c)]);
  nix("--gc");
  assert.deepEqual(await left(store), [a, b].sort());
});

/** A process that has the store open as `store`, once it says that it is ready. */
async function storeProcess(root: string, body: string): Promise<ChildProcess> {
  const module = fileURLToPath(new URL("../../../core/store/local-store.ts", import.meta.url));
  const code = `const { openLocalStore } = await import(${JSON.stringify(module)}); const store = await openLocalStore({ root: ${JSON.stringify(root)} }); ${body}`;
  const child = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", code], { stdio: ["ignore", "pipe", "inherit"] });
  await once(child.stdout!, "data");
  return child;
}
