import assert from "node:assert/strict";
import { readdirSync, readFileSync, readlinkSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, test } from "node:test";
import { pathToFileURL } from "node:url";
import { findBuildLog } from "../../../core/build/build-log.ts";
import type { FailureReport } from "../../../core/build/build-error.ts";
import type { BuiltinBuilder } from "../../../core/build/builtin-builder.ts";
import { fetchurl } from "../../../core/build/builtin/fetchurl.ts";
import type { FinishedDerivation } from "../../../core/derivation/finish-derivation.ts";
import { TsosError } from "../../../core/error/tsos-error.ts";
import { formatHash, hashBytes, type Hash } from "../../../core/hash/hash.ts";
import { encodeUtf8 } from "../../../core/util/bytes.ts";
import { createBuildFixture, findProcesses, outputOf, outputText, toolsTree, type BuildFixture, type DerivationSketch } from "./build-fixture.ts";

/** Writes `text`, or the name, and the texts of `inputs` after it. */
const writeText: BuiltinBuilder = async (context) => {
  for (const [name, folder] of context.outputs) {
    const inputs = (context.env.get("inputs") ?? "").split(" ").filter((path) => path !== "");
    writeFileSync(folder, [context.env.get("text") ?? context.env.get("name")!, ...inputs.map((path) => readFileSync(context.realPath(path), "utf8"))].join(",") + (name === "out" ? "" : name));
  }
};

async function failureOf(promise: Promise<unknown>): Promise<TsosError & { readonly failures: readonly FailureReport[] }> {
  const error = await promise.then(
    () => assert.fail("expected a failure"),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof TsosError, String(error instanceof Error ? error.stack : error));
  return Object.assign(error, { failures: (error.data["failures"] ?? []) as readonly FailureReport[] });
}

async function read(fixture: BuildFixture, derivation: FinishedDerivation, output = "out"): Promise<string> {
  assert.ok(await fixture.store.isValidPath(outputOf(derivation, output)));
  return readFileSync(fixture.path(outputOf(derivation, output)), "utf8");
}

/** What a run may leave in the store's folder: nothing but valid paths. */
async function assertNothingLeft(fixture: BuildFixture): Promise<void> {
  const valid = new Set<string>(await fixture.store.queryAllValidPaths());
  const left = readdirSync(fixture.store.realStoreDir).filter((name) => !valid.has(name) && name !== ".links");
  assert.deepEqual(left, []);
}

