import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHmac, createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { describe, test, type TestContext } from "node:test";
import { copyPaths } from "../../../core/cache/copy-paths.ts";
import { LookupCache } from "../../../core/cache/lookup-cache.ts";
import { openBinaryCache } from "../../../core/cache/open-binary-cache.ts";
import { parseCacheUrl } from "../../../core/cache/cache-url.ts";
import { serveCache } from "../../../core/cache/serve-cache.ts";
import { createSubstituters, type SubstitutersOptions } from "../../../core/cache/substituters.ts";
import type { BinaryCache } from "../../../core/cache/binary-cache.ts";
import { COMPRESSIONS } from "../../../core/compression/compress.ts";
import { plainFetchSettings } from "../../../core/fetch/fetch-settings.ts";
import { parsePublicKey, parseSecretKey } from "../../../core/narinfo/signature.ts";
import type { LocalStore } from "../../../core/store/store.ts";
import { storePathHash, type StorePath } from "../../../core/store-path/store-path.ts";
import type { ProgressEvent } from "../../../core/util/progress.ts";
import { hasProgram } from "../store/has-program.ts";
import { nixStore, temporaryStore } from "../store/temporary-store.ts";

// Made for these tests.
const SECRET_KEY = "test-1:hp3Hve9ldKkNM/aWLKkVhjFH+Eap46gwZdQbNy8HeeL863F+J1BsHipIWOGkl3ZERM/di6a6v4SjO81Hl7rCcQ==";
const settings = { ...plainFetchSettings, attempts: 2, retryDelay: 1 };

const open = (url: string, options: { readonly lookups?: LookupCache; readonly environment?: Record<string, string> } = {}): Promise<BinaryCache> =>
  openBinaryCache(url, { settings, environment: options.environment ?? {}, ...(options.lookups === undefined ? {} : { lookups: options.lookups }) });

/** Two texts of which the second refers to the first, and a folder with links and a program. */
async function fill(store: LocalStore, folder: string): Promise<{ readonly first: StorePath; readonly second: StorePath; readonly tree: StorePath }> {
  const first = await store.addTextToStore("first", "one", []);
  const second = await store.addTextToStore("second", `two ${first}`, [first]);
  const source = path.join(folder, "tree");
  mkdirSync(path.join(source, "bin"), { recursive: true });
  writeFileSync(path.join(source, "bin/run"), "#!/bin/sh\n".repeat(20_000), { mode: 0o755 });
  symlinkSync("bin/run", path.join(source, "link"));
  const tree = await store.addPathToStore("tree", source);
  return { first, second, tree };
}

/** A path that is known by what made it, not by its contents: nobody believes it without a signature. */
async function addUnsigned(store: LocalStore): Promise<StorePath> {
  const model = await store.addTextToStore("model", "contents", []);
  const info = await store.getPathInfo(model);
  const named = `${"0".repeat(32)}-built` as StorePath;
  await store.addNarToStore({ path: named, narHash: info.narHash, narSize: info.narSize, references: [] }, store.narFromPath(model));
  return named;
}

