/** Builtin builders run inside tsos, with all that it may; what a derivation asks them for is anybody's. */
import assert from "node:assert/strict";
import { existsSync, lstatSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { once } from "node:events";
import type { AddressInfo, Server } from "node:net";
import { join } from "node:path";
import { after, before, describe, test, type TestContext } from "node:test";
import { builtinBuilders } from "../../core/build/builtin/table.ts";
import type { FinishedDerivation } from "../../core/derivation/finish-derivation.ts";
import type { DerivationOutput } from "../../core/derivation/derivation.ts";
import { plainFetchSettings } from "../../core/fetch/fetch-settings.ts";
import { hashBytes } from "../../core/hash/hash.ts";
import { formatStorePath, type StorePath } from "../../core/store-path/store-path.ts";
import { encodeUtf8 } from "../../core/util/bytes.ts";
import { createBuildFixture, outputOf, toolsTree, type BuildFixture, type DerivationSketch } from "../core/build/build-fixture.ts";

let fixture: BuildFixture;
let outside: string;
before(async () => {
  fixture = await createBuildFixture({ builtins: Object.fromEntries(builtinBuilders) });
  outside = join(fixture.root, "outside");
  mkdirSync(join(outside, "sub"), { recursive: true });
  writeFileSync(join(outside, "secret"), "for root alone\n", { mode: 0o600 });
});
after(() => fixture[Symbol.asyncDispose]());

const settings = { ...plainFetchSettings, attempts: 1 };
const fixed = (text: string): DerivationOutput => ({ kind: "fixed", contentAddress: { method: "flat", hash: hashBytes("sha256", encodeUtf8(text)) } });
const build = (derivation: FinishedDerivation, options: Parameters<BuildFixture["build"]>[1] = {}) => fixture.build([derivation], { settings, ...options });
const builtin = (name: string, builder: string, env: Readonly<Record<string, string>>, more: Partial<DerivationSketch> = {}) => fixture.derive({ name, builder: `builtin:${builder}`, env, ...more });

async function listen(t: TestContext, server: Server, scheme: string): Promise<string> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  return `${scheme}://localhost:${(server.address() as AddressInfo).port}`;
}

async function serve(t: TestContext, answer: RequestListener): Promise<string> {
  return listen(t, createServer(answer), "http");
}

async function addTree(name: string, fill: (folder: string) => void): Promise<StorePath> {
  const folder = join(fixture.root, `source-${name}`);
  mkdirSync(folder);
  fill(folder);
  return fixture.store.addPathToStore(name, folder);
}

describe("CVE-2024-51481: a builtin builder sees the inputs and nothing else", () => {
  test("no folder of the machine, by its path, by .., or by a link in an input", async () => {
    const links = await addTree("links", (folder) => {
      symlinkSync(outside, join(folder, "out"));
      symlinkSync("../../../../../../../../..", join(folder, "up"));
    });
    const text = formatStorePath(links);
    const asked = [outside, `${text}/../../..${outside}`, `${text}/out`, `${text}/out/sub`, `${text}/up${outside}`, `/nix/store/../..${outside}`];
    for (const [i, path] of asked.entries()) {
      const derivation = await builtin(`seen-${i}`, "compose", { trees: JSON.stringify([path]) }, { sources: [links] });
      await assert.rejects(build(derivation), /a builtin builder was given/, path);
      assert.equal(existsSync(fixture.path(outputOf(derivation))), false);
    }
  });

  test("no store path that is not among the inputs", async () => {
    const hidden = await addTree("hidden", (folder) => writeFileSync(join(folder, "file"), ""));
    const derivation = await builtin("sees-hidden", "compose", { trees: JSON.stringify([formatStorePath(hidden)]) });
    await assert.rejects(build(derivation), /is not among the inputs/);
  });

  test("no names of a folder of the machine by a link in a package of a profile", async () => {
    const profile = await addTree("profile", (folder) => symlinkSync(outside, join(folder, "share")));
    const derivation = await builtin("environment", "buildenv", { derivations: `true 5 1 ${formatStorePath(profile)}` }, { sources: [profile] });
    await build(derivation);
    assert.equal(lstatSync(join(fixture.path(outputOf(derivation)), "share"), { throwIfNoEntry: false }), undefined);
  });

  test("no program of the derivation's choice runs outside of a sandbox", async () => {
    const mark = join(fixture.root, "was-run");
    const evil = await addTree("evil", (folder) => {
      mkdirSync(join(folder, "bin"));
      writeFileSync(join(folder, "bin/patchelf"), `#!/bin/sh\necho ran > ${mark}\n`, { mode: 0o755 });
    });
    const trees = await fixture.store.addPathToStore("programs", toolsTree());
    const derivation = await builtin("patched", "patch-elf", { trees: JSON.stringify([formatStorePath(trees)]), patchelf: JSON.stringify([formatStorePath(evil)]) }, { sources: [trees, evil] });
    await assert.rejects(build(derivation), /patchelf failed/);
    assert.equal(existsSync(mark), false);
  });

  test("no file by its URL for another user, whose hash an error would tell", async () => {
    const url = `file://${join(outside, "secret")}`;
    const derivation = await builtin("secret", "fetchurl", { url }, { output: fixed("a guess") });
    await assert.rejects(build(derivation, { localFiles: false }), (error) => {
      assert.match(String(error), /which a build for another user does not read/);
      assert.doesNotMatch(String(error), /sha256-/);
      return true;
    });
  });

  test("nothing from the network that no hash proves", async (t) => {
    let asked = 0;
    const url = await serve(t, (_, response) => {
      asked++;
      response.end("anything");
    });
    await assert.rejects(build(await builtin("unproven", "fetchurl", { url })), /must be a fixed-output/);
    assert.equal(asked, 0);
  });
});