describe("the graph", () => {
  test("builds what is missing below a target, inputs first, each once", async () => {
    const order: string[] = [];
    await using fixture = await createBuildFixture({
      builtins: { text: async (context) => (order.push(context.env.get("name")!), writeText(context)) },
    });
    const text = async (name: string, ...inputs: FinishedDerivation[]): Promise<FinishedDerivation> =>
      fixture.derive({ name, builder: "builtin:text", inputs, env: { inputs: inputs.map((input) => outputText(input)).join(" ") } });
    const bottom = await text("bottom");
    const left = await text("left", bottom);
    const right = await text("right", bottom);
    const top = await text("top", left, right);
    const outputs = await fixture.build([top]);
    assert.equal(outputs.get(top.path)?.get("out"), outputOf(top));
    assert.equal(await read(fixture, top), "top,left,bottom,right,bottom");
    assert.equal(order[0], "bottom");
    assert.equal(order.at(-1), "top");
    assert.equal(order.length, 4);
    assert.deepEqual((await fixture.store.getPathInfo(outputOf(top))).deriver, top.path);
    await assertNothingLeft(fixture);
  });

  test("builds nothing that is valid, nor what only that would need", async () => {
    let built = 0;
    await using fixture = await createBuildFixture({ builtins: { text: async (context) => (built++, writeText(context)) } });
    const input = await fixture.derive({ name: "input", builder: "builtin:text" });
    const user = await fixture.derive({ name: "user", builder: "builtin:text", inputs: [input] });
    await fixture.build([user]);
    await fixture.build([user, input]);
    assert.equal(built, 2);
  });

  test("builds independent derivations at the same time, no more of them than there are jobs", async () => {
    let now = 0;
    let most = 0;
    const slow: BuiltinBuilder = async (context) => {
      most = Math.max(most, ++now);
      await sleep(30);
      now--;
      await writeText(context);
    };
    await using fixture = await createBuildFixture({ builtins: { slow } });
    const all = await Promise.all(Array.from({ length: 9 }, (_, i) => fixture.derive({ name: `slow-${i}`, builder: "builtin:slow" })));
    await fixture.build(all, { builtinJobs: 3 });
    assert.equal(most, 3);
  });

  test("builds the same derivation once for two who ask at the same time", async () => {
    let built = 0;
    await using fixture = await createBuildFixture({
      builtins: {
        slow: async (context) => {
          built++;
          await sleep(50);
          await writeText(context);
        },
      },
    });
    const one = await fixture.derive({ name: "one", builder: "builtin:slow" });
    await Promise.all([fixture.build([one]), fixture.build([one])]);
    assert.equal(built, 1);
  });

  test("builds a fixed output once though two derivations name it", async () => {
    let built = 0;
    await using fixture = await createBuildFixture({ builtins: { text: async (context) => (built++, await sleep(20), writeText(context)) } });
    const output = { kind: "fixed", contentAddress: { method: "flat", hash: hashBytes("sha256", encodeUtf8("same")) } } as const;
    const [one, other] = [
      await fixture.derive({ name: "same", builder: "builtin:text", output, env: { text: "same", mirror: "1" } }),
      await fixture.derive({ name: "same", builder: "builtin:text", output, env: { text: "same", mirror: "2" } }),
    ];
    assert.notEqual(one.path, other.path);
    await fixture.build([one, other]);
    assert.equal(built, 1);
  });

  test("makes all outputs when one is asked for", async () => {
    await using fixture = await createBuildFixture({ builtins: { text: writeText } });
    const two = await fixture.derive({ name: "two", builder: "builtin:text", outputs: ["out", "dev"] });
    const outputs = await fixture.build([{ drvPath: two.path, outputs: ["dev"] }]);
    assert.deepEqual([...outputs.get(two.path)!], [["dev", outputOf(two, "dev")]]);
    assert.equal(await read(fixture, two, "out"), "two");
    assert.equal(await read(fixture, two, "dev"), "twodev");
  });

  test("names the outputs there are when one is asked for that is not", async () => {
    await using fixture = await createBuildFixture();
    const one = await fixture.derive({ name: "one", builder: "builtin:text" });
    const error = await failureOf(fixture.build([{ drvPath: one.path, outputs: ["doc"] }]));
    assert.equal(error.code, "build.unknown-output");
    assert.match(error.message, /has no output "doc", expected one of out/);
  });

  test("says that floating outputs cannot be built yet", async () => {
    await using fixture = await createBuildFixture();
    const floating = await fixture.derive({ name: "floating", builder: "builtin:text", output: { kind: "floating", method: "nar", algorithm: "sha256" } });
    assert.equal((await failureOf(fixture.build([floating]))).code, "build.floating-output");
  });

  test("reports a start and an end of each activity", async () => {
    await using fixture = await createBuildFixture({ builtins: { text: writeText } });
    const one = await fixture.derive({ name: "one", builder: "builtin:text" });
    await fixture.build([one]);
    const kinds = fixture.events.map((event) => (event.kind === "start" ? `start ${event.activity} ${event.subject}` : event.kind === "stop" ? `stop ${event.outcome}` : event.kind));
    assert.deepEqual(kinds, ["start realise one", "start build one", "stop done", "progress", "stop done"]);
  });
});

