import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { it, describe, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { copyPaths } from "../../../../core/cache/copy-paths.ts";
import { openRemoteStore } from "../../../../core/daemon/client/open-remote-store.ts";
import { OPERATION } from "../../../../core/daemon/wire/protocol.ts";
import { TsosError } from "../../../../core/error/tsos-error.ts";
import { formatStorePath, type StorePath } from "../../../../core/store-path/store-path.ts";
import { temporaryStore } from "../../store/temporary-store.ts";
import { written } from "../wire/byte-streams.ts";
import { startTestDaemon } from "./test-daemon.ts";
import { hasProgram } from "../../store/has-program.ts";

const isRefusal = (pattern: RegExp) => (error: unknown) => error instanceof TsosError && error.code === "daemon.remote-error" && pattern.test(error.message);

/** A folder with a few files, in a store of its own. */
async function sourceStore(t: TestContext) {
  const { store, folder } = await temporaryStore(t);
  const tree = join(folder, "tree");
  mkdirSync(join(tree, "sub"), { recursive: true });
  writeFileSync(join(tree, "sub/big"), Buffer.alloc(1_000_000, "x"));
  writeFileSync(join(tree, "small"), "small");
  const leaf = await store.addPathToStore("tree", tree);
  const text = await store.addTextToStore("text", `it uses ${formatStorePath(leaf)}`, [leaf]);
  // What has no proof: the same contents under a name that is said to come from a derivation.
  const { narHash, narSize, references } = await store.getPathInfo(leaf);
  const unproven = `${"a".repeat(32)}-unproven` as StorePath;
  const info = { path: unproven, narHash, narSize, references };
  return { store, leaf, text, info, nar: () => store.narFromPath(leaf) };
}

describe("a daemon", () => {
  it("takes and gives paths with all that they need", async (t) => {
    const { url, fixture, errors } = await startTestDaemon(t);
    const { store, leaf, text } = await sourceStore(t);
    await using remote = openRemoteStore(url, { environment: {} });
    assert.deepEqual((await copyPaths(store, remote, [text])).copied.toSorted(), [leaf, text].toSorted());
    assert.deepEqual((await fixture.store.getPathInfo(text)).references, [leaf]);
    const { store: other } = await temporaryStore(t);
    await copyPaths(remote, other, [text]);
    assert.deepEqual((await other.getPathInfo(leaf)).narHash, (await store.getPathInfo(leaf)).narHash);
    assert.deepEqual(await other.verify({ checkContents: true }), []);
    assert.equal(await remote.isValidPath(`${"b".repeat(32)}-nothing` as StorePath), false);
    await assert.rejects(remote.getPathInfo(`${"b".repeat(32)}-nothing` as StorePath), /is not valid/);
    assert.deepEqual(errors, []);
  });

  it("builds, with its output on the way, and goes on after a build that failed", async (t) => {
    const { connect: open, fixture } = await startTestDaemon(t);
    const connection = await open();
    const good = await fixture.derive({ name: "good", script: "echo hello from the build; echo done > $out" });
    const bad = await fixture.derive({ name: "bad", script: "echo it breaks; exit 7" });
    const target = (path: StorePath) => [{ kind: "built" as const, drvPath: path, outputs: ["out"] }];
    await assert.rejects(connection.buildPaths(target(bad.path)), isRefusal(/exit code 7/));
    await connection.buildPaths(target(good.path));
    assert.equal(await connection.isValidPath(good.outputPaths.get("out")!), true);

    const lines: string[] = [];
    const sent = await fixture.derive({ name: "sent", script: "echo hello from the build; echo done > $out" });
    const build = { drvPath: sent.path, derivation: sent.derivation, inputs: [fixture.tools] };
    assert.equal((await connection.buildDerivation(build, (line) => lines.push(line))).status, "Built");
    assert.deepEqual(lines, ["hello from the build"]);
    assert.equal((await connection.buildDerivation(build, () => {})).status, "AlreadyValid");
    const failing = { drvPath: bad.path, derivation: bad.derivation, inputs: [fixture.tools] };
    const failure = await connection.buildDerivation(failing, () => {});
    assert.equal(failure.status, "PermanentFailure");
    assert.match(failure.errorMessage, /exit code 7[^]*it breaks/);
  });

  it("stops what a client had built when the client goes away", async (t) => {
    const daemon = await startTestDaemon(t);
    const connection = await daemon.connect();
    const slow = await daemon.fixture.derive({ name: "slow", script: "echo started; sleep 60; echo > $out" });
    await new Promise<void>((resolve) => {
      const building = connection.buildDerivation({ drvPath: slow.path, derivation: slow.derivation, inputs: [daemon.fixture.tools] }, () => resolve());
      building.catch(() => {});
    });
    await connection[Symbol.asyncDispose]();
    const before = performance.now();
    while (daemon.server.connections > 0 && performance.now() - before < 20_000) await sleep(20);
    assert.equal(daemon.server.connections, 0);
    assert.equal(await daemon.fixture.store.isValidPath(slow.outputPaths.get("out")!), false);
    assert.deepEqual(daemon.errors, []);
  });

  it("takes from untrusted clients what proves itself, and nothing else", async (t) => {
    const daemon = await startTestDaemon(t, { trusted: false });
    const { store, leaf, text, info, nar } = await sourceStore(t);
    const connection = await daemon.connect();
    assert.equal(connection.trusted, false);
    await assert.rejects(connection.addNar(info, nar()), isRefusal(/no trusted key signed/));
    assert.equal(await daemon.fixture.store.isValidPath(info.path), false);
    // The connection goes on.
    await using remote = openRemoteStore(daemon.url, { environment: {} });
    await copyPaths(store, remote, [text]);
    assert.equal(await connection.isValidPath(leaf), true);

    const other = await daemon.fixture.derive({ name: "other", script: "echo > $out" });
    await assert.rejects(connection.buildDerivation({ drvPath: other.path, derivation: other.derivation, inputs: [daemon.fixture.tools] }, () => {}), isRefusal(/not privileged to build input-addressed/));
    // What is in the store is built for anybody.
    await connection.buildPaths([{ kind: "built", drvPath: other.path }]);
    assert.equal(await connection.isValidPath(other.outputPaths.get("out")!), true);
  });

  it("takes the same from a trusted client", async (t) => {
    const daemon = await startTestDaemon(t);
    const { info, nar } = await sourceStore(t);
    await (await daemon.connect()).addNar(info, nar());
    assert.equal(await daemon.fixture.store.isValidPath(info.path), true);
  });

  it("refuses contents that are not what is said of them, and keeps nothing", async (t) => {
    const daemon = await startTestDaemon(t);
    const { store, leaf, nar } = await sourceStore(t);
    const connection = await daemon.connect();
    const info = await store.getPathInfo(leaf);
    await assert.rejects(connection.addNar({ ...info, narSize: info.narSize + 8 }, nar()), isRefusal(/the archive for/));
    const wrong = { ...info, narHash: { ...info.narHash, digest: new Uint8Array(32) } };
    await assert.rejects(connection.addNar(wrong, nar()), isRefusal(/the archive for/));
    assert.equal(await connection.isValidPath(leaf), false);
    await connection.addNar(info, nar());
    assert.equal(await connection.isValidPath(leaf), true);
  });

  it("does not let in who is not allowed", async (t) => {
    const daemon = await startTestDaemon(t, { trusted: false, allowed: false });
    await assert.rejects(daemon.connect(), (error) => error instanceof TsosError && error.code === "daemon.cannot-connect");
  });

  it("leaves a client that sends nonsense, with a word, and serves the others", async (t) => {
    const daemon = await startTestDaemon(t, { trusted: false });
    const steady = await daemon.connect();
    const hello = await written((writer) => void writer.number(0x6e697863).number(0x126).strings([]).number(0).number(0));
    let seed = 7;
    const random = (): number => (seed = (seed * 1103515245 + 12345) & 0x7fffffff) / 0x7fffffff;
    const operations = Object.values(OPERATION);
    for (let round = 0; round < 120; round++) {
      const tail = Buffer.from(Uint8Array.from({ length: Math.floor(random() * 400) }, () => (random() < 0.85 ? Math.floor(random() * 4) : Math.floor(random() * 256))));
      const operation = await written((writer) => void writer.number(round % 3 === 0 ? Math.floor(random() * 2 ** 40) : operations[round % operations.length]!));
      await send(daemon.socket, round % 10 === 9 ? tail : Buffer.concat([hello, operation, tail]));
    }
    assert.equal(await steady.isValidPath(daemon.fixture.tools), true);
    assert.deepEqual(daemon.errors, []);
    assert.deepEqual(await daemon.fixture.store.verify({ checkContents: true }), []);
  });

  it("serves the clients of Debian's Nix", { skip: hasProgram("nix") ? false : "nix is not installed" }, async (t) => {
    const daemon = await startTestDaemon(t);
    const { store, text, leaf } = await sourceStore(t);
    const env = { PATH: process.env["PATH"], HOME: daemon.fixture.root, NIX_REMOTE: daemon.url, NIX_CONFIG: "experimental-features = nix-command\nsubstituters =" };
    const run = async (command: string, ...args: readonly string[]): Promise<string> => (await promisify(execFile)(command, args, { env, timeout: 60_000 })).stdout.trim();
    const file = join(daemon.fixture.root, "default.nix");
    writeFileSync(file, `derivation { name = "by-nix"; system = "x86_64-linux"; builder = "/bin/bash"; __buildRoot = builtins.storePath "${formatStorePath(daemon.fixture.tools)}"; args = [ "-c" "echo made > $out" ]; }`);
    const drv = await run("nix-instantiate", file);
    const [built] = JSON.parse(await run("nix", "build", "--no-link", "--json", "--file", file)) as readonly [{ readonly outputs: { readonly out: string } }];
    const { out } = built.outputs;
    assert.match(out, /-by-nix$/);
    assert.equal(await run("nix-store", "--query", "--deriver", out), drv);
    assert.match(await run("nix-store", "--query", "--hash", out), /^sha256:/);
    assert.equal(await run("nix-store", "--add", file), formatStorePath(await daemon.fixture.store.addPathToStore("default.nix", file)));
    assert.equal(await run("nix-store", "--add-fixed", "sha256", file), formatStorePath(await daemon.fixture.store.addPathToStore("default.nix", file, { method: "flat" })));
    const from = `local?root=${store.realStoreDir.slice(0, -"/nix/store".length)}`;
    await run("nix", "copy", "--no-check-sigs", "--from", from, formatStorePath(text));
    assert.equal(await daemon.fixture.store.isValidPath(leaf), true);
    assert.match(await run("nix-store", "--gc", "--print-dead"), /-by-nix\.drv/);
    await run("nix-store", "--verify", "--check-contents");
    await run("nix-store", "--gc");
    assert.equal(await daemon.fixture.store.isValidPath(text), false);
    assert.deepEqual(daemon.errors, []);
  });
});

/** Sends, and waits until the daemon ends the connection, after half a second by itself. */
function send(socket: string, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    const client = connect(socket, () => client.write(bytes));
    const timer = setTimeout(() => client.destroy(), 100);
    client.resume();
    client.on("error", () => {});
    client.on("close", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
