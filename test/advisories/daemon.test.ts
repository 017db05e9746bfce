/** Users of a machine's daemon who are not to be trusted. */
import assert from "node:assert/strict";
import { chmodSync, chownSync, lstatSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { startDaemon } from "../../core/daemon/server/daemon-server.ts";
import { OPERATION } from "../../core/daemon/wire/protocol.ts";
import { TsosError } from "../../core/error/tsos-error.ts";
import { hashBytes } from "../../core/hash/hash.ts";
import { encodeNarTokens } from "../../core/nar/nar-token.ts";
import { openLocalStore } from "../../core/store/local-store.ts";
import { makeTextPath } from "../../core/store-path/make-store-path.ts";
import { encodeUtf8 } from "../../core/util/bytes.ts";
import type { StorePath } from "../../core/store-path/store-path.ts";
import { startTestDaemon, type TestDaemon } from "../core/daemon/server/test-daemon.ts";
import { written } from "../core/daemon/wire/byte-streams.ts";

const isRefusal = (pattern: RegExp) => (error: unknown) => error instanceof TsosError && error.code === "daemon.remote-error" && pattern.test(error.message);

const hello = (): Promise<Uint8Array> => written((writer) => void writer.number(0x6e697863).number(0x126).strings([]).number(0).number(0));

function eightBytes(value: bigint): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  return bytes;
}

/** Sends, and gives all that was answered until the daemon ended the connection, or `milliseconds` were over. */
function talk(daemon: TestDaemon, bytes: Uint8Array, milliseconds: number): Promise<{ readonly text: string; readonly endedByDaemon: boolean }> {
  return new Promise((resolve) => {
    const socket = connect(daemon.socket, () => socket.write(bytes));
    let text = "";
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      socket.destroy();
    }, milliseconds);
    socket.on("data", (part) => (text += part.toString("latin1")));
    socket.on("error", () => {});
    socket.on("close", () => {
      clearTimeout(timer);
      resolve({ text, endedByDaemon: !timedOut });
    });
  });
}

describe("CVE-2019-17365: folders of users' profiles", () => {
  test("are open to nobody else in a new store, whatever the umask", async () => {
    const root = mkdtempSync(join(tmpdir(), "tsos-advisories-"));
    const before = process.umask(0);
    try {
      await using store = await openLocalStore({ root });
      for (const folder of ["profiles", "profiles/per-user", "gcroots", "gcroots/per-user", "temproots", "db", ""]) assert.equal(lstatSync(join(store.stateDir, folder)).mode & 0o022, 0, folder);
      assert.equal(lstatSync(store.realStoreDir).mode & 0o022, 0);
    } finally {
      process.umask(before);
      rmSync(root, { recursive: true, force: true });
    }
  });

  test("are closed by a daemon on a store of an old Nix", async (t) => {
    const { fixture } = await startTestDaemon(t);
    const { stateDir } = fixture.store;
    for (const kind of ["profiles", "gcroots"]) chmodSync(join(stateDir, kind, "per-user"), 0o1777);
    await using _daemon = await startDaemon({
      host: { version: "test", openStore: () => openLocalStore({ root: fixture.root }), buildOptions: async () => fixture.options(), trust: { publicKeys: [], requireSignatures: true }, trustedSubstituters: [], substituters: [] },
      access: { trustedUsers: [], allowedUsers: ["*"] },
      listen: { path: join(fixture.root, "second") },
      stateDir,
    });
    for (const kind of ["profiles", "gcroots"]) assert.equal(lstatSync(join(stateDir, kind, "per-user")).mode & 0o7777, 0o755);
  });

  test("are not used where another made them first", { skip: process.getuid?.() === 0 ? false : "only root has a daemon for others" }, async (t) => {
    const { fixture } = await startTestDaemon(t);
    const { stateDir } = fixture.store;
    chmodSync(fixture.root, 0o755);
    const folder = join(stateDir, "profiles/per-user/nobody");
    mkdirSync(folder);
    chownSync(folder, 12_345, 12_345);
    const errors: unknown[] = [];
    const path = join(fixture.root, "third");
    await using _daemon = await startDaemon({
      host: { version: "test", openStore: () => openLocalStore({ root: fixture.root }), buildOptions: async () => fixture.options(), trust: { publicKeys: [], requireSignatures: true }, trustedSubstituters: [], substituters: [], onError: (error) => errors.push(error) },
      access: { trustedUsers: [], allowedUsers: ["*"] },
      listen: { path },
      stateDir,
    });
    const { spawn } = await import("node:child_process");
    const child = spawn(process.execPath, ["-e", `require("net").connect(${JSON.stringify(path)}).on("close", () => process.exit(0)).resume(); setTimeout(() => process.exit(1), 5000)`], { uid: 65_534, gid: 65_534, cwd: "/" });
    await new Promise((resolve) => child.on("close", resolve));
    assert.equal(errors.length, 1);
    assert.match(String(errors[0]), /belongs to another than "nobody"/);
    assert.equal(lstatSync(folder).uid, 12_345);
  });
});

