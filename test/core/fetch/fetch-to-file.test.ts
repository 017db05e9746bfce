import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { RequestListener } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { pathToFileURL } from "node:url";
import { plainFetchSettings } from "../../../core/fetch/fetch-settings.ts";
import { fetchToFile } from "../../../core/fetch/fetch-to-file.ts";
import { hashBytes } from "../../../core/hash/hash.ts";

const settings = { ...plainFetchSettings, attempts: 3, retryDelay: 1, connectTimeout: 2000, stallTimeout: 500 };
const contents = Buffer.from("0123456789".repeat(20_000));
const expectedHash = hashBytes("sha256", contents);

function folderOf(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "tsos-fetch-"));
  context.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

async function serve(context: TestContext, listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  context.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  assert(typeof address === "object" && address !== null);
  return `http://127.0.0.1:${address.port}`;
}

test("fetches a file, checks its hash and reports progress", async (context) => {
  const base = await serve(context, (_, response) => response.end(contents));
  const target = join(folderOf(context), "file");
  const seen: number[] = [];
  const result = await fetchToFile([`${base}/x`], target, { settings, expectedHash, size: contents.length, progress: (done) => seen.push(done) });
  assert.deepEqual(result, { url: `${base}/x`, size: contents.length });
  assert.deepEqual(readFileSync(target), contents);
  assert.equal(seen.at(-1), contents.length);
});

test("sends a host the password that the netrc file has for it, and another that a redirect leads to none", async (context) => {
  const seen: (string | undefined)[] = [];
  const other = await serve(context, (request, response) => {
    seen.push(request.headers.authorization);
    response.end(contents);
  });
  const base = await serve(context, (request, response) => {
    seen.push(request.headers.authorization);
    response.writeHead(302, { location: other.replace("127.0.0.1", "localhost") }).end();
  });
  const target = join(folderOf(context), "file");
  const own = { ...settings, netrc: [{ host: "127.0.0.1", login: "me", password: "x" }] };
  await fetchToFile([base], target, { settings: own, expectedHash });
  await fetchToFile([base], `${target}2`, { settings: own, expectedHash, useNetrc: false });
  assert.deepEqual(seen, [`Basic ${Buffer.from("me:x").toString("base64")}`, undefined, undefined, undefined]);
});

test("resumes where a broken connection stopped", async (context) => {
  const ranges: (string | undefined)[] = [];
  const base = await serve(context, (request, response) => {
    ranges.push(request.headers.range);
    const from = Number(/^bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1] ?? 0);
    const rest = contents.subarray(from);
    response.writeHead(from > 0 ? 206 : 200, { "content-length": rest.length, ...(from > 0 ? { "content-range": `bytes ${from}-${contents.length - 1}/${contents.length}` } : {}) });
    if (ranges.length > 2) response.end(rest);
    else response.write(rest.subarray(0, 50_000), () => setTimeout(() => response.destroy(), 20));
  });
  const target = join(folderOf(context), "file");
  await fetchToFile([base], target, { settings, expectedHash });
  assert.deepEqual(readFileSync(target), contents);
  assert.deepEqual(ranges, [undefined, "bytes=50000-", "bytes=100000-"]);
});

test("begins again when the server ignores the range", async (context) => {
  let requests = 0;
  const base = await serve(context, (_, response) => {
    response.writeHead(200, { "content-length": contents.length });
    if (++requests > 1) response.end(contents);
    else response.write(contents.subarray(0, 10), () => setTimeout(() => response.destroy(), 20));
  });
  const target = join(folderOf(context), "file");
  await fetchToFile([base], target, { settings, expectedHash });
  assert.deepEqual(readFileSync(target), contents);
});

test("resumes in a later run what an earlier one left", async (context) => {
  const folder = folderOf(context);
  let broken = true;
  const ranges: (string | undefined)[] = [];
  const base = await serve(context, (request, response) => {
    ranges.push(request.headers.range);
    const from = Number(/^bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1] ?? 0);
    response.writeHead(from > 0 ? 206 : 200, { "content-length": contents.length - from, ...(from > 0 ? { "content-range": `bytes ${from}-/*` } : {}) });
    if (broken) response.write(contents.subarray(0, 60_000), () => setTimeout(() => response.destroy(), 20));
    else response.end(contents.subarray(from));
  });
  const own = { ...settings, attempts: 1, partialFolder: join(folder, "partial") };
  await assert.rejects(fetchToFile([base], join(folder, "file"), { settings: own, expectedHash }), { code: "fetch.failed" });
  broken = false;
  await fetchToFile([base], join(folder, "file"), { settings: own, expectedHash });
  assert.deepEqual(readFileSync(join(folder, "file")), contents);
  assert.deepEqual(ranges, [undefined, "bytes=60000-"]);
  assert.deepEqual(readdirSync(join(folder, "partial")), []);
});

test("tries again after an error of the server, and the next URL after one of its own", async (context) => {
  const requests: string[] = [];
  const base = await serve(context, (request, response) => {
    requests.push(request.url!);
    if (request.url === "/gone") response.writeHead(404).end();
    else if (requests.filter((url) => url === "/busy").length < 3) response.writeHead(503).end();
    else response.end(contents);
  });
  const target = join(folderOf(context), "file");
  await fetchToFile([`${base}/gone`, `${base}/busy`], target, { settings, expectedHash });
  assert.deepEqual(requests, ["/gone", "/busy", "/busy", "/busy"]);
});

