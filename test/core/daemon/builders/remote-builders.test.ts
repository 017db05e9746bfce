import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { inputPlaceholder } from "../../../../core/derivation/placeholder.ts";
import { createRemoteBuilders } from "../../../../core/daemon/builders/remote-builders.ts";
import { parseMachines } from "../../../../core/daemon/builders/parse-machines.ts";
import { openRemoteStore } from "../../../../core/daemon/client/open-remote-store.ts";
import { createBuildFixture, outputOf } from "../../build/build-fixture.ts";
import { startTestDaemon, type TestDaemonOptions } from "../server/test-daemon.ts";
import type { TestContext } from "node:test";

async function setUp(t: TestContext, options: TestDaemonOptions = {}, more = "") {
  const far = await startTestDaemon(t, options);
  const near = await createBuildFixture();
  const warnings: string[] = [];
  const machines = parseMachines(`${more}${far.url} x86_64-linux - 1 1 big-parallel,ca-derivations`, { system: "x86_64-linux", readFile: () => undefined });
  const builders = createRemoteBuilders({
    machines,
    loadDir: `${near.root}/load`,
    useSubstitutes: false,
    open: ({ url }) => openRemoteStore(url, { environment: {} }),
    report: (event) => event.kind === "message" && event.level === "warning" && warnings.push(event.text),
  });
  t.after(async () => {
    await builders[Symbol.asyncDispose]();
    await near[Symbol.asyncDispose]();
  });
  return { far, near, builders, warnings };
}

describe("other machines that build", () => {
  it("get what a build needs, and what they made comes back with its log", async (t) => {
    const { far, near, builders } = await setUp(t);
    const first = await near.derive({ name: "first", script: "echo making first; echo one > $out" });
    const second = await near.derive({ name: "second", outputs: ["out", "more"], inputs: [first], env: { first: near.store.storeDir + "/" + outputOf(first) }, script: "cat $first > $out; echo $out > $more; echo making second" });
    await near.build([second], { jobs: 0, remoteBuilders: builders });
    for (const path of second.outputPaths.values()) {
      assert.equal(await far.fixture.store.isValidPath(path!), true);
      assert.equal(await near.store.isValidPath(path!), true);
    }
    assert.equal(readFileSync(near.path(outputOf(second)), "utf8"), "one\n");
    assert.deepEqual((await near.store.getPathInfo(outputOf(second, "more"))).references, [outputOf(second)]);
    assert.ok(near.events.some((event) => event.kind === "log" && event.line === "making second"));
    assert.deepEqual(await near.store.verify({ checkContents: true }), []);
  });

  it("make outputs whose paths only their contents tell, for who is not trusted too", async (t) => {
    const { far, near, builders } = await setUp(t, { trusted: false, contentAddressed: true });
    const output = { kind: "floating", method: "nar", algorithm: "sha256" } as const;
    const root = await near.derive({ name: "root", output, script: "mkdir $out; echo $out > $out/self" });
    const user = await near.derive({ name: "user", output, inputs: [root], env: { root: inputPlaceholder(root.path, "out") }, script: "echo $root > $out" });
    const path = (await near.build([user], { jobs: 0, remoteBuilders: builders, contentAddressed: true })).get(user.path)!.get("out")!;
    const made = (await near.store.queryDerivationOutputs(root.path)).get("out")!;
    assert.equal(readFileSync(near.path(path), "utf8"), `${near.store.storeDir}/${made}\n`);
    assert.equal(await far.fixture.store.isValidPath(path), true);
    assert.deepEqual([(await near.store.getPathInfo(path)).references, (await near.store.getPathInfo(made)).references], [[made], [made]]);
    assert.deepEqual(await near.store.verify({ checkContents: true }), []);
  });

  it("leave to this machine what they are not for, what prefers to be built here, and what is built while they are busy", async (t) => {
    const { far, near, builders } = await setUp(t);
    const local = await near.derive({ name: "local", script: "echo > $out", env: { preferLocalBuild: "1" } });
    const special = await near.derive({ name: "special", script: "echo > $out", env: { requiredSystemFeatures: "benchmark" } });
    const together = await Promise.all([1, 2].map((n) => near.derive({ name: `busy-${n}`, script: "sleep 1; echo > $out" })));
    await near.build([local, special, ...together], { remoteBuilders: builders });
    const there = await Promise.all([local, special].map((derivation) => far.fixture.store.isValidPath(outputOf(derivation))));
    assert.deepEqual(there, [false, false]);
    const busy = await Promise.all(together.map((derivation) => far.fixture.store.isValidPath(outputOf(derivation))));
    assert.deepEqual(busy.toSorted(), [false, true]);
  });

  it("are waited for where only they can build", async (t) => {
    const { far, near, builders } = await setUp(t);
    const all = await Promise.all([1, 2, 3].map((n) => near.derive({ name: `waits-${n}`, script: `echo ${n} > $out` })));
    await near.build(all, { jobs: 0, remoteBuilders: builders });
    for (const derivation of all) assert.equal(await far.fixture.store.isValidPath(outputOf(derivation)), true);
  });

  it("tell why a build failed there", async (t) => {
    const { near, builders } = await setUp(t);
    const bad = await near.derive({ name: "bad", script: "echo it breaks; exit 4" });
    await assert.rejects(near.build([bad], { jobs: 0, remoteBuilders: builders }), /exit code 4[^]*it breaks/);
  });

  it("are left out, with a word, when they cannot be reached", async (t) => {
    const { near, builders, warnings } = await setUp(t, {}, "unix:///nonexistent/socket x86_64-linux - 4 10;");
    const good = await near.derive({ name: "good", script: "echo > $out" });
    await near.build([good], { jobs: 0, remoteBuilders: builders });
    assert.equal(warnings.length, 1);
    assert.match(warnings[0]!, /cannot build on "unix:\/\/\/nonexistent\/socket"/);
  });

  it("get no derivation that they would not believe, where they do not trust us", async (t) => {
    const { near, builders } = await setUp(t, { trusted: false });
    const doubted = await near.derive({ name: "doubted", script: "echo > $out" });
    await assert.rejects(near.build([doubted], { jobs: 0, remoteBuilders: builders }), /does not trust this user/);
  });

  it("are needed where nothing may be built here", async (t) => {
    const { near } = await setUp(t);
    const lonely = await near.derive({ name: "lonely", script: "echo > $out" });
    await assert.rejects(near.build([lonely], { jobs: 0 }), /no other machine builds it/);
  });
});
