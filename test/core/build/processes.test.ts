/** Several processes on one store, and processes that are killed. */
import assert from "node:assert/strict";
import { execFile, spawn, type ChildProcess } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import type { FinishedDerivation } from "../../../core/derivation/finish-derivation.ts";
import { createBuildFixture, findProcesses, outputOf, type BuildFixture } from "./build-fixture.ts";

const program = join(import.meta.dirname, "realise-process.ts");
const argumentsFor = (fixture: BuildFixture, derivations: readonly FinishedDerivation[]): string[] => ["--import", "tsx", program, fixture.root, ...derivations.map((derivation) => derivation.path)];

async function realiseInProcess(fixture: BuildFixture, ...derivations: readonly FinishedDerivation[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, argumentsFor(fixture, derivations));
  return stdout;
}

function startProcess(fixture: BuildFixture, ...derivations: readonly FinishedDerivation[]): ChildProcess {
  return spawn(process.execPath, argumentsFor(fixture, derivations), { stdio: ["ignore", "pipe", "inherit"] });
}

/** Resolves at the line; goes on reading afterwards, so that the process can go on writing. */
function lineOf(child: ChildProcess, wanted: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let text = "";
    child.stdout!.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      if (text.split("\n").includes(wanted)) resolve();
    });
    child.stdout!.once("end", () => reject(new Error(`the process ended without "${wanted}": ${text}`)));
  });
}

test("two processes asked for the same derivation build it once", async () => {
  await using fixture = await createBuildFixture();
  const slow = await fixture.derive({ name: "slow", script: "echo building; sleep 1; echo > $out" });
  const outputs = await Promise.all([realiseInProcess(fixture, slow), realiseInProcess(fixture, slow)]);
  assert.deepEqual(outputs.flatMap((text) => text.split("\n")).filter((line) => line === "log building"), ["log building"]);
  for (const text of outputs) assert.match(text, /done\n$/);
  assert.ok(await fixture.store.isValidPath(outputOf(slow)));
});

test("a killed process takes its builders with it, registers nothing, and the next run builds anew", async () => {
  await using fixture = await createBuildFixture();
  const sleeper = await fixture.derive({ name: "sleeper", script: "mkdir $out; echo half > $out/half; echo begun; sleep 45678" });
  const child = startProcess(fixture, sleeper);
  await lineOf(child, "log begun");
  child.kill("SIGKILL");
  await new Promise((resolve) => child.once("exit", resolve));
  for (let i = 0; i < 200 && findProcesses("sleep 45678").length > 0; i++) await sleep(10);
  assert.deepEqual(findProcesses("sleep 45678"), []);
  assert.ok(!(await fixture.store.isValidPath(outputOf(sleeper))));

  // Nothing stands in the way of another build of the same, and the collector removes what was left.
  const again = startProcess(fixture, sleeper);
  await lineOf(again, "log begun");
  again.kill("SIGKILL");
  await new Promise((resolve) => again.once("exit", resolve));
  for (let i = 0; i < 200 && findProcesses("sleep 45678").length > 0; i++) await sleep(10);
  await fixture.store.collectGarbage();
  assert.deepEqual(readdirSync(fixture.store.realStoreDir).filter((name) => name.startsWith("tmp-")), []);
});

test("killed at random, a run leaves nothing that keeps the next one from ending well", async () => {
  await using fixture = await createBuildFixture();
  const parts = await Promise.all(Array.from({ length: 12 }, (_, i) => fixture.derive({ name: `part-${i}`, script: `mkdir $out; echo ${i} > $out/a; sleep 0.05` })));
  const whole = await fixture.derive({ name: "whole", inputs: parts, env: { parts: parts.map((part) => `/nix/store/${outputOf(part)}`).join(" ") }, script: "cat $(for p in $parts; do echo $p/a; done) > $out" });
  for (let round = 0; round < 5; round++) {
    const child = startProcess(fixture, whole);
    const exit = new Promise((resolve) => child.once("exit", resolve));
    await Promise.race([exit, lineOf(child, `build part-${round}`).catch(() => {})]);
    await sleep((round * 37) % 90);
    child.kill("SIGKILL");
    await exit;
  }
  assert.match(await realiseInProcess(fixture, whole), /done\n$/);
  assert.deepEqual(await fixture.store.verify({ checkContents: true }), []);
});
