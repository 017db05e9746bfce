/** What a derivation's attributes say of its outputs and of what its builder is given, as the reference takes them. */
import assert from "node:assert/strict";
import { readFileSync, statSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { TsosError } from "../../../core/error/tsos-error.ts";
import type { FinishedDerivation } from "../../../core/derivation/finish-derivation.ts";
import { createBuildFixture, outputOf, outputText, type BuildFixture, type DerivationSketch } from "./build-fixture.ts";

let fixture: BuildFixture;
let dep: FinishedDerivation;
let user: FinishedDerivation;
before(async () => {
  fixture = await createBuildFixture();
  dep = await fixture.derive({ name: "dep", script: "echo dep > $out" });
  user = await fixture.derive({ name: "user", inputs: [dep], script: `echo ${outputText(dep)} > $out` });
});
after(() => fixture[Symbol.asyncDispose]());

let number = 0;
async function build(sketch: Partial<DerivationSketch>): Promise<FinishedDerivation> {
  const derivation = await fixture.derive({ name: `checked-${number++}`, inputs: [user, dep], ...sketch });
  await fixture.build([derivation]);
  return derivation;
}

/** With structured attributes. */
function structured(script: string, attributes: Readonly<Record<string, unknown>>): Promise<FinishedDerivation> {
  const json = JSON.stringify({ __buildRoot: `/nix/store/${fixture.tools}`, ...attributes });
  return build({ builder: "/usr/bin/bash", args: ["-ec", `. $NIX_ATTRS_SH_FILE; ${script}`], sources: [fixture.tools], env: { __json: json } });
}

async function codeOf(made: Promise<unknown>): Promise<string> {
  const error = await made.then(() => undefined, (thrown: unknown) => thrown);
  assert.ok(error instanceof TsosError, String(error));
  // What its attributes say is read before anything is built.
  return error.cause instanceof TsosError ? error.cause.code : error.code;
}

const FORBIDDEN = "build.forbidden-reference";

describe("rules of references", () => {
  test("an output's reference to itself is one", async () => {
    assert.equal(await codeOf(build({ script: "echo $out > $out", env: { allowedReferences: "" } })), FORBIDDEN);
    assert.equal(await codeOf(build({ script: "echo $out > $out", env: { disallowedReferences: "out" } })), FORBIDDEN);
    await build({ script: "echo $out > $out", env: { allowedReferences: "out" } });
  });

  test("an output is its own requisite with structured attributes only", async () => {
    const both = [outputText(user), outputText(dep)];
    const script = `echo ${outputText(user)} > $out`;
    await build({ script: `${script}; echo $out >> $out`, env: { allowedRequisites: both.join(" ") } });
    const other = `echo ${outputText(user)} > \${outputs[out]}`;
    assert.equal(await codeOf(structured(other, { outputChecks: { out: { allowedRequisites: both } } })), FORBIDDEN);
    await structured(other, { outputChecks: { out: { allowedRequisites: [...both, "out"] } } });
  });

  test("all that is wrong is named", async () => {
    const derivation = await fixture.derive({ name: "both", inputs: [user, dep], script: `echo ${outputText(user)} ${outputText(dep)} > $out`, env: { allowedReferences: "" } });
    await assert.rejects(fixture.build([derivation]), (error: TsosError) => {
      const { data } = error.cause as TsosError;
      assert.deepEqual(data, { output: outputText(derivation), paths: [outputText(user), outputText(dep)].sort(), rule: "allowedReferences" });
      return true;
    });
  });

  test("what is neither an output nor a path, or of another kind, is an error", async () => {
    const BAD = "build.bad-attribute";
    assert.equal(await codeOf(build({ script: "echo > $out", env: { allowedReferences: "dev" } })), BAD);
    for (const checks of [{ allowedReferences: "x" }, { maxSize: "x" }, { disallowedRequisites: [1] }]) {
      assert.equal(await codeOf(structured("echo > ${outputs[out]}", { outputChecks: { out: checks } })), BAD, JSON.stringify(checks));
    }
    assert.equal(await codeOf(structured("echo > ${outputs[out]}", { unsafeDiscardReferences: { out: "x" } })), BAD);
  });

  test("a size and a closure have limits", async () => {
    const script = `echo ${outputText(user)} > \${outputs[out]}`;
    assert.equal(await codeOf(structured(script, { outputChecks: { out: { maxSize: 10 } } })), "build.output-too-large");
    assert.equal(await codeOf(structured(script, { outputChecks: { out: { maxSize: 300, maxClosureSize: 300 } } })), "build.output-too-large");
    await structured(script, { outputChecks: { out: { maxSize: 300, maxClosureSize: 3000 } } });
  });
});

test("attributes of the wrong kind are errors before anything is built, what is no set of graphs is passed over", async () => {
  const script = "echo > ${outputs[out]}";
  for (const attributes of [{ preferLocalBuild: "1" }, { allowSubstitutes: 1 }, { impureEnvVars: "HOME" }, { requiredSystemFeatures: [1] }, { outputChecks: { other: { maxSize: "1" } } }]) {
    assert.equal(await codeOf(structured(script, attributes)), "build.bad-attribute", JSON.stringify(attributes));
  }
  assert.equal(await codeOf(structured(script, { exportReferencesGraph: { graph: 1 } })), "build.bad-reference-graph");
  await structured(script, { exportReferencesGraph: ["graph", outputText(user)] });
});

test("a size is taken as an unsigned number of 64 bits: without its fraction, and below zero it is no limit", async () => {
  await structured("echo > ${outputs[out]}", { outputChecks: { out: { maxSize: -1 } } });
  assert.equal(await codeOf(structured("echo > ${outputs[out]}", { outputChecks: { out: { maxSize: 1.5 } } })), "build.output-too-large");
});

test("a folder that its owner may not enter is one that all may enter once it is in the store", async () => {
  const derivation = await build({ script: "mkdir $out; chmod 000 $out" });
  assert.equal(statSync(fixture.path(outputOf(derivation))).mode & 0o777, 0o555);
});

test("what a build asks of the machine is refused before it begins", async () => {
  assert.equal(await codeOf(build({ script: "echo > $out", env: { __impureHostDeps: "/etc/passwd" } })), "build.impure-host-path");
  assert.equal(await codeOf(build({ script: "echo > $out", env: { requiredSystemFeatures: "uid-range" } })), "build.no-uid-range");
});

test("what a builder tells of its phases is no line of its output", async () => {
  const lines: string[] = [];
  const derivation = await fixture.derive({ name: "phases", script: `echo '@nix {"action":"setPhase","phase":"build"}'; echo '@nix no message'; echo > $out` });
  await fixture.build([derivation], { report: (event) => void (event.kind === "log" && lines.push(event.line)) });
  assert.deepEqual(lines, ["@nix no message"]);
});

test("references that are of no account are not registered, where structured attributes say so", async () => {
  const script = `echo ${outputText(user)} \${outputs[out]} > \${outputs[out]}`;
  const derivation = await structured(script, { unsafeDiscardReferences: { out: true } });
  assert.deepEqual((await fixture.store.getPathInfo(outputOf(derivation))).references, []);
  assert.equal(readFileSync(fixture.path(outputOf(derivation)), "utf8"), `${outputText(user)} ${outputText(derivation)}\n`);
  const kept = await build({ script: `echo ${outputText(user)} > $out`, env: { unsafeDiscardReferences: "1" } });
  assert.deepEqual((await fixture.store.getPathInfo(outputOf(kept))).references, [outputOf(user)]);
});

test("what others may write is no output", async () => {
  assert.equal(await codeOf(build({ script: "echo > $out; chmod 666 $out" })), "build.writable-output");
  assert.equal(await codeOf(build({ script: "mkdir $out; chmod 775 $out" })), "build.writable-output");
  await build({ script: "ln -s nowhere $out" });
});

test("the graph of a derivation holds what it and those that it needs are for", async () => {
  const derivation = await fixture.derive({ name: "graph", inputs: [user, dep], sources: [user.path], script: "cat g > $out", env: { exportReferencesGraph: `g /nix/store/${user.path}` } });
  await fixture.build([derivation]);
  const paths = readFileSync(fixture.path(outputOf(derivation)), "utf8").split("\n");
  for (const path of [`/nix/store/${user.path}`, `/nix/store/${dep.path}`, outputText(user), outputText(dep)]) assert.ok(paths.includes(path), path);
});

test("features of the machine may be named, and are otherwise Nix's", async () => {
  const derivation = await fixture.derive({ name: "feature", script: "echo > $out", env: { requiredSystemFeatures: "own" } });
  assert.equal(await codeOf(fixture.build([derivation])), "build.unknown-feature");
  await fixture.build([derivation], { systemFeatures: ["own"] });
});
