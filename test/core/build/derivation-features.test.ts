/** What a derivation's attributes say of its outputs and of what its builder is given, as the reference takes them. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
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
  assert.ok(error.cause instanceof TsosError, String(error.cause));
  return error.cause.code;
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
