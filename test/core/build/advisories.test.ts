/** Holes that were found in builds and stores of this kind, each by the name under which it was published. */
import assert from "node:assert/strict";
import { chmodSync, closeSync, existsSync, lstatSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { TsosError } from "../../../core/error/tsos-error.ts";
import { hashBytes } from "../../../core/hash/hash.ts";
import { narHashOfPath } from "../../../core/nar/dump-path.ts";
import { encodeNarToken } from "../../../core/nar/nar-token.ts";
import { makeContentAddressedPath } from "../../../core/store-path/make-store-path.ts";
import { encodeUtf8 } from "../../../core/util/bytes.ts";
import { createBuildFixture, outputOf, type BuildFixture } from "./build-fixture.ts";

let fixture: BuildFixture;
before(async () => {
  fixture = await createBuildFixture();
});
after(() => fixture[Symbol.asyncDispose]());

describe("CVE-2024-27297, CVE-2025-46416: a descriptor of a fixed output that left the build", () => {
  /** What a process that got the descriptor (over an abstract socket of the shared network) can do afterwards. */
  async function smuggle(ownFiles: boolean): Promise<string> {
    const { store } = fixture;
    await using scratch = await store.createTemporaryFolder();
    const folder = join(scratch.path, "out");
    mkdirSync(folder);
    writeFileSync(join(folder, "file"), `right ${ownFiles}\n`);
    const { hash } = await narHashOfPath(folder);
    const contentAddress = { method: "nar", hash } as const;
    const path = makeContentAddressedPath("fixed", contentAddress, { others: [], self: false }, store.storeDir);
    const smuggled = openSync(join(folder, "file"), "r+");
    try {
      await using _locks = await store.lockPaths([path]);
      const derivationPath = await store.addTextToStore("fixed.txt", "", []);
      await store.registerBuildOutputs({ derivationPath, outputs: [{ name: "out", path, folder, contentAddress, ownFiles }], candidates: [] });
      writeSync(smuggled, "wrong", 0);
    } finally {
      closeSync(smuggled);
    }
    const text = readFileSync(join(store.realPath(path), "file"), "utf8");
    await store.verify({ checkContents: true });
    return text;
  }

  test("does not change what was registered", async () => {
    assert.equal(await smuggle(false), "right false\n");
  });

  test("would, were the contents not copied to fresh files", async () => {
    // The defence taken out, so that the test above is known to be able to fail.
    assert.equal(await smuggle(true), "wrong true\n");
  });
});

describe("CVE-2021-27851, CVE-2024-38531, CVE-2025-52991: others of the machine and a build's folder", () => {
  test("a builder that opens its folder to all opens it to nobody while it runs", async () => {
    const { store } = fixture;
    const derivation = await fixture.derive({ name: "open", script: "chmod 777 /build /tmp; touch /build/ready; for i in 1 2 3 4 5 6 7 8 9 10; do sleep 0.2; done; echo > $out" });
    const building = fixture.build([derivation]);
    let folder: string | undefined;
    for (let n = 0; n < 200 && folder === undefined; n++) {
      await sleep(20);
      folder = readdirSync(store.realStoreDir).map((name) => join(store.realStoreDir, name)).find((name) => name.includes("/tmp-") && existsSync(join(name, "build/ready")));
    }
    assert.ok(folder !== undefined, "the build was seen");
    assert.equal(lstatSync(join(folder, "build")).mode & 0o777, 0o777, "the builder did open its own");
    assert.equal(lstatSync(folder).mode & 0o777, 0o700, "nobody gets through the folder above");
    await building;
  });

  test("a kept folder is its owner's alone, whatever the builder made of it", async () => {
    const derivation = await fixture.derive({ name: "kept", script: "touch secret; chmod 777 /build secret; exit 1" });
    let kept = "";
    await assert.rejects(fixture.build([derivation], { keepFailed: true }), (error) => {
      assert.ok(error instanceof TsosError);
      kept = /(\/\S*tsos-build-kept-\d+)/.exec(`${error.message} ${JSON.stringify(error.data)} ${error.hint ?? ""}`)?.[1] ?? "";
      return true;
    });
    try {
      assert.ok(existsSync(join(kept, "secret")), kept);
      assert.equal(lstatSync(kept).mode & 0o777, 0o700);
    } finally {
      if (kept !== "") rmSync(kept, { recursive: true, force: true });
    }
  });
});

test("CVE-2024-52867, CVE-2025-52992: of an output that is refused nothing is left, nor seen", async () => {
  const contentAddress = { method: "flat", hash: hashBytes("sha256", encodeUtf8("another\n")) } as const;
  const derivation = await fixture.derive({ name: "refused", script: "echo wrong > $out; chmod 666 $out", output: { kind: "fixed", contentAddress } });
  await assert.rejects(fixture.build([derivation]), /has the hash/);
  const path = outputOf(derivation);
  assert.equal(existsSync(fixture.path(path)), false);
  assert.equal(await fixture.store.isValidPath(path), false);
});

test("setuid and setgid bits that a build's files have by whatever way are gone when it is registered", async () => {
  const { store } = fixture;
  await using scratch = await store.createTemporaryFolder();
  const folder = join(scratch.path, "out");
  mkdirSync(folder);
  writeFileSync(join(folder, "program"), "#! /bin/sh\n");
  chmodSync(join(folder, "program"), 0o6755);
  chmodSync(folder, 0o2777);
  const path = makeContentAddressedPath("bits", { method: "nar", hash: hashBytes("sha256", encodeUtf8("bits")) }, { others: [], self: false }, store.storeDir);
  await using _locks = await store.lockPaths([path]);
  const derivationPath = await store.addTextToStore("bits.txt", "", []);
  await store.registerBuildOutputs({ derivationPath, outputs: [{ name: "out", path, folder }], candidates: [] });
  assert.equal(lstatSync(join(store.realPath(path), "program")).mode & 0o7777, 0o555);
  assert.equal(lstatSync(store.realPath(path)).mode & 0o7777, 0o555);
});

test("CVE-2024-45593: an archive does not write through a link that it made itself", async () => {
  const { store, root } = fixture;
  const outside = join(root, "outside");
  mkdirSync(outside);
  const word = (text: string): Uint8Array => encodeNarToken(encodeUtf8(text));
  const file = ["(", "type", "directory", "entry", "(", "name", "file", "node", "(", "type", "regular", "contents", "hostile", ")", ")", ")"];
  const link = ["(", "type", "symlink", "target", outside, ")"];
  for (const names of [["link", "link"], ["link", "link/"], ["link", "link/file"], [".", ".."]] as const) {
    const entries = [link, file].flatMap((node, i) => ["entry", "(", "name", names[i]!, "node", ...node, ")"]);
    const nar = Buffer.concat(["nix-archive-1", "(", "type", "directory", ...entries, ")"].map(word));
    const path = makeContentAddressedPath("hostile", { method: "nar", hash: hashBytes("sha256", nar) }, { others: [], self: false }, store.storeDir);
    const info = { path, narHash: hashBytes("sha256", nar), narSize: nar.length, references: [] };
    await assert.rejects(store.addNarToStore(info, (async function* () { yield nar; })()), { code: /^nar\.(double-entry|bad-name|unsorted)$/ }, names.join(" "));
    assert.deepEqual(readdirSync(outside), []);
    assert.equal(await store.isValidPath(path), false);
  }
});

test("the NAR recursion advisory: a path of 100,000 folders ends with an error, not with the process", async () => {
  const { store } = fixture;
  const word = (text: string): Uint8Array => encodeNarToken(encodeUtf8(text));
  const open = Buffer.concat(["(", "type", "directory", "entry", "(", "name", "a", "node"].map(word));
  const info = { path: makeContentAddressedPath("deep", { method: "nar", hash: hashBytes("sha256", open) }, { others: [], self: false }, store.storeDir), narHash: hashBytes("sha256", open), narSize: 1, references: [] };
  await assert.rejects(store.addNarToStore(info, (async function* () {
    yield word("nix-archive-1");
    for (let n = 0; n < 100_000; n++) yield open;
  })()), { code: "nar.too-deep" });
});

test("no build without a sandbox: neither asked for by a derivation nor since there is none", async () => {
  const asked = await fixture.derive({ name: "asked", script: "echo > $out", env: { __noChroot: "1" } });
  await assert.rejects(fixture.build([asked]), /"__noChroot"/);
  const derivation = await fixture.derive({ name: "without", script: "echo > $out" });
  await assert.rejects(fixture.build([derivation], { tools: { bubblewrap: async () => ({ command: "/nonexistent/bwrap", args: [] }) } }), /sandbox/);
  assert.equal(await fixture.store.isValidPath(outputOf(derivation)), false);
});