describe("what untrusted users bring", () => {
  test("unsigned paths are refused", async (t) => {
    const daemon = await startTestDaemon(t, { trusted: false });
    const nar = encodeNarTokens("nix-archive-1", "(", "type", "regular", "contents", "hostile!", ")");
    const info = { path: `${"a".repeat(32)}-glibc` as StorePath, narHash: hashBytes("sha256", nar), narSize: nar.length, references: [] };
    const connection = await daemon.connect();
    for (const claimed of [info, { ...info, ultimate: true }, { ...info, signatures: [`cache.example.org-1:${Buffer.alloc(64).toString("base64")}`] }]) {
      await assert.rejects(connection.addNar(claimed, (async function* () { yield nar; })()), isRefusal(/no trusted key signed/));
    }
    assert.equal(await daemon.fixture.store.isValidPath(info.path), false);
  });

  test("unsigned realisations are refused", async (t) => {
    const daemon = await startTestDaemon(t, { trusted: false });
    const path = await daemon.fixture.store.addTextToStore("hostile", "hostile", []);
    const id = `sha256:${"0".repeat(64)}!out`;
    const realisation = JSON.stringify({ id, outPath: path, signatures: [], dependentRealisations: {} });
    const request = await written((writer) => void writer.number(OPERATION.registerDrvOutput).text(realisation));
    const { text } = await talk(daemon, Buffer.concat([await hello(), request]), 1000);
    assert.match(text, /lacks a signature by a trusted key/);
    assert.deepEqual(await daemon.fixture.store.queryRealisationsOf(path), []);
    const asked = await written((writer) => void writer.number(OPERATION.queryRealisation).text(id));
    const answer = await talk(daemon, Buffer.concat([await hello(), asked]), 1000);
    assert.doesNotMatch(answer.text, /hostile/);
  });

  test("derivations whose output paths are not their own are refused", async (t) => {
    const daemon = await startTestDaemon(t, { trusted: false });
    const { fixture } = daemon;
    const honest = await fixture.derive({ name: "honest", script: "echo honest > $out" });
    const out = honest.outputPaths.get("out")!;
    const text = `Derive([("out","/nix/store/${out}","","")],[],["/nix/store/${fixture.tools}"],"x86_64-linux","/bin/bash",["-c","echo hostile > $out"],[("__buildRoot","/nix/store/${fixture.tools}"),("out","/nix/store/${out}")])`;
    const nar = encodeNarTokens("nix-archive-1", "(", "type", "regular", "contents", text, ")");
    const hash = hashBytes("sha256", encodeUtf8(text));
    const contentAddress = { method: "text", hash } as const;
    const path = makeTextPath({ name: "honest.drv", hash, references: [fixture.tools] });
    const connection = await daemon.connect();
    await assert.rejects(connection.addNar({ path, narHash: hashBytes("sha256", nar), narSize: nar.length, references: [fixture.tools], contentAddress }, (async function* () { yield nar; })()), isRefusal(/states the path/));
    const asText = await written((writer) => void writer.number(OPERATION.addTextToStore).text("honest.drv").text(text).list([fixture.tools], (tools) => writer.text(`/nix/store/${tools}`)));
    assert.match((await talk(daemon, Buffer.concat([await hello(), asText]), 1000)).text, /states the path/);
    const framed = await written((writer) => void writer.number(OPERATION.addToStore).text("honest.drv").text("text:sha256").list([fixture.tools], (tools) => writer.text(`/nix/store/${tools}`)).number(0).number(text.length));
    assert.match((await talk(daemon, Buffer.concat([await hello(), framed, Buffer.from(text), Buffer.alloc(8)]), 1000)).text, /states the path/);
    assert.equal(await fixture.store.isValidPath(path), false);
    assert.equal(await fixture.store.isValidPath(out), false);
  });
});

test("a daemon's client that sends nonsense is left, and costs neither memory nor the others", async (t) => {
  const daemon = await startTestDaemon(t, { trusted: false });
  const steady = await daemon.connect();
  const before = process.memoryUsage().rss;
  const claims = [1n << 40n, (1n << 64n) - 1n, 1n << 53n, 100_000_000n];
  for (const operation of [OPERATION.queryValidPaths, OPERATION.isValidPath, OPERATION.addTempRoot, OPERATION.setOptions, OPERATION.buildPaths, 0xffff, 0]) {
    for (const claim of claims) {
      const request = await written((writer) => void writer.number(operation));
      const { endedByDaemon } = await talk(daemon, Buffer.concat([await hello(), request, ...[claim, claim, claim].map(eightBytes), Buffer.alloc(1 << 16)]), 3000);
      assert.equal(endedByDaemon, true, `operation ${operation}, ${claim}`);
    }
  }
  // Bytes without a limit of their own, of which more are announced than one request may hold.
  const text = await written((writer) => void writer.number(OPERATION.addTextToStore).text("claimed"));
  const { endedByDaemon } = await talk(daemon, Buffer.concat([await hello(), text, eightBytes(100_000_000n), Buffer.alloc(1 << 16)]), 3000);
  assert.equal(endedByDaemon, true, "a text of 100 MB that does not come");
  assert.ok(process.memoryUsage().rss - before < 150e6);
  assert.equal(await steady.isValidPath(daemon.fixture.tools), true);
  assert.deepEqual(daemon.errors, []);
});
