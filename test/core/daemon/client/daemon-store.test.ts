import assert from "node:assert/strict";
import { existsSync, mkdirSync, readlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { copyPaths } from "../../../../core/cache/copy-paths.ts";
import type { FailureReport } from "../../../../core/build/build-error.ts";
import { realise } from "../../../../core/build/realise.ts";
import { substitutePaths } from "../../../../core/build/substitute-paths.ts";
import { openDaemonStore } from "../../../../core/daemon/client/open-daemon-store.ts";
import { formatDerivation } from "../../../../core/derivation/format-derivation.ts";
import { TsosError } from "../../../../core/error/tsos-error.ts";
import type { LocalStore } from "../../../../core/store/store.ts";
import { formatStorePath, type StorePath } from "../../../../core/store-path/store-path.ts";
import type { ProgressEvent } from "../../../../core/util/progress.ts";
import { createBuildFixture } from "../../build/build-fixture.ts";
import { startTestDaemon } from "../server/test-daemon.ts";

/** A daemon that does not trust this user, and its store by way of it. */
async function setUp(t: TestContext) {
  const daemon = await startTestDaemon(t, { trusted: false });
  const store = openDaemonStore({ root: daemon.fixture.root, socket: daemon.socket });
  t.after(() => store[Symbol.asyncDispose]());
  return { ...daemon, store };
}

const hasCode = (code: string) => (error: unknown) => error instanceof TsosError && error.code === code;

/** A text, a text that refers to it, and one that refers to both. */
async function addChain(store: LocalStore): Promise<readonly [StorePath, StorePath, StorePath]> {
  const a = await store.addTextToStore("a", "a", []);
  const b = await store.addTextToStore("b", formatStorePath(a), [a]);
  return [a, b, await store.addTextToStore("c", `${formatStorePath(a)} ${formatStorePath(b)}`, [a, b])];
}

describe("a store by way of its daemon", () => {
  it("adds files, folders and texts by their contents", async (t) => {
    const { store, fixture, errors } = await setUp(t);
    const tree = join(fixture.root, "tree");
    mkdirSync(join(tree, "sub"), { recursive: true });
    writeFileSync(join(tree, "sub/file"), Buffer.alloc(300_000, "x"));
    writeFileSync(join(tree, "left-out"), "x");
    const options = { include: (file: string) => !file.endsWith("left-out") };
    const added = await store.addPathToStore("tree", tree, options);
    assert.equal(added, await fixture.store.computePathForFile("tree", tree, options));
    assert.equal(await store.addPathToStore("tree", tree, { ...options, likelyNew: true }), added);
    assert.equal(existsSync(join(store.realPath(added), "left-out")), false);
    const flat = await store.addPathToStore("flat", join(tree, "sub/file"), { method: "flat" });
    assert.deepEqual((await fixture.store.getPathInfo(flat)).contentAddress?.method, "flat");
    const [a, b, c] = await addChain(store);
    assert.deepEqual((await fixture.store.getPathInfo(c)).references, [a, b].sort());
    assert.equal(await store.addTextToStore("c", `${formatStorePath(a)} ${formatStorePath(b)}`, [a, b]), c);
    assert.deepEqual(await fixture.store.verify({ checkContents: true }), []);
    assert.deepEqual(errors, []);
  });

  it("takes derivations whose inputs are on their way in the same stream", async (t) => {
    const { store } = await setUp(t);
    // Derived elsewhere: nothing of it is here.
    await using fixture = await createBuildFixture();
    await copyPaths(fixture.store, store, [fixture.tools]);
    const chain = [await fixture.derive({ name: "first", script: "echo 1 > $out" })];
    for (let i = 0; i < 20; i++) chain.push(await fixture.derive({ name: `next-${i}`, script: "echo $input > $out", inputs: [chain.at(-1)!], env: { input: formatStorePath(chain.at(-1)!.outputPaths.get("out")!) } }));
    const texts = chain.map(({ derivation }) => ({ name: `${derivation.name}.drv`, contents: formatDerivation(derivation), references: [...derivation.inputDerivations.keys(), ...derivation.inputSources] }));
    assert.deepEqual(await store.addTextsToStore(texts), chain.map(({ path }) => path));
    assert.equal(await store.isValidPath(chain.at(-1)!.path), true);
  });

  it("answers what is asked of it as the store itself does", async (t) => {
    const { store, fixture } = await setUp(t);
    const [a, b, c] = await addChain(store);
    const built = await fixture.derive({ name: "built", script: "echo $PATH > $out" });
    await realise(store, [{ drvPath: built.path }], fixture.options());
    const output = built.outputPaths.get("out")!;
    for (const path of [a, b, c, built.path, output]) {
      assert.deepEqual(await store.findPathInfo(path), await fixture.store.findPathInfo(path));
      assert.deepEqual((await store.queryReferrers(path)).sort(), (await fixture.store.queryReferrers(path)).sort());
      assert.deepEqual(await store.queryValidDerivers(path), await fixture.store.queryValidDerivers(path));
      for (const direction of ["references", "referrers"] as const) {
        for (const more of [{}, { includeOutputs: true }, { includeDerivers: true }, { includeOutputs: true, includeDerivers: true }]) {
          const options = { direction, ...more };
          assert.deepEqual([...(await store.closure([path], options))].sort(), [...(await fixture.store.closure([path], options))].sort(), `${path} ${JSON.stringify(options)}`);
        }
      }
    }
    assert.deepEqual(await store.queryDerivationOutputs(built.path), new Map([["out", output]]));
    assert.deepEqual(await store.queryAllValidPaths(), await fixture.store.queryAllValidPaths());
    assert.deepEqual(await store.sortTopologically([a, c, b]), [c, b, a]);
    assert.equal(await store.findPathFromHashPart(a.slice(0, 32)), a);
    assert.equal(await store.verifyPath(a), undefined);
    assert.deepEqual(await store.verify({ checkContents: true }), []);
    await assert.rejects(store.getPathInfo(`${"b".repeat(32)}-nothing` as StorePath), hasCode("store.invalid-path"));
  });

  it("has built what it asks for, with what happens on the way", async (t) => {
    const { store, fixture } = await setUp(t);
    const good = await fixture.derive({ name: "good", outputs: ["out", "dev"], script: "echo a line; echo > $out; echo > $dev" });
    const bad = await fixture.derive({ name: "bad", script: "echo it breaks; exit 7" });
    const missing = await store.builds!.findMissing([{ kind: "derivation", path: good.path }], { jobs: 1, cores: 0 });
    assert.deepEqual([missing.build, missing.substitute, missing.unknown], [[good.path], [], []]);
    const events: ProgressEvent[] = [];
    const outputs = await realise(store, [{ drvPath: good.path, outputs: ["dev"] }], fixture.options({ report: (event) => void events.push(event) }));
    assert.deepEqual([...outputs.get(good.path)!.keys()], ["dev"]);
    assert.equal(events.some((event) => event.kind === "log" && event.line === "a line"), true);
    assert.equal(events.some((event) => event.kind === "start" && event.activity === "build" && event.path === formatStorePath(good.path)), true);
    await realise(store, [{ drvPath: good.path }], fixture.options({ check: true }));
    await assert.rejects(realise(store, [{ drvPath: bad.path }], fixture.options()), (error: TsosError) => {
      assert.equal(error.code, "build.failed");
      assert.match(error.message, /exit code 7[^]*it breaks/);
      assert.equal((error.cause as TsosError).code, "build.builder-failed");
      const [failure, ...others] = error.data["failures"] as readonly FailureReport[];
      assert.deepEqual([failure!.derivation, failure!.name, others], [formatStorePath(bad.path), "bad", []]);
      return true;
    });
    const slow = await fixture.derive({ name: "slow", script: "exec sleep 1000" });
    await assert.rejects(realise(store, [{ drvPath: slow.path }, { drvPath: good.path }], fixture.options({ limits: { timeout: 1 } })), (error: TsosError) => (error.cause as TsosError).code === "build.timed-out");
    await assert.rejects(substitutePaths(store, [`${"b".repeat(32)}-nothing` as StorePath], {}), hasCode("daemon.remote-error"));
    assert.equal(await store.isValidPath(good.outputPaths.get("out")!), true);
  });

  it("stops what it has built when it is told to", async (t) => {
    const { store, fixture } = await setUp(t);
    const slow = await fixture.derive({ name: "slow", script: "echo started; sleep 60; echo > $out" });
    const stop = new AbortController();
    const report = (event: ProgressEvent): void => {
      if (event.kind === "log") stop.abort(new Error("enough"));
    };
    await assert.rejects(realise(store, [{ drvPath: slow.path }], fixture.options({ report, signal: stop.signal })), /enough/);
    assert.equal(await store.isValidPath(slow.path), true);
  });

  it("keeps what it names, makes roots of its own links, and has the rest collected", async (t) => {
    const { store, fixture } = await setUp(t);
    const kept = await store.addTextToStore("kept", "kept", []);
    const link = join(fixture.root, "my-link");
    await store.addPermanentRoot(kept, link);
    assert.equal(readlinkSync(link), formatStorePath(kept));
    const used = await store.addTextToStore("used", "used", []);
    {
      await using other = openDaemonStore({ root: fixture.root, socket: join(fixture.root, "socket") });
      await other.addTextToStore("lost", "lost", []);
    }
    const { deleted, alive } = await store.collectGarbage();
    assert.equal(deleted.some((path) => path.endsWith("-lost")), true);
    assert.equal(alive, (await store.queryAllValidPaths()).length);
    assert.deepEqual([await store.isValidPath(kept), await store.isValidPath(used)], [true, true]);
    assert.deepEqual((await store.findRootsOf(kept)).map(({ root, way }) => [root.source, way]).filter(([source]) => source === link), [[link, [kept]]]);
    // Roots of other processes are not for everybody to see.
    assert.equal((await store.findRoots()).some(({ source }) => source.startsWith("/proc/")), false);
  });

  it("does nothing that only the store's owner may", async (t) => {
    const { store, fixture } = await setUp(t);
    const path = await store.addTextToStore("x", "x", []);
    const info = { ...(await store.getPathInfo(path)), path: `${"a".repeat(32)}-unproven` as StorePath, contentAddress: undefined };
    await assert.rejects(store.addNarToStore(info, store.narFromPath(path)), hasCode("daemon.remote-error"));
    await assert.rejects(store.addSignatures(path, ["mine-1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=="]), hasCode("daemon.remote-error"));
    await assert.rejects(store.builds!.realise([{ kind: "path", path }], { mode: "repair", jobs: 1, cores: 0 }), hasCode("daemon.remote-error"));
    for (const attempt of [() => store.registerValidPaths([info]), () => store.lockPaths([path]), () => store.createTemporaryFolder(), () => store.optimise()]) await assert.rejects(attempt(), hasCode("daemon.not-for-clients"));
    assert.deepEqual(await fixture.store.verify({ checkContents: true }), []);
  });
});