async function listen(t: TestContext, listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A folder behind HTTP, which counts its requests and may interfere with them. */
async function serveFolder(t: TestContext, folder: string, interfere: (request: IncomingMessage, path: string, bytes: Buffer) => Buffer | number | undefined = (_, __, bytes) => bytes): Promise<{ readonly url: string; readonly requests: string[] }> {
  const requests: string[] = [];
  const url = await listen(t, (request, response) => {
    requests.push(`${request.method} ${request.url}`);
    const file = path.join(folder, request.url!);
    const bytes = existsSync(file) && statSync(file).isFile() ? readFileSync(file) : undefined;
    const answer = bytes === undefined ? 404 : interfere(request, request.url!, bytes);
    if (typeof answer === "number") response.writeHead(answer).end();
    else if (answer === undefined) response.destroy();
    else response.writeHead(200, { "content-length": String(answer.length) }).end(answer);
  });
  return { url, requests };
}

function substituters(store: LocalStore, caches: readonly BinaryCache[], options: Partial<SubstitutersOptions> = {}): { readonly substituter: ReturnType<typeof createSubstituters>; readonly warnings: string[] } {
  const warnings: string[] = [];
  const report = (event: ProgressEvent): void => void (event.kind === "message" && warnings.push(event.text));
  return { substituter: createSubstituters({ store, caches, trust: { publicKeys: [], requireSignatures: true }, report, ...options }), warnings };
}

describe("a cache in a folder", () => {
  for (const compression of COMPRESSIONS) {
    test(`gives back what was put into it, packed as ${compression}`, async (t) => {
      const { store, folder } = await temporaryStore(t);
      const { second, tree, first } = await fill(store, folder);
      const url = `file://${folder}/cache?compression=${compression}`;
      await using cache = await open(url);
      const result = await copyPaths(store, cache, [second, tree]);
      assert.deepEqual([...result.copied].sort(), [first, second, tree].sort());
      assert.equal((await copyPaths(store, cache, [second, tree])).copied.length, 0);

      const other = await temporaryStore(t);
      await using again = await open(url);
      await copyPaths(again, other.store, [second, tree]);
      for (const one of [first, second, tree]) {
        const [want, got] = [await store.getPathInfo(one), await other.store.getPathInfo(one)];
        assert.deepEqual({ ...got, registrationTime: 0 }, { ...want, registrationTime: 0 });
      }
      assert.deepEqual(await other.store.verify({ checkContents: true }), []);
      assert.deepEqual(readdirSync(path.join(folder, "cache/nar")).filter((name) => name.includes("tmp")), []);
    });
  }

  test("is read by Nix, and read when Nix filled it", async (t) => {
    const { store, folder, root } = await temporaryStore(t);
    if (nixStore(root) === undefined) return t.skip("Debian's nix-bin is not installed");
    const { second, tree } = await fill(store, folder);
    const { execFileSync } = await import("node:child_process");
    const nix = (...args: string[]): string => execFileSync("nix", ["--extra-experimental-features", "nix-command", ...args], { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"], env: { PATH: process.env["PATH"], HOME: folder } });
    await using cache = await open(`file://${folder}/cache?compression=gzip`);
    await copyPaths(store, cache, [second, tree]);
    const theirs = path.join(folder, "theirs");
    nix("copy", "--no-check-sigs", "--from", `file://${folder}/cache`, "--to", `local?root=${theirs}`, `/nix/store/${second}`, `/nix/store/${tree}`);
    const verified = nix("store", "verify", "--no-trust", "--store", `local?root=${theirs}`, "--all");
    assert.equal(verified, "");

    nix("copy", "--from", `local?root=${theirs}`, "--to", `file://${folder}/nixes?compression=xz`, `/nix/store/${second}`, `/nix/store/${tree}`);
    const ours = await temporaryStore(t);
    await using filled = await open(`file://${folder}/nixes`);
    await copyPaths(filled, ours.store, [second, tree]);
    assert.deepEqual(await ours.store.verify({ checkContents: true }), []);
  });

  test("refuses contents that are not what they are said to be", async (t) => {
    const { store, folder } = await temporaryStore(t);
    const { tree, first } = await fill(store, folder);
    await using cache = await open(`file://${folder}/cache`);
    await assert.rejects(cache.addNarToStore(await store.getPathInfo(tree), store.narFromPath(first)), { code: "store.hash-mismatch" });
    assert.equal(await cache.isValidPath(tree), false);
  });
});

describe("a cache that cannot be believed", () => {
  test("is not taken at its word without a signature, and is with one", async (t) => {
    const { store, folder } = await temporaryStore(t);
    const built = await addUnsigned(store);
    const { publicKey, file } = makeKey(folder);
    await using bare = await open(`file://${folder}/bare`);
    await using signed = await open(`file://${folder}/signed?secret-key=${file}`);
    await copyPaths(store, bare, [built]);
    await copyPaths(store, signed, [built]);
    const other = await temporaryStore(t);
    const { substituter, warnings } = substituters(other.store, [bare]);
    assert.equal((await substituter.query([built])).size, 0);
    assert.match(warnings.join(), /no trusted key signed it/);
    await assert.rejects(substituter.substitute(built), { code: "cache.substitution-failed" });

    const believing = substituters(other.store, [bare, signed], { trust: { publicKeys: [parsePublicKey(publicKey)], requireSignatures: true } }).substituter;
    assert.equal((await believing.query([built])).get(built)?.from, signed.name);
    await believing.substitute(built);
    assert.equal((await other.store.getPathInfo(built)).signatures.length, 1);
  });

  test("may have what is named by its contents, which proves itself", async (t) => {
    const { store, folder } = await temporaryStore(t);
    const { first } = await fill(store, folder);
    await using cache = await open(`file://${folder}/cache`);
    await copyPaths(store, cache, [first]);
    const other = await temporaryStore(t);
    await substituters(other.store, [cache]).substituter.substitute(first);
    assert.ok(await other.store.isValidPath(first));

    // The same name for other contents.
    const info = await store.getPathInfo(await store.addTextToStore("other", "other", []));
    await using liar = await open(`file://${folder}/liar`);
    await liar.addNarToStore({ ...info, path: first, contentAddress: info.contentAddress }, store.narFromPath(info.path));
    const third = await temporaryStore(t);
    assert.equal((await substituters(third.store, [liar]).substituter.query([first])).size, 0);
    await using double = await open(`file://${folder}/double?trusted=1`);
    await double.addNarToStore({ ...info, path: first, contentAddress: (await store.getPathInfo(first)).contentAddress }, store.narFromPath(info.path));
    await assert.rejects(substituters(third.store, [double]).substituter.substitute(first), { code: "cache.substitution-failed" });
    assert.equal(await third.store.isValidPath(first), false);
    assert.deepEqual(readdirSync(third.store.realStoreDir).filter((name) => name !== ".links"), []);
  });

  const changes: readonly (readonly [string, (text: string, other: string) => string])[] = [
    ["describes another path", (_, other) => other],
    ["names an archive of another server", (text) => text.replace(/^URL: .*/m, "URL: http://127.0.0.1:1/x.nar")],
    ["names an archive outside of it", (text) => text.replace(/^URL: .*/m, "URL: nar/../../etc/passwd")],
    ["names an archive by an absolute path", (text) => text.replace(/^URL: .*/m, "URL: /etc/passwd")],
    ["knows an unknown compression", (text) => text.replace(/^Compression: .*/m, "Compression: rot13")],
    ["ends in the middle", (text) => text.slice(0, 80)],
    ["is no description", () => "<html>"],
  ];
  for (const [what, change] of changes) {
    test(`gives nothing when its description ${what}`, async (t) => {
      const { store, folder } = await temporaryStore(t);
      const { first, tree } = await fill(store, folder);
      await using cache = await open(`file://${folder}/cache?trusted=1`);
      await copyPaths(store, cache, [first, tree]);
      const file = path.join(folder, "cache", `${storePathHash(tree)}.narinfo`);
      writeFileSync(file, change(readFileSync(file, "utf8"), readFileSync(path.join(folder, "cache", `${storePathHash(first)}.narinfo`), "utf8")));
      const other = await temporaryStore(t);
      const { substituter, warnings } = substituters(other.store, [cache]);
      assert.equal((await substituter.query([tree, first])).size, 1, "the other path is still to be had");
      assert.equal(warnings.length, 1, warnings.join());
      await assert.rejects(substituter.substitute(tree), { code: "cache.substitution-failed" });
    });
  }

  test("does not make anything valid by a damaged, cut or endless archive", async (t) => {
    const { store, folder } = await temporaryStore(t);
    const { tree } = await fill(store, folder);
    await using cache = await open(`file://${folder}/cache?compression=none&trusted=1`);
    await copyPaths(store, cache, [tree]);
    const archive = path.join(folder, "cache/nar", readdirSync(path.join(folder, "cache/nar"))[0]!);
    const whole = readFileSync(archive);
    const other = await temporaryStore(t);
    const damages: readonly (() => void)[] = [
      () => writeFileSync(archive, Buffer.concat([whole.subarray(0, 5000), Buffer.from("X"), whole.subarray(5001)])),
      () => truncateSync(archive, 1000),
      () => writeFileSync(archive, Buffer.concat([whole, Buffer.alloc(100_000)])),
      () => writeFileSync(archive, ""),
    ];
    for (const damage of damages) {
      damage();
      await assert.rejects(substituters(other.store, [cache]).substituter.substitute(tree), { code: "cache.substitution-failed" });
      assert.equal(await other.store.isValidPath(tree), false);
    }
    writeFileSync(archive, whole);
    await substituters(other.store, [cache]).substituter.substitute(tree);
    assert.deepEqual(await other.store.verify({ checkContents: true }), []);
  });

  test("ends at references that go in a circle", async (t) => {
    const { store, folder } = await temporaryStore(t);
    const { first, second } = await fill(store, folder);
    await using cache = await open(`file://${folder}/cache?trusted=1`);
    await copyPaths(store, cache, [second]);
    const file = path.join(folder, "cache", `${storePathHash(first)}.narinfo`);
    writeFileSync(file, readFileSync(file, "utf8").replace(/^References:.*/m, `References: ${second}`));
    const other = await temporaryStore(t);
    await assert.rejects(copyPaths(cache, other.store, [second]));
    assert.deepEqual(await other.store.queryAllValidPaths(), []);
  });
});

describe("a cache behind HTTP", () => {
  test("is asked once for what it has and has not, by later processes too", async (t) => {
    const { store, folder } = await temporaryStore(t);
    const { first, second, tree } = await fill(store, folder);
    await using local = await open(`file://${folder}/cache`);
    await copyPaths(store, local, [second]);
    const { url, requests } = await serveFolder(t, path.join(folder, "cache"));
    const other = await temporaryStore(t);
    for (let run = 0; run < 2; run++) {
      using lookups = LookupCache.open(path.join(folder, "lookups"))!;
      await using cache = await open(url, { lookups });
      const found = await substituters(other.store, [cache], { lookups }).substituter.query([first, second, tree]);
      assert.deepEqual([...found.keys()].sort(), [first, second].sort());
    }
    assert.deepEqual([...requests].sort(), ["/nix-cache-info", ...[first, second, tree].map((one) => `/${storePathHash(one)}.narinfo`)].map((one) => `GET ${one}`).sort());
  });

  test("is asked again when what is remembered proves wrong or old", async (t) => {
    const { folder } = await temporaryStore(t);
    let now = 1_000_000;
    using lookups = LookupCache.open(path.join(folder, "lookups"), { now: () => now })!;
    lookups.rememberNarInfo("http://a", "x", undefined);
    lookups.rememberNarInfo("http://a", "y", "text");
    assert.deepEqual([lookups.findNarInfo("http://a", "x"), lookups.findNarInfo("http://a", "y"), lookups.findNarInfo("http://b", "y")], ["absent", "text", undefined]);
    now += 3601;
    assert.deepEqual([lookups.findNarInfo("http://a", "x"), lookups.findNarInfo("http://a", "y")], [undefined, "text"]);
    // Who asks for newer answers gets none, and takes none away from others.
    {
      using impatient = LookupCache.open(path.join(folder, "lookups"), { now: () => now, lifetimes: { found: 60 } })!;
      assert.equal(impatient.findNarInfo("http://a", "y"), undefined);
    }
    assert.equal(lookups.findNarInfo("http://a", "y"), "text");
    lookups.forgetNarInfo("http://a", "y");
    assert.equal(lookups.findNarInfo("http://a", "y"), undefined);
  });

  test("is taken up where a transfer broke", async (t) => {
    const { store, folder } = await temporaryStore(t);
    const { tree } = await fill(store, folder);
    const { url } = await (async () => {
      await using local = await open(`file://${folder}/cache?compression=none`);
      await copyPaths(store, local, [tree]);
      let breaks = 2;
      return {
        url: await listen(t, (request, response) => {
          const bytes = readFileSync(path.join(folder, "cache", request.url!));
          const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "bytes=0-")![1]);
          const rest = bytes.subarray(from);
          response.writeHead(from === 0 ? 200 : 206, { "content-length": String(rest.length), ...(from === 0 ? {} : { "content-range": `bytes ${from}-${bytes.length - 1}/${bytes.length}` }) });
          if (request.url!.startsWith("/nar/") && breaks-- > 0) response.write(rest.subarray(0, rest.length >> 1), () => response.destroy());
          else response.end(rest);
        }),
      };
    })();
    const other = await temporaryStore(t);
    await using cache = await open(url);
    await copyPaths(cache, other.store, [tree]);
    assert.deepEqual(await other.store.verify({ checkContents: true }), []);
  });

  test("that fails is left out, once said, and the next one serves", async (t) => {
    const { store, folder } = await temporaryStore(t);
    const { first, second, tree } = await fill(store, folder);
    await using good = await open(`file://${folder}/cache?priority=90`);
    await copyPaths(store, good, [second, tree]);
    const broken = await serveFolder(t, path.join(folder, "cache"), (_, url, bytes) => (url.endsWith(".narinfo") ? 500 : bytes));
    const slow = await serveFolder(t, path.join(folder, "cache"), () => undefined);
    await using bad = await open(`${broken.url}?priority=10`);
    await using dead = await open(`${slow.url}?priority=20`);
    const other = await temporaryStore(t);
    const { substituter, warnings } = substituters(other.store, [good, bad, dead]);
    assert.equal((await substituter.query([first, second, tree])).size, 3);
    assert.equal(warnings.length, 2, warnings.join("\n"));
    assert.match(warnings[0]!, /left out for a minute/);
    const before = broken.requests.length;
    await substituter.query([`${"1".repeat(32)}-x` as StorePath]);
    assert.equal(broken.requests.length, before, "it is asked no more");
  });

  test("without the archive that it describes falls back to the next one", async (t) => {
    const { store, folder } = await temporaryStore(t);
    const { first } = await fill(store, folder);
    await using good = await open(`file://${folder}/cache?priority=90`);
    await copyPaths(store, good, [first]);
    const half = await serveFolder(t, path.join(folder, "cache"), (_, url, bytes) => (url.startsWith("/nar/") ? 404 : bytes));
    await using bad = await open(`${half.url}?priority=10`);
    const other = await temporaryStore(t);
    const { substituter } = substituters(other.store, [bad, good]);
    assert.equal((await substituter.query([first])).get(first)?.from, bad.name);
    await substituter.substitute(first);
    assert.ok(await other.store.isValidPath(first));
  });

  test("of a password is sent it, and shows it nowhere", async (t) => {
    const { store, folder } = await temporaryStore(t);
    const { first } = await fill(store, folder);
    await using server = await serveCache(store, { host: "127.0.0.1", port: 0, token: "s3cret" });
    const address = (user: string): string => server.url.replace("http://", `http://${user}@`);
    await using cache = await open(address("me:s3cret"));
    assert.ok(await cache.isValidPath(first));
    assert.equal(cache.name, server.url);
    await using wrong = await open(address("me:wrong"));
    await assert.rejects(wrong.isValidPath(first), (error: Error) => error.message.includes("401") && !error.message.includes("wrong@") && !error.message.includes("me:"));
    const other = await fetch(`${server.url}/nix-cache-info`);
    assert.equal(other.status, 401);
    assert.equal((await fetch(`${server.url}/nix-cache-info`, { headers: { authorization: "Bearer s3cret" } })).status, 200);
  });

  test("is sent the password that the netrc file has for its host", async (t) => {
    const { store, folder } = await temporaryStore(t);
    const { first } = await fill(store, folder);
    await using server = await serveCache(store, { host: "127.0.0.1", port: 0, token: "s3cret" });
    const named = (host: string): Promise<BinaryCache> => openBinaryCache(server.url, { settings: { ...settings, netrc: [{ host, login: "me", password: "s3cret" }] }, environment: {} });
    await using cache = await named("127.0.0.1");
    assert.ok(await cache.isValidPath(first));
    await using other = await named("elsewhere.example");
    await assert.rejects(other.isValidPath(first), /401/);
  });

  test("has listings beside its descriptions where that is asked for, as Nix writes them", async (t) => {
    const { store, folder } = await temporaryStore(t);
    const { tree } = await fill(store, folder);
    await using cache = await open(`file://${folder}/listed?write-nar-listing=1`);
    await copyPaths(store, cache, [tree]);
    const listing = JSON.parse(readFileSync(path.join(folder, "listed", `${storePathHash(tree)}.ls`), "utf8")) as { readonly version: number; readonly root: { readonly entries: Record<string, unknown> } };
    assert.deepEqual(listing, {
      version: 1,
      root: { type: "directory", entries: { bin: { type: "directory", entries: { run: { type: "regular", executable: true, size: 200_000, narOffset: 400 } } }, link: { type: "symlink", target: "bin/run" } } },
    });
    if (!hasProgram("nix")) return;
    const url = `local?root=${store.realStoreDir.slice(0, -"/nix/store".length)}`;
    execFileSync("nix", ["--extra-experimental-features", "nix-command", "copy", "--no-check-sigs", "--from", url, "--to", `file://${folder}/by-nix?write-nar-listing=1`, `/nix/store/${tree}`], { stdio: "pipe" });
    assert.deepEqual(JSON.parse(readFileSync(path.join(folder, "by-nix", `${storePathHash(tree)}.ls`), "utf8")), listing);
  });

  test("is a bucket that takes signed requests only", async (t) => {
    const { store, folder } = await temporaryStore(t);
    const { second } = await fill(store, folder);
    const files = new Map<string, Buffer>();
    const url = await listen(t, (request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        if (!isSignedV4(request, "AKID", "secret")) response.writeHead(403).end();
        else if (request.method === "PUT") {
          files.set(request.url!, Buffer.concat(chunks));
          response.end();
        } else if (!files.has(request.url!)) response.writeHead(404).end();
        else response.end(request.method === "HEAD" ? undefined : files.get(request.url!));
      });
    });
    const bucket = `s3://bucket/some/where?region=eu-west-1&endpoint=${url}`;
    const environment = { AWS_ACCESS_KEY_ID: "AKID", AWS_SECRET_ACCESS_KEY: "secret" };
    await using cache = await open(bucket, { environment });
    await copyPaths(store, cache, [second]);
    assert.ok(files.has("/bucket/some/where/nix-cache-info"));
    const other = await temporaryStore(t);
    await copyPaths(cache, other.store, [second]);
    assert.ok(await other.store.isValidPath(second));
    await using stranger = await open(bucket, { environment: { ...environment, AWS_SECRET_ACCESS_KEY: "guess" } });
    assert.equal(await stranger.isValidPath(second), false);
  });
});

