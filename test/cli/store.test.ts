/** The store by hand: what maintains it, compares, explains and moves it. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { copyPaths } from "../../core/cache/copy-paths.ts";
import { openBinaryCache } from "../../core/cache/open-binary-cache.ts";
import { plainFetchSettings } from "../../core/fetch/fetch-settings.ts";
import { openLocalStore } from "../../core/store/local-store.ts";
import { formatStorePath, parseStorePath } from "../../core/store-path/store-path.ts";
import { nixStore } from "../core/store/temporary-store.ts";
import { createPrivateStore, type PrivateStore } from "../faults/private-store.ts";

type Paths = { readonly text: string; readonly tree: string; readonly newer: string };

/** A text, a tree that names it deep inside, and a newer tree that does not. */
async function fill({ root, folder }: PrivateStore): Promise<Paths> {
  await using store = await openLocalStore({ root });
  const text = await store.addTextToStore("text-1.0", "right\n", []);
  const source = join(folder, "source");
  mkdirSync(join(source, "share/doc"), { recursive: true });
  writeFileSync(join(source, "share/doc/about"), `${"-".repeat(2_000_000)}\nsee ${formatStorePath(text)} for more\n`);
  symlinkSync("doc/about", join(source, "share/link"));
  const tree = await store.addPathToStore("tree-1.0", source, { references: [text] });
  writeFileSync(join(source, "share/doc/about"), "nothing more\n");
  const newer = await store.addPathToStore("tree-2.0", source);
  return { text: formatStorePath(text), tree: formatStorePath(tree), newer: formatStorePath(newer) };
}

