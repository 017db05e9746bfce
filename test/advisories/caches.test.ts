/** Binary caches, and who asks one, that are not honest. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { copyPaths } from "../../core/cache/copy-paths.ts";
import { openBinaryCache } from "../../core/cache/open-binary-cache.ts";
import { serveCache } from "../../core/cache/serve-cache.ts";
import { createSubstituters } from "../../core/cache/substituters.ts";
import { plainFetchSettings } from "../../core/fetch/fetch-settings.ts";
import { formatHash, hashBytes } from "../../core/hash/hash.ts";
import { openLocalStore } from "../../core/store/local-store.ts";
import type { LocalStore } from "../../core/store/store.ts";
import { formatStorePath, storePathHash, type StorePath } from "../../core/store-path/store-path.ts";
import { encodeUtf8 } from "../../core/util/bytes.ts";

let root: string;
let store: LocalStore;
before(async () => {
  root = mkdtempSync(join(tmpdir(), "tsos-advisories-"));
  store = await openLocalStore({ root: join(root, "store") });
});
after(async () => {
  await store[Symbol.asyncDispose]();
  rmSync(root, { recursive: true, force: true });
});

const settings = { ...plainFetchSettings, attempts: 1 };
const named = (letter: string, name: string): StorePath => `${letter.repeat(32)}-${name}` as StorePath;

type Description = { readonly path: StorePath; readonly url: string; readonly nar?: Uint8Array };

/** A cache in a folder that says `fields` of `asked`. */
async function cacheThatSays(name: string, asked: StorePath, { path, url, nar = encodeUtf8("nothing") }: Description): Promise<string> {
  const folder = join(root, name);
  mkdirSync(join(folder, "nar"), { recursive: true });
  writeFileSync(join(folder, "nix-cache-info"), "StoreDir: /nix/store\n");
  const hash = `sha256:${formatHash(hashBytes("sha256", nar), "nix32", false)}`;
  const lines = [`StorePath: ${formatStorePath(path)}`, `URL: ${url}`, "Compression: none", `NarHash: ${hash}`, `NarSize: ${nar.length}`, "References: "];
  writeFileSync(join(folder, `${storePathHash(asked)}.narinfo`), `${lines.join("\n")}\n`);
  return `file://${folder}?trusted=1`;
}

test("narinfo for another path is not believed", async () => {
  const asked = named("a", "wanted");
  const url = await cacheThatSays("other-path", asked, { path: named("b", "wanted"), url: "nar/x.nar" });
  await using cache = await openBinaryCache(url, { settings, environment: {} });
  await assert.rejects(cache.findNarInfo(asked), /is about ".*b{32}-wanted"/);
  // The same hash, another name.
  const renamed = await cacheThatSays("other-name", asked, { path: named("a", "else"), url: "nar/x.nar" });
  await using second = await openBinaryCache(renamed, { settings, environment: {} });
  await assert.rejects(second.findNarInfo(asked), /is about ".*a{32}-else"/);
});

describe("cache keys that leave the cache", () => {
  test("an archive that is a file elsewhere is not read", async () => {
    writeFileSync(join(root, "secret.nar"), "for root alone\n");
    for (const [i, url] of ["../secret.nar", "nar/../../secret.nar", join(root, "secret.nar"), `file://${root}/secret.nar`, "nar\\..\\..\\secret.nar", "./../secret.nar", "http://192.0.2.1/x.nar"].entries()) {
      const asked = named("c", `leaves-${i}`);
      const place = await cacheThatSays(`leaves-${i}`, asked, { path: asked, url });
      await using cache = await openBinaryCache(place, { settings, environment: {} });
      await assert.rejects(cache.findNarInfo(asked), /which may be another server's file/, url);
      const substituter = createSubstituters({ store, caches: [cache], trust: { publicKeys: [], requireSignatures: true } });
      assert.equal((await substituter.query([asked])).size, 0, url);
    }
  });

  test("a store that is served gives no file that is no path of it", async () => {
    writeFileSync(join(root, "secret"), "for root alone\n");
    const path = await store.addTextToStore("served", "served\n", []);
    await using server = await serveCache(store, { host: "127.0.0.1", port: 0, findLog: async () => ({ file: join(root, "secret"), compression: "none" }) });
    const { port } = new URL(server.url);
    const hash = storePathHash(path);
    for (const target of [
      "/../secret", "/nar/../../secret", "/%2e%2e/secret", "/nar/%2e%2e%2f%2e%2e%2fsecret", `/${root}/secret`, "//etc/passwd", "/nar//etc/passwd", `/log/../../secret`, `/log/${"d".repeat(32)}-x.drv`,
      `/${hash}.narinfo/../../secret`, `/nar/${hash}-..%2f..%2fsecret.nar`, `/nar/${"e".repeat(32)}-${"0".repeat(52)}.nar`, "/.narinfo", `/${"%".repeat(10)}`, `/${"a".repeat(8000)}.narinfo`,
    ]) {
      const answer = await ask(Number(port), target);
      assert.match(answer, /^HTTP\/1\.1 (404|400|431|500)/, target);
      assert.doesNotMatch(answer, /for root alone|root:x/, target);
    }
    assert.match(await ask(Number(port), `/${hash}.narinfo`), /^HTTP\/1\.1 200/);
  });

  test("what is copied to a cache in a folder stays in it", async () => {
    const path = await store.addTextToStore("copied", "copied\n", []);
    const folder = join(root, "target/cache");
    await using cache = await openBinaryCache(`file://${folder}`, { settings, environment: {} });
    await copyPaths(store, cache, [path]);
    assert.deepEqual(readdirSync(join(root, "target")), ["cache"]);
  });
});

test("an archive that is longer than was signed is not unpacked to its end", async () => {
  const asked = named("f", "longer");
  const url = await cacheThatSays("longer", asked, { path: asked, url: "nar/longer.nar", nar: encodeUtf8("short") });
  writeFileSync(join(root, "longer/nar/longer.nar"), Buffer.alloc(10_000_000));
  await using cache = await openBinaryCache(url, { settings, environment: {} });
  const info = (await cache.findNarInfo(asked))!;
  let read = 0;
  await assert.rejects(async () => {
    for await (const chunk of cache.readArchive(info)) read += chunk.length;
  }, /is longer than the 5 bytes/);
  assert.equal(read, 0);
});

/** As it is written: a URL class would take `..` out before it is sent. */
function ask(port: number, target: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => socket.write(`GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`));
    let text = "";
    socket.on("data", (bytes) => (text += bytes.toString("latin1")));
    socket.on("close", () => resolve(text));
    socket.on("error", reject);
  });
}