describe("a served store", () => {
  test("is a cache that Nix takes paths from, signed", async (t) => {
    const { store, folder, root } = await temporaryStore(t);
    if (nixStore(root) === undefined) return t.skip("Debian's nix-bin is not installed");
    const { second, tree } = await fill(store, folder);
    const built = await addUnsigned(store);
    const { publicKey, file } = makeKey(folder);
    await using server = await serveCache(store, { host: "127.0.0.1", port: 0, secretKeys: [parseSecretKey(readFileSync(file, "utf8"))] });
    const { execFile } = await import("node:child_process");
    const { promisify } = await import("node:util");
    const theirs = path.join(folder, "theirs");
    const nix = async (...args: string[]): Promise<string> => (await promisify(execFile)("nix", ["--extra-experimental-features", "nix-command", ...args], { env: { PATH: process.env["PATH"], HOME: folder } })).stdout;
    await nix("copy", "--option", "trusted-public-keys", publicKey, "--from", server.url, "--to", `local?root=${theirs}`, ...[second, tree, built].map((one) => `/nix/store/${one}`));
    assert.equal(await nix("store", "verify", "--no-trust", "--store", `local?root=${theirs}`, "--all"), "");
  });

  test("says no to what is no path of it", async (t) => {
    const { store, folder } = await temporaryStore(t);
    const { first } = await fill(store, folder);
    await using server = await serveCache(store, { host: "127.0.0.1", port: 0 });
    const status = async (file: string, init?: RequestInit): Promise<number> => (await fetch(`${server.url}${file}`, init)).status;
    assert.equal(await status(`/${storePathHash(first)}.narinfo`), 200);
    assert.equal(await status("/..%2f..%2fetc%2fpasswd.narinfo"), 404);
    assert.equal(await status(`/nar/${storePathHash(first)}-${"0".repeat(52)}.nar`), 404);
    assert.equal(await status("/nar/../../etc/passwd"), 404);
    assert.equal(await status(`/${"0".repeat(32)}.narinfo`), 404);
    assert.equal(await status("/nix-cache-info", { method: "DELETE" }), 405);
  });
});