describe("tsos store", () => {
  test("why A B shows the chain, the file and the place of the reference", async () => {
    await using store = createPrivateStore({});
    const { text, tree, newer } = await fill(store);
    assert.match(await store.do("store", "why", tree, text), new RegExp(`^${tree}\\n  share/doc/about \\(byte 2000016\\): …see ${text} for more…\\n  → ${text}$`));
    const { chain } = JSON.parse(await store.do("store", "why", tree, text, "--json")) as { chain: { path: string; places: { file: string; offset: number }[] }[] };
    assert.deepEqual(chain.map(({ path, places }) => [path, places.map(({ file, offset }) => [file, offset])]), [[tree, [["share/doc/about", 2_000_016]]], [text, []]]);
    assert.equal(readFileSync(join(store.root, tree, "share/doc/about"), "latin1").slice(2_000_016, 2_000_048), text.slice(11, 43));
    const none = await store.run("store", "why", newer, text);
    assert.deepEqual([none.code, none.stdout], [1, `"${newer}" does not need "${text}"\n`]);
  });

  test("diff names what came, what went and what has another version", async () => {
    await using store = createPrivateStore({});
    const { text, tree, newer } = await fill(store);
    assert.deepEqual((await store.do("store", "diff", tree, newer)).split("\n"), ["text: 1.0 → ∅, -120 B", "tree: 1.0 → 2.0, -1.9 MiB"]);
    const json = JSON.parse(await store.do("store", "diff", tree, newer, "--json")) as Record<string, unknown>;
    assert.deepEqual([json["added"], json["removed"]], [[newer], [text, tree].sort()]);
    assert.equal(await store.do("store", "diff", tree, tree), "");
  });

  test("info tells signatures, content address and closure size", async () => {
    await using store = createPrivateStore({});
    const { text, tree } = await fill(store);
    const info = async (path: string): Promise<Record<string, unknown>> => JSON.parse(await store.do("store", "info", path, "--json")) as Record<string, unknown>;
    const [one, other] = [await info(text), await info(tree)];
    assert.deepEqual([one["signatures"], one["ultimate"]], [[], false]);
    assert.match(String(one["ca"]), /^text:sha256:/);
    assert.match(String(other["ca"]), /^fixed:r:sha256:/);
    assert.equal(other["closureSize"], Number(one["narSize"]) + Number(other["narSize"]));
  });

  test("ls, cat and info look into a cache without taking anything from it", async () => {
    await using store = createPrivateStore({});
    await using empty = createPrivateStore({});
    const { text, tree } = await fill(store);
    const url = `file://${store.folder}/cache`;
    {
      await using opened = await openLocalStore({ root: store.root });
      await using cache = await openBinaryCache(url, { settings: plainFetchSettings, environment: {} });
      await copyPaths(opened, cache, [parseStorePath(tree)]);
    }
    assert.equal(await empty.do("store", "ls", "--from", url, tree), "share/");
    assert.deepEqual(JSON.parse(await empty.do("store", "ls", "--json", "--from", url, `${tree}/share`)), { version: 1, path: `${tree}/share`, entries: ["doc/", "link"] });
    assert.equal(await empty.do("store", "cat", "--from", url, text), "right");
    assert.match(await empty.do("store", "cat", "--from", url, `${tree}/share/doc/about`), /see .* for more$/);
    const about = JSON.parse(await empty.do("store", "info", "--json", "--from", url, tree)) as Record<string, unknown>;
    assert.equal(about["closureSize"], (JSON.parse(await store.do("store", "info", "--json", tree)) as Record<string, unknown>)["closureSize"]);
    assert.match((await empty.run("store", "cat", "--from", url, `${tree}/share`)).stderr, /is not a file/);
    await using opened = await openLocalStore({ root: empty.root });
    assert.deepEqual(await opened.queryAllValidPaths(), []);
  });

  test("export and import move a closure, and Nix reads and writes the same", async (t) => {
    await using store = createPrivateStore({});
    await using other = createPrivateStore({});
    const { text, tree } = await fill(store);
    const { stdoutBytes: bytes } = await store.run("store", "export", tree);
    const file = join(store.folder, "closure");
    writeFileSync(file, bytes);
    const bin = join(import.meta.dirname, "../../bin/tsos.js");
    const importInto = (root: string, input: Buffer): string => execFileSync(process.execPath, [bin, "--store", root, "store", "import"], { input, encoding: "utf8", stdio: ["pipe", "pipe", "pipe"] });
    assert.deepEqual(importInto(other.root, bytes).trim().split("\n"), [text, tree]);
    await using opened = await openLocalStore({ root: other.root });
    assert.deepEqual(await opened.verify({ checkContents: true }), []);
    assert.throws(() => importInto(other.root, bytes.subarray(0, -20)), /ends too early/);
    const nix = nixStore(store.root);
    if (nix === undefined) return void t.diagnostic("nix-store is not installed");
    const options = (root: string): readonly string[] => ["--store", `local?root=${root}`];
    const env = { PATH: process.env["PATH"], HOME: store.folder };
    assert.deepEqual(execFileSync("nix-store", [...options(store.root), "--export", text, tree], { env, maxBuffer: 1 << 28 }), bytes);
    await using third = createPrivateStore({});
    execFileSync("nix-store", [...options(third.root), "--import"], { input: bytes, env, stdio: ["pipe", "ignore", "pipe"] });
    assert.deepEqual(execFileSync("nix-store", [...options(third.root), "--query", "--references", tree], { env, encoding: "utf8" }).trim(), text);
  });

  test("a damaged path does not leave, and is found, repaired or named", async () => {
    await using store = createPrivateStore({});
    const { text } = await fill(store);
    const file = join(store.root, text);
    chmodSync(file, 0o644);
    writeFileSync(file, "wrong\n");
    chmodSync(file, 0o444);
    const exported = await store.run("store", "export", text);
    assert.equal(exported.code, 1);
    assert.match(exported.stderr, /tsos store repair/);
    const unrepaired = await store.run("store", "repair", text);
    assert.match(unrepaired.stderr, /no binary cache has it and its derivation is not here/);
    const url = `file://${store.folder}/cache?trusted=1`;
    await using good = createPrivateStore({ TSOS_SUBSTITUTERS: url });
    await fill(good);
    await good.do("store", "copy", "--to", url, text);
    const damaged = join(good.root, text);
    chmodSync(damaged, 0o644);
    writeFileSync(damaged, "wrong\n");
    assert.equal((await good.run("store", "verify", "--check-contents")).code, 1);
    const { problems, repaired } = JSON.parse(await good.do("store", "verify", "--repair", "--json")) as { problems: unknown[]; repaired: string[] };
    assert.deepEqual([problems, repaired], [[], [text]]);
    assert.equal(readFileSync(damaged, "utf8"), "right\n");
  });

  test("keys sign paths, and verify names what no trusted key signed", async () => {
    const env: Record<string, string> = {};
    await using store = createPrivateStore(env);
    const { text } = await fill(store);
    const built = `/nix/store/${"0".repeat(32)}-built`;
    {
      await using opened = await openLocalStore({ root: store.root });
      const model = parseStorePath(text);
      const { narHash, narSize } = await opened.getPathInfo(model);
      await opened.addNarToStore({ path: parseStorePath(built), narHash, narSize, references: [] }, opened.narFromPath(model));
    }
    assert.equal((await store.run("store", "verify", "--check-contents")).code, 0);
    const unsigned = await store.run("store", "verify", "--check-signatures");
    assert.equal(unsigned.code, 1);
    assert.equal(unsigned.stdout, `${built} came from elsewhere, and no trusted key signed it\n`);

    const { privateKey, publicKey } = generateKeyPairSync("ed25519");
    const [seed, point] = [privateKey.export({ format: "jwk" }).d!, publicKey.export({ format: "jwk" }).x!].map((part) => Buffer.from(part, "base64url"));
    const keyFile = join(store.folder, "key");
    writeFileSync(keyFile, `ours-1:${Buffer.concat([seed!, point!]).toString("base64")}\n`);
    // The path after the file is no second file.
    await store.do("store", "sign", "--key-file", keyFile, built);
    assert.equal((await store.run("store", "verify", "--check-signatures")).code, 1);
    env["TSOS_TRUSTED_PUBLIC_KEYS"] = `ours-1:${point!.toString("base64")}`;
    assert.equal((await store.run("store", "verify", "--check-signatures")).code, 0);
  });

  test("optimise says what it shared", async () => {
    await using store = createPrivateStore({});
    await fill(store);
    assert.deepEqual(JSON.parse(await store.do("store", "optimise", "--json")), { version: 1, filesLinked: 1, bytesFreed: 0 });
    assert.equal((await store.run("store", "optimise")).code, 0);
    await store.do("store", "verify", "--check-contents");
  });
});
