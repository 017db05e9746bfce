import assert from "node:assert/strict";
import { chmodSync, existsSync, linkSync, lstatSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import type { TsosError } from "../../../core/error/tsos-error.ts";
import { hashBytes } from "../../../core/hash/hash.ts";
import { dumpPath, narHashOfPath } from "../../../core/nar/dump-path.ts";
import type { LocalStore } from "../../../core/store/store.ts";
import { makeContentAddressedPath } from "../../../core/store-path/make-store-path.ts";
import { formatStorePath, parseStorePathBaseName, type StorePath } from "../../../core/store-path/store-path.ts";
import { nixStore, temporaryStore } from "./temporary-store.ts";

const out = parseStorePathBaseName("88888888888888888888888888888888-thing");
const dev = parseStorePathBaseName("99999999999999999999999999999999-thing-dev");

async function makeDerivation(store: LocalStore): Promise<StorePath> {
  return store.addTextToStore("not-really-a-drv", "text", []);
}

test("registers all outputs with their references, canonical, from temporary and final places", async (t) => {
  const { store, root } = await temporaryStore(t);
  const derivationPath = await makeDerivation(store);
  const used = await store.addTextToStore("used", "x", []);
  const unused = await store.addTextToStore("unused", "y", []);
  await using folder = await store.createTemporaryFolder();
  mkdirSync(`${folder.path}/out/bin`, { recursive: true });
  writeFileSync(`${folder.path}/out/bin/thing`, `#!${formatStorePath(used)} ${formatStorePath(out)}`);
  chmodSync(`${folder.path}/out/bin/thing`, 0o4755);
  linkSync(`${folder.path}/out/bin/thing`, `${folder.path}/out/bin/other`);
  symlinkSync(formatStorePath(out), store.realPath(dev));
  await using locks = await store.lockPaths([out, dev]);
  await store.addTemporaryRoot(out, dev);
  const infos = await store.registerBuildOutputs({
    derivationPath,
    outputs: [
      { name: "out", path: out, folder: `${folder.path}/out` },
      { name: "dev", path: dev, folder: store.realPath(dev) },
    ],
    candidates: [used, unused],
  });
  locks.release();
  assert.deepEqual([...infos.keys()], ["out", "dev"]);
  assert.deepEqual(infos.get("out")!.references, [out, used].sort());
  assert.deepEqual(infos.get("dev")!.references, [out]);
  assert.equal(infos.get("out")!.deriver, derivationPath);
  assert.equal(infos.get("out")!.ultimate, true);
  assert.equal(lstatSync(`${store.realPath(out)}/bin/thing`).mode & 0o7777, 0o555);
  assert.equal(lstatSync(store.realPath(dev)).mtimeMs, 1000);
  assert.equal(existsSync(`${store.realPath(out)}.lock`), false);
  assert.deepEqual(await store.queryDerivationOutputs(derivationPath), new Map([["dev", dev], ["out", out]]));
  assert.deepEqual(await store.verify({ checkContents: true }), []);
  nixStore(root)?.("--verify", "--check-contents");
});

test("registers none when the check refuses", async (t) => {
  const { store } = await temporaryStore(t);
  const derivationPath = await makeDerivation(store);
  await using folder = await store.createTemporaryFolder();
  writeFileSync(`${folder.path}/out`, "1");
  const options = { derivationPath, outputs: [{ name: "out", path: out, folder: `${folder.path}/out` }], candidates: [] };
  await assert.rejects(store.registerBuildOutputs({ ...options, check: () => Promise.reject(new Error("no")) }), /^Error: no$/);
  assert.equal(await store.isValidPath(out), false);
  assert.equal(existsSync(store.realPath(out)), false);
});

test("a fixed output is copied to fresh files and must have the promised hash and no references", async (t) => {
  const { store } = await temporaryStore(t);
  const derivationPath = await makeDerivation(store);
  await using folder = await store.createTemporaryFolder();
  const file = `${folder.path}/file`;
  writeFileSync(file, "contents");
  const contentAddress = { method: "flat", hash: hashBytes("sha256", Buffer.from("contents")) } as const;
  const path = makeContentAddressedPath("file", contentAddress);
  const output = { name: "out", path, folder: file, contentAddress };
  const wrong = { ...contentAddress, hash: hashBytes("sha256", Buffer.from("other")) };
  await assert.rejects(store.registerBuildOutputs({ derivationPath, outputs: [{ ...output, contentAddress: wrong }], candidates: [] }), { code: "store.hash-mismatch" });
  const inode = statSync(file).ino;
  const info = (await store.registerBuildOutputs({ derivationPath, outputs: [output], candidates: [] })).get("out")!;
  assert.deepEqual(info.contentAddress, contentAddress);
  assert.notEqual(statSync(store.realPath(path)).ino, inode);

  const text = formatStorePath(path);
  writeFileSync(`${folder.path}/refers`, text);
  const refers = { method: "flat", hash: hashBytes("sha256", Buffer.from(text)) } as const;
  const outputs = [{ name: "out", path: makeContentAddressedPath("refers", refers), folder: `${folder.path}/refers`, contentAddress: refers }];
  await assert.rejects(store.registerBuildOutputs({ derivationPath, outputs, candidates: [path] }), { code: "store.fixed-output-references" });
});

test("a fixed output of this process's own files is checked the same, and not copied", async (t) => {
  const { store, root } = await temporaryStore(t);
  const derivationPath = await makeDerivation(store);
  await using folder = await store.createTemporaryFolder();
  const file = `${folder.path}/file`;
  // More than one chunk, not a multiple of eight.
  const contents = Buffer.alloc(700_003, "contents");
  const register = async (algorithm: "sha1" | "sha512", promised: Buffer): Promise<StorePath> => {
    const contentAddress = { method: "flat", hash: hashBytes(algorithm, promised) } as const;
    const path = makeContentAddressedPath("file", contentAddress);
    await store.registerBuildOutputs({ derivationPath, outputs: [{ name: "out", path, folder: file, contentAddress, ownFiles: true }], candidates: [] });
    return path;
  };
  writeFileSync(file, contents);
  const inode = statSync(file).ino;
  const kept = makeContentAddressedPath("file", { method: "flat", hash: hashBytes("sha512", contents) });
  await assert.rejects(register("sha512", contents.subarray(1)), (error: TsosError) => error.code === "store.hash-mismatch" && error.data["kept"] === kept);
  assert.equal(statSync(store.realPath(kept)).ino, inode);
  writeFileSync(file, contents);
  assert.equal(await register("sha512", contents), kept);
  assert.equal(statSync(store.realPath(kept)).ino, inode);
  rmSync(file, { force: true });
  mkdirSync(file);
  await assert.rejects(register("sha1", contents), { code: "store.not-a-file" });
  assert.deepEqual(await store.verify({ checkContents: true }), []);
  nixStore(root)?.("--verify", "--check-contents");
});

test("a fixed output with a flat hash must not be executable", async (t) => {
  const { store } = await temporaryStore(t);
  await using folder = await store.createTemporaryFolder();
  writeFileSync(`${folder.path}/file`, "contents", { mode: 0o755 });
  const contentAddress = { method: "flat", hash: hashBytes("sha256", Buffer.from("contents")) } as const;
  const outputs = [{ name: "out", path: makeContentAddressedPath("file", contentAddress), folder: `${folder.path}/file`, contentAddress }];
  await assert.rejects(store.registerBuildOutputs({ derivationPath: await makeDerivation(store), outputs, candidates: [] }), { code: "store.executable-output" });
});

test("floating outputs get the path of their contents, their own hash counted as zeros", async (t) => {
  const { store, root } = await temporaryStore(t);
  const derivationPath = await store.addTextToStore("thing", "text", []);
  const floating = { method: "nar", algorithm: "sha256" } as const;
  const build = async (scratchOut: StorePath, scratchDev: StorePath): Promise<Map<string, StorePath>> => {
    await using folder = await store.createTemporaryFolder();
    mkdirSync(`${folder.path}/out`);
    writeFileSync(`${folder.path}/out/self`, `I am ${formatStorePath(scratchOut)}`);
    writeFileSync(`${folder.path}/dev`, `for ${formatStorePath(scratchOut)}`);
    const infos = await store.registerBuildOutputs({
      derivationPath,
      outputs: [
        { name: "dev", scratchPath: scratchDev, folder: `${folder.path}/dev`, floating },
        { name: "out", scratchPath: scratchOut, folder: `${folder.path}/out`, floating },
      ],
      candidates: [],
    });
    return new Map([...infos].map(([name, info]) => [name, info.path]));
  };
  const first = await build(out, dev);
  const scratch = (digit: string, path: StorePath): StorePath => parseStorePathBaseName(digit.repeat(32) + path.slice(32));
  assert.deepEqual(await build(scratch("a", out), scratch("b", dev)), first);
  assert.equal(readFileSync(`${store.realPath(first.get("out")!)}/self`, "utf8"), `I am ${formatStorePath(first.get("out")!)}`);
  assert.equal(readFileSync(store.realPath(first.get("dev")!), "utf8"), `for ${formatStorePath(first.get("out")!)}`);
  assert.deepEqual((await store.getPathInfo(first.get("dev")!)).references, [first.get("out")!]);
  assert.deepEqual(await store.verify({ checkContents: true }), []);
  nixStore(root)?.("--verify", "--check-contents");
});

test("an archive with a content address that refers to itself must have the contents that it claims", async (t) => {
  const { store } = await temporaryStore(t);
  const other = await temporaryStore(t);
  await using folder = await store.createTemporaryFolder();
  writeFileSync(`${folder.path}/out`, `I am ${formatStorePath(out)}, version 1`);
  const built = await store.registerBuildOutputs({
    derivationPath: await store.addTextToStore("thing", "text", []),
    outputs: [{ name: "out", scratchPath: out, folder: `${folder.path}/out`, floating: { method: "nar", algorithm: "sha256" } }],
    candidates: [],
  });
  const { deriver: _, ...info } = built.get("out")!;
  assert.deepEqual(info.references, [info.path]);

  const forged = `${folder.path}/forged`;
  writeFileSync(forged, readFileSync(store.realPath(info.path), "utf8").replace("version 1", "version 2"));
  const { hash: narHash, size: narSize } = await narHashOfPath(forged);
  await assert.rejects(other.store.addNarToStore({ ...info, narHash, narSize }, dumpPath(forged)), { code: "store.hash-mismatch" });
  assert.equal(existsSync(other.store.realPath(info.path)), false);
  await other.store.addNarToStore(info, store.narFromPath(info.path));
  assert.deepEqual(await other.store.verify({ checkContents: true }), []);
});

test("refuses outputs that refer to each other in a circle", async (t) => {
  const { store } = await temporaryStore(t);
  await using folder = await store.createTemporaryFolder();
  writeFileSync(`${folder.path}/out`, dev);
  writeFileSync(`${folder.path}/dev`, out);
  const outputs = [{ name: "out", path: out, folder: `${folder.path}/out` }, { name: "dev", path: dev, folder: `${folder.path}/dev` }];
  await assert.rejects(store.registerBuildOutputs({ derivationPath: await makeDerivation(store), outputs, candidates: [] }), { code: "store.output-cycle" });
});

test("an output that is valid already stays as it was", async (t) => {
  const { store } = await temporaryStore(t);
  const derivationPath = await makeDerivation(store);
  await using folder = await store.createTemporaryFolder();
  for (const contents of ["first", "second"]) {
    writeFileSync(`${folder.path}/${contents}`, contents);
    await store.registerBuildOutputs({ derivationPath, outputs: [{ name: "out", path: out, folder: `${folder.path}/${contents}` }], candidates: [] });
  }
  assert.equal(readFileSync(store.realPath(out), "utf8"), "first");
  assert.deepEqual((await store.getPathInfo(out)).narHash, (await narHashOfPath(store.realPath(out))).hash);
});