test("CVE-2024-47174: a server without a proven name gives nothing and learns nothing", async (t) => {
  const pem = readFileSync(join(import.meta.dirname, "self-signed.pem"));
  const heard: (string | undefined)[] = [];
  const server = createSecureServer({ key: pem, cert: pem }, (request, response) => {
    heard.push(request.headers.authorization);
    response.end("hostile\n");
  });
  const url = (await listen(t, server, "https")).replace("//", "//user:password@");
  const derivation = await builtin("secure", "fetchurl", { url: `${url}/file` }, { output: fixed("hostile\n") });
  await assert.rejects(build(derivation), /self-signed certificate/);
  assert.deepEqual(heard, []);
});

describe("CVE-2024-36050: a hash that is known, beside the URL of something else", () => {
  test("is said to be known from elsewhere, until the URL was fetched", async (t) => {
    const asked: (string | undefined)[] = [];
    const url = await serve(t, (request, response) => {
      asked.push(request.url);
      response.end("source\n");
    });
    const messages: string[] = [];
    const report = (event: { readonly kind: string; readonly text?: string }): void => void (event.kind === "message" && messages.push(event.text!));
    const first = await builtin("source.tar", "fetchurl", { url: `${url}/first` }, { output: fixed("source\n") });
    await build(first, { report });
    const other = await builtin("source.tar", "fetchurl", { url: `${url}/other` }, { output: fixed("source\n") });
    assert.equal(outputOf(other), outputOf(first));
    await build(other, { report });
    assert.deepEqual(asked, ["/first"]);
    assert.equal(messages.length, 1);
    assert.match(messages[0]!, /came from "http:\S+\/first", and nothing was fetched from "http:\S+\/other"; .*--rebuild/);

    await build(other, { report, check: true });
    assert.deepEqual(asked, ["/first", "/other"]);
    messages.length = 0;
    await build(other, { report });
    await build(first, { report });
    assert.deepEqual(messages, []);
  });

  test("is no source when that URL gives other contents", async (t) => {
    const url = await serve(t, (request, response) => void response.end(request.url === "/honest" ? "honest\n" : "hostile\n"));
    await build(await builtin("known.tar", "fetchurl", { url: `${url}/honest` }, { output: fixed("honest\n") }));
    const other = await builtin("known.tar", "fetchurl", { url: `${url}/hostile` }, { output: fixed("honest\n") });
    await assert.rejects(build(other, { check: true }), /is not what is expected/);
    const messages: string[] = [];
    await build(other, { report: (event) => void (event.kind === "message" && messages.push(event.text)) });
    assert.equal(messages.length, 1);
  });
});
