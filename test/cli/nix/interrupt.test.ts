import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { startNixTrial } from "./nix-process.ts";
import type { TsosProcess } from "../tsos-process.ts";

const trial = startNixTrial();
after(() => trial[Symbol.dispose]());
const begun = (expression: string): string => `builtins.trace "begun" (${expression})`;
/** Far more than an interrupt takes, far less than what is interrupted. */
const SOON = 20_000;

async function waitFor(what: string, reached: () => boolean): Promise<void> {
  for (let waited = 0; !reached() && waited < 600; waited++) await sleep(50);
  assert.ok(reached(), what);
}

async function interrupt(running: TsosProcess): Promise<void> {
  process.kill(running.pid, "SIGINT");
  const timer = setTimeout(() => running.child.kill("SIGKILL"), SOON);
  const { code, signal, stderr } = await running.ended;
  clearTimeout(timer);
  assert.deepEqual([code, signal], [130, null], stderr);
}

const evaluations: readonly (readonly [what: string, expression: string])[] = [
  ["an evaluation without end", "let f = n: if n == 0 then 0 else f (n - 1); in builtins.foldl' (a: b: f 1000) 0 (builtins.genList (x: x) 100000000)"],
  ["the search of a regular expression", 'builtins.length (builtins.split "(a|b|ab)*c" (builtins.concatStringsSep "" (builtins.genList (_: "ab") 20000000)))'],
  ["a regular expression that tries everything", 'builtins.match "((a*)*(a|aa)*)*b" (builtins.concatStringsSep "" (builtins.genList (_: "a") 5000000))'],
  ["a sort without end", "builtins.sort (a: b: builtins.foldl' (c: d: c + d) 0 (builtins.genList (x: x) 100000) > 0) (builtins.genList (x: x) 1000000)"],
  ["the reading of a pipe that nobody writes to", "builtins.readFile ./pipe"],
  ["the hashing of what has no end", 'builtins.hashFile "sha256" "/dev/zero"'],
];
for (const [what, expression] of evaluations) {
  test(`an interrupt ends ${what}`, async () => {
    if (expression.includes("./pipe")) execFileSync("mkfifo", [join(trial.folder, "pipe")]);
    const running = trial.start("instantiate", "--eval", "-E", begun(expression));
    await waitFor("it begins", () => running.stderr().includes("trace: begun"));
    await sleep(300);
    await interrupt(running);
  });
}

test("an interrupt ends the parsing of a huge file", async () => {
  writeFileSync(join(trial.folder, "huge.nix"), `[${'{ a = "x${toString 1}"; b = x: x + 1; }'.repeat(1_500_000)}]`);
  const running = trial.start("instantiate", "--eval", "-E", begun("import ./huge.nix"));
  await waitFor("it begins", () => running.stderr().includes("trace: begun"));
  await sleep(500);
  await interrupt(running);
});

test("an interrupt ends a fetch from a server that is silent", async () => {
  let asked = false;
  const server = createServer(() => void (asked = true));
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  try {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/x`;
    const running = trial.start("instantiate", "--eval", "-E", `builtins.fetchurl "${url}"`);
    await waitFor("it asks", () => asked);
    await interrupt(running);
    asked = false;
    const prefetching = trial.start("prefetch-url", url);
    await waitFor("it asks", () => asked);
    await interrupt(prefetching);
  } finally {
    server.closeAllConnections();
    server.close();
  }
});

test("an interrupt ends printing where nobody reads", async () => {
  const running = trial.start("instantiate", "--eval", "--strict", "-E", begun('builtins.genList (x: "${toString x} of what fills every pipe") 300000'));
  running.child.stdout.pause();
  await waitFor("it begins", () => running.stderr().includes("trace: begun"));
  await waitFor("it prints", () => running.child.stdout.readableLength > 0);
  await sleep(500);
  const ended = interrupt(running);
  await sleep(1000);
  running.child.stdout.resume();
  await ended;
});