test("takes the next mirror when one has other bytes, and leaves no file when all have", async (context) => {
  const base = await serve(context, (request, response) => response.end(request.url === "/right" ? contents : "something else"));
  const folder = folderOf(context);
  await fetchToFile([`${base}/wrong`, `${base}/right`], join(folder, "file"), { settings, expectedHash });
  assert.deepEqual(readFileSync(join(folder, "file")), contents);
  await assert.rejects(fetchToFile([`${base}/wrong`, `${base}/other`], join(folder, "none"), { settings, expectedHash }), (error: Error) => {
    assert.equal("code" in error && error.code, "fetch.hash-mismatch");
    for (const part of ["/wrong", "/other", "14 bytes with the hash sha256-"]) assert(error.message.includes(part), part);
    return true;
  });
  assert(!existsSync(join(folder, "none")) && !existsSync(join(folder, "none.part")));
});

test("lists every URL with its failure", async (context) => {
  const base = await serve(context, (request, response) => {
    if (request.url === "/silent") return;
    response.writeHead(403).end();
  });
  const urls = [`${base}/forbidden`, `${base}/silent`, "http://127.0.0.1:1/closed", "file:///no/such/file"];
  await assert.rejects(fetchToFile(urls, join(folderOf(context), "file"), { settings: { ...settings, attempts: 1, stallTimeout: 200 } }), (error: Error) => {
    for (const url of urls) assert(error.message.includes(url), url);
    assert.match(error.message, /forbidden: the server answered 403/);
    assert.match(error.message, /closed: .*ECONNREFUSED/);
    assert.match(error.message, /no such file/);
    return true;
  });
});

test("ends a transfer that gives more than it should", async (context) => {
  const base = await serve(context, (_, response) => response.end(contents));
  await assert.rejects(fetchToFile([base], join(folderOf(context), "file"), { settings, size: 10 }), /more than the 10 bytes/);
});

test("follows redirects and reads local files", async (context) => {
  const base = await serve(context, (request, response) => {
    if (request.url === "/from") response.writeHead(302, { location: "/to" }).end();
    else response.end(contents);
  });
  const folder = folderOf(context);
  await fetchToFile([`${base}/from`], join(folder, "a"), { settings, expectedHash });
  writeFileSync(join(folder, "source"), contents);
  await fetchToFile([pathToFileURL(join(folder, "source")).href], join(folder, "b"), { settings, expectedHash });
  assert.deepEqual(readFileSync(join(folder, "b")), contents);
});

test("stops at once when it is aborted", async (context) => {
  const base = await serve(context, (_, response) => void response.write("a little"));
  const controller = new AbortController();
  const running = fetchToFile([base], join(folderOf(context), "file"), { settings: { ...settings, stallTimeout: 60_000 }, signal: controller.signal });
  setTimeout(() => controller.abort(), 50);
  await assert.rejects(running, { name: "AbortError" });
});

test("offline, asks no server and says so; a file of this machine is still read", async (context) => {
  let asked = 0;
  const base = await serve(context, (_, response) => {
    asked++;
    response.end(contents);
  });
  const folder = folderOf(context);
  const offline = { ...settings, offline: true };
  await assert.rejects(fetchToFile([`${base}/x`], join(folder, "a"), { settings: offline, expectedHash }), { code: "fetch.offline", hint: "run the command once without --offline" });
  assert.equal(asked, 0);
  writeFileSync(join(folder, "source"), contents);
  await fetchToFile([`${base}/x`, pathToFileURL(join(folder, "source")).href], join(folder, "b"), { settings: offline, expectedHash });
  assert.deepEqual(readFileSync(join(folder, "b")), contents);
  assert.equal(asked, 0);
});

test("without a hash, begins anew with the next URL", async (context) => {
  const broken = await serve(context, (_, response) => {
    response.writeHead(200, { "content-length": contents.length });
    response.write(Buffer.alloc(50_000, "x"), () => setTimeout(() => response.destroy(), 20));
  });
  const ranges: (string | undefined)[] = [];
  const whole = await serve(context, (request, response) => {
    ranges.push(request.headers.range);
    const from = Number(/^bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1] ?? 0);
    response.writeHead(from > 0 ? 206 : 200, from > 0 ? { "content-range": `bytes ${from}-${contents.length - 1}/${contents.length}` } : {});
    response.end(contents.subarray(from));
  });
  const target = join(folderOf(context), "file");
  await fetchToFile([broken, whole], target, { settings: { ...settings, attempts: 1 } });
  assert.deepEqual(ranges, [undefined]);
  assert.deepEqual(readFileSync(target), contents);
});

test("a target that cannot be made is no failure of the network", async (context) => {
  let requests = 0;
  const base = await serve(context, (_, response) => {
    requests++;
    response.end(contents);
  });
  const folder = folderOf(context);
  mkdirSync(join(folder, "target/full"), { recursive: true });
  await assert.rejects(fetchToFile([base, `${base}/2`], join(folder, "target"), { settings, expectedHash }), { code: /^E(ISDIR|NOTEMPTY|EXIST)$/ });
  assert.equal(requests, 1);
});