describe("a failure", () => {
  test("names the derivation, its log, its last lines and the target that needed it, and leaves nothing", async () => {
    await using fixture = await createBuildFixture();
    const broken = await fixture.derive({ name: "broken", script: "for i in $(echo {1..40}); do echo line $i; done; echo the end >&2; mkdir $out; exit 7" });
    const middle = await fixture.derive({ name: "middle", script: "echo > $out", inputs: [broken] });
    const target = await fixture.derive({ name: "target", script: "echo > $out", inputs: [middle] });
    const error = await failureOf(fixture.build([target]));
    assert.equal(error.code, "build.failed");
    const [failure] = error.failures;
    assert.equal(failure?.derivation, `/nix/store/${broken.path}`);
    assert.match(failure.reason, /exit code 7/);
    assert.deepEqual(failure.neededBy, ["target", "middle", "broken"]);
    assert.equal(failure.lastLines.at(-1), "the end");
    assert.ok(!failure.lastLines.includes("line 1"));
    assert.match(error.message, /line 40\n {2}> the end\n/);
    assert.ok(error.message.includes(failure.logFile));
    assert.match(readFileSync(failure.logFile, "utf8"), /^line 1\nline 2\n/);
    assert.deepEqual(await findBuildLog(fixture.store, broken.path), { file: failure.logFile, compression: "none" });
    assert.equal(failure.logFile, join(fixture.store.logDir, "drvs", broken.path.slice(0, 2), broken.path.slice(2)));
    for (const derivation of [broken, middle, target]) assert.ok(!(await fixture.store.isValidPath(outputOf(derivation))));
    await assertNothingLeft(fixture);
  });

  test("lets all that does not need it finish when told to keep going", async () => {
    await using fixture = await createBuildFixture({
      builtins: {
        text: async (context) => (await sleep(20), writeText(context)),
        fail: async () => {
          throw new TsosError({ code: "test.no", message: "no such thing" });
        },
      },
    });
    const bad = await fixture.derive({ name: "bad", builder: "builtin:fail" });
    const worse = await fixture.derive({ name: "worse", builder: "builtin:fail" });
    const good = await fixture.derive({ name: "good", builder: "builtin:text" });
    const better = await fixture.derive({ name: "better", builder: "builtin:text", inputs: [good] });
    const stopped = await fixture.derive({ name: "stopped", builder: "builtin:text", inputs: [bad, good] });
    const error = await failureOf(fixture.build([stopped, better, worse], { keepGoing: true }));
    assert.deepEqual(error.failures.map((failure) => failure.name).sort(), ["bad", "worse"]);
    assert.match(error.message, /^2 derivations could not be built\n/);
    assert.ok(await fixture.store.isValidPath(outputOf(better)));
    assert.ok(!(await fixture.store.isValidPath(outputOf(stopped))));
  });

  test("stops the others at once when not", async () => {
    await using fixture = await createBuildFixture();
    const bad = await fixture.derive({ name: "bad", script: "exit 1" });
    const long = await fixture.derive({ name: "long", script: "sleep 60" });
    const before = Date.now();
    const error = await failureOf(fixture.build([bad, long]));
    assert.deepEqual(error.failures.map((failure) => failure.name), ["bad"]);
    assert.ok(Date.now() - before < 20_000);
    await assertNothingLeft(fixture);
  });

  test("of an output that was not made names the output", async () => {
    await using fixture = await createBuildFixture();
    const half = await fixture.derive({ name: "half", outputs: ["out", "doc"], script: "echo > $out" });
    const error = await failureOf(fixture.build([half]));
    assert.match(error.message, /did not make the output "doc" \("\/nix\/store\/[^"]*-half-doc"\)/);
    assert.ok(!(await fixture.store.isValidPath(outputOf(half))));
  });

  test("of a fixed output shows the specified and the actual hash", async () => {
    await using fixture = await createBuildFixture();
    const wanted = hashBytes("sha256", encodeUtf8("wanted\n"));
    const fixed = await fixture.derive({ name: "fixed", output: { kind: "fixed", contentAddress: { method: "flat", hash: wanted } }, script: "echo got > $out" });
    const error = await failureOf(fixture.build([fixed]));
    assert.ok(error.message.includes(formatHash(wanted, "sri")));
    assert.ok(error.message.includes(formatHash(hashBytes("sha256", encodeUtf8("got\n")), "sri")));
    await assertNothingLeft(fixture);
  });

  test("of a fixed output that is built again shows both hashes", async () => {
    await using fixture = await createBuildFixture();
    const now = join(fixture.root, "now");
    writeFileSync(now, "one\n");
    const output = { kind: "fixed", contentAddress: { method: "flat", hash: hashBytes("sha256", encodeUtf8("one\n")) } } as const;
    const fixed = await fixture.derive({ name: "fixed", output, script: "cat /now > $out" });
    const sandboxPaths = [{ shown: "/now", real: now, optional: false }];
    await fixture.build([fixed], { sandboxPaths });
    await fixture.build([fixed], { sandboxPaths, check: true });
    writeFileSync(now, "two\n");
    const error = await failureOf(fixture.build([fixed], { sandboxPaths, check: true }));
    assert.equal((error.cause as TsosError).code, "store.hash-mismatch");
    await assertNothingLeft(fixture);
  });

  test("of a fixed output keeps what was made for who corrects the hash, and says nothing of another source", async () => {
    await using fixture = await createBuildFixture({ builtins: { fetchurl } });
    const [wanted, got] = ["wanted\n", "got\n"].map((text) => hashBytes("sha256", encodeUtf8(text))) as [Hash, Hash];
    writeFileSync(join(fixture.root, "file"), "got\n");
    const ways: readonly Partial<DerivationSketch>[] = [
      { script: "echo building; echo got > $out" },
      { builder: "builtin:fetchurl", env: { url: pathToFileURL(join(fixture.root, "file")).href } },
    ];
    for (const [at, sketch] of ways.entries()) {
      const derive = (hash: Hash) => fixture.derive({ ...sketch, name: `fixed-${at}`, output: { kind: "fixed", contentAddress: { method: "flat", hash } } });
      await failureOf(fixture.build([await derive(wanted)]));
      const right = await derive(got);
      assert.equal(readFileSync(fixture.path(outputOf(right)), "utf8"), "got\n");
      const { ultimate, deriver } = await fixture.store.getPathInfo(outputOf(right));
      assert.deepEqual([ultimate, deriver], [true, (await derive(wanted)).path]);
      fixture.events.length = 0;
      await fixture.build([right]);
      assert.deepEqual(fixture.events, []);
    }
    await assertNothingLeft(fixture);
    assert.deepEqual(await fixture.store.verify({ checkContents: true }), []);
  });

  test("keeps the build folder where asked, and says where", async () => {
    await using fixture = await createBuildFixture();
    const broken = await fixture.derive({ name: "broken", script: "echo here > note; exit 1" });
    const error = await failureOf(fixture.build([broken], { keepFailed: true }));
    const folder = error.failures[0]!.keptFolder!;
    assert.ok(error.message.includes(folder));
    assert.equal(readFileSync(join(folder, "note"), "utf8"), "here\n");
    rmSync(folder, { recursive: true });
  });

  test("of an unknown builtin builder names those there are", async () => {
    await using fixture = await createBuildFixture({ builtins: { text: writeText } });
    const error = await failureOf(fixture.build([await fixture.derive({ name: "x", builder: "builtin:txt" })]));
    assert.match(error.message, /unsupported builtin builder 'txt'/);
  });

  test("of a machine without a sandbox says what to change", async () => {
    await using fixture = await createBuildFixture();
    const one = await fixture.derive({ name: "one", script: "echo > $out" });
    const tool = { command: join(toolsTree(), "usr/bin/bash"), args: ["-c", "echo 'bwrap: Creating new namespace failed: Operation not permitted'; exit 1"] };
    const error = await failureOf(fixture.build([one], { tools: { bubblewrap: () => Promise.resolve(tool) } }));
    assert.match(error.message, /sandbox cannot be set up: "Creating new namespace failed/);
    assert.match(error.hint!, /unprivileged_userns_clone/);
  });

  test("of a derivation for another platform names both", async () => {
    await using fixture = await createBuildFixture();
    const error = await failureOf(fixture.build([await fixture.derive({ name: "one", platform: "riscv64-linux", builder: "/bin/sh" })]));
    assert.match(error.message, /is for "riscv64-linux", this machine builds for "/);
  });
});

describe("an abort", () => {
  test("kills the builders and leaves nothing", async () => {
    await using fixture = await createBuildFixture();
    const long = await fixture.derive({ name: "long", script: "echo begun; sleep 1000 & sleep 1000" });
    const controller = new AbortController();
    const reason = new Error("enough");
    const report = (event: { readonly kind: string }): void => {
      if (event.kind === "log") controller.abort(reason);
    };
    await assert.rejects(fixture.build([long], { signal: controller.signal, report }), reason);
    await assertNothingLeft(fixture);
    assert.equal(findProcesses("sleep 1000").length, 0);
  });

  test("reaches a builtin builder through its signal", async () => {
    await using fixture = await createBuildFixture({
      builtins: { wait: (context) => sleep(60_000, undefined, { signal: context.signal }) },
    });
    const signal = AbortSignal.timeout(50);
    await assert.rejects(fixture.build([await fixture.derive({ name: "wait", builder: "builtin:wait" })], { signal }), { name: "TimeoutError" });
    await assertNothingLeft(fixture);
  });
});

describe("a check", () => {
  test("passes a build that gives the same again", async () => {
    await using fixture = await createBuildFixture();
    const same = await fixture.derive({ name: "same", script: "mkdir $out; echo 1 > $out/a" });
    await fixture.build([same]);
    await fixture.build([same], { check: true });
    await assertNothingLeft(fixture);
  });

  test("names the files that differ", async () => {
    await using fixture = await createBuildFixture();
    const clock = await fixture.derive({ name: "clock", script: "mkdir -p $out/sub; echo 1 > $out/a; date +%N > $out/sub/time" });
    await fixture.build([clock]);
    const error = await failureOf(fixture.build([clock], { check: true }));
    assert.match(error.message, /these files differ:\n {2}out: sub\/time\n/);
    assert.ok(!error.message.includes("out: a"));
    assert.ok(await fixture.store.isValidPath(outputOf(clock)));
  });
});

describe("an output", () => {
  test("gets canonical metadata and the references it has", async () => {
    await using fixture = await createBuildFixture();
    const input = await fixture.derive({ name: "input", script: "echo in > $out" });
    const unused = await fixture.derive({ name: "unused", script: "echo un > $out" });
    const user = await fixture.derive({
      name: "user",
      inputs: [input, unused],
      env: { input: outputText(input), unused: outputText(unused) },
      script: "mkdir $out; echo $input $out > $out/refs; ln -s $input $out/link; chmod 777 $out/refs; chmod 700 $out",
    });
    await fixture.build([user]);
    const info = await fixture.store.getPathInfo(outputOf(user));
    assert.deepEqual([...info.references].sort(), [outputOf(input), outputOf(user)].sort());
    const stats = statSync(join(fixture.path(outputOf(user)), "refs"));
    assert.equal(stats.mode & 0o7777, 0o555);
    assert.equal(stats.mtimeMs, 1000);
    assert.equal(readlinkSync(join(fixture.path(outputOf(user)), "link")), outputText(input));
  });

  test("may be forbidden to refer to a path", async () => {
    await using fixture = await createBuildFixture();
    const input = await fixture.derive({ name: "input", script: "echo in > $out" });
    const user = await fixture.derive({
      name: "user",
      inputs: [input],
      env: { input: outputText(input), disallowedReferences: outputText(input) },
      script: "echo $input > $out",
    });
    assert.match((await failureOf(fixture.build([user]))).message, /refers to "\/nix\/store\/[^"]*-input", which its "disallowedReferences" lists/);
    await assertNothingLeft(fixture);
  });

  test("does not refer to what was not in the closure of the inputs, though it names it", async () => {
    await using fixture = await createBuildFixture();
    const stranger = await fixture.derive({ name: "stranger", script: "echo in > $out" });
    await fixture.build([stranger]);
    const one = await fixture.derive({ name: "one", env: { text: outputText(stranger) }, script: "test ! -e $text; echo $text > $out" });
    await fixture.build([one]);
    assert.deepEqual((await fixture.store.getPathInfo(outputOf(one))).references, []);
  });
});