describe("the address of a cache", () => {
  test("is refused with the reason when it is none", () => {
    for (const [url, reason] of [
      ["nonsense", /not a URL/],
      ["ftp://host/x", /"ftp:"/],
      ["file://host/x", /no host/],
      ["https://h/?prioriti=1", /"prioriti" is no parameter/],
      ["https://h/?priority=high", /priority is "high"/],
      ["file:///x?compression=lzma", /cannot be written as "lzma"/],
    ] as const) {
      assert.throws(() => parseCacheUrl(url), reason);
    }
    assert.throws(() => parseCacheUrl("ftp://me:secret@host"), (error: Error) => !error.message.includes("secret"));
  });
});

/** A key pair in a file. */
function makeKey(folder: string): { readonly publicKey: string; readonly file: string } {
  const file = path.join(folder, "key");
  writeFileSync(file, SECRET_KEY);
  return { publicKey: `test-1:${Buffer.from(SECRET_KEY.split(":")[1]!, "base64").subarray(32).toString("base64")}`, file };
}

/** What a server checks of a request's signature, written from the description of the scheme. */
function isSignedV4(request: IncomingMessage, keyId: string, secret: string): boolean {
  const [, credential, signedHeaders, signature] = /^AWS4-HMAC-SHA256 Credential=([^,]+), ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/.exec(request.headers.authorization ?? "") ?? [];
  if (credential === undefined || !credential.startsWith(`${keyId}/`)) return false;
  const [, day, region, service] = credential.split("/") as [string, string, string, string];
  const names = signedHeaders!.split(";");
  const canonical = [request.method, request.url, "", ...names.map((name) => `${name}:${String(request.headers[name])}`), "", signedHeaders, String(request.headers["x-amz-content-sha256"])].join("\n");
  const hmac = (key: string | Buffer, text: string): Buffer => createHmac("sha256", key).update(text).digest();
  const key = hmac(hmac(hmac(hmac(`AWS4${secret}`, day), region), service), "aws4_request");
  const toSign = ["AWS4-HMAC-SHA256", String(request.headers["x-amz-date"]), `${day}/${region}/${service}/aws4_request`, createHash("sha256").update(canonical).digest("hex")].join("\n");
  return names.includes("host") && hmac(key, toSign).toString("hex") === signature;
}
