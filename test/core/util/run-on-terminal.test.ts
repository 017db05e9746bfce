import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { resolve } from "node:path";
import { runOnTerminal } from "../../../core/util/run-on-terminal.ts";

const module = pathToFileURL(resolve("core/util/run-on-terminal.ts")).href;

/** A process that runs a program on its streams, ready when the program says so. */
async function start(script: string) {
  const code = `import { runOnTerminal } from ${JSON.stringify(module)}; process.exitCode = await runOnTerminal("sh", ["-c", ${JSON.stringify(script)}]);`;
  const child = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", code], { stdio: ["ignore", "pipe", "inherit"] });
  await once(child.stdout, "data");
  return child;
}

test("gives the program's exit code, or 128 and the number of the signal that ended it", async () => {
  assert.equal(await runOnTerminal("sh", ["-c", "exit 7"]), 7);
  assert.equal(await runOnTerminal("sh", ["-c", "kill -KILL $$"]), 137);
  assert.equal(await runOnTerminal("sh", ["-c", "test $A = b"], { env: { PATH: process.env["PATH"], A: "b" } }), 0);
  await assert.rejects(runOnTerminal("/nowhere/program", []), { code: "ENOENT" });
});

test("passes the signal to end on to the program and waits for it", async () => {
  const child = await start("trap 'exit 5' TERM; echo ready; while :; do sleep 0.05; done");
  child.kill("SIGTERM");
  assert.deepEqual(await once(child, "exit"), [5, null]);
});

test("outlives interrupts, which the terminal sends to the program as well", async () => {
  const child = await start("echo ready; sleep 0.5; exit 6");
  child.kill("SIGINT");
  child.kill("SIGINT");
  assert.deepEqual(await once(child, "exit"), [6, null]);
});
