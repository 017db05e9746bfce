/** Who kills tsos at any moment of a builder's start leaves no builder behind. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { createBuilderGuard } from "../../../core/build/builder-guard.ts";
import { createBuildFixture, findBubblewrap } from "./build-fixture.ts";

const program = join(import.meta.dirname, "realise-process.ts");

/** Ids of the living processes that have `word` in their command. */
function processesWith(word: string): string[] {
  return readdirSync("/proc").filter((name) => {
    try {
      return /^\d+$/.test(name) && readFileSync(`/proc/${name}/cmdline`, "latin1").includes(word);
    } catch {
      return false;
    }
  });
}

async function waitUntil(isSo: () => boolean): Promise<void> {
  for (let i = 0; i < 1500 && !isSo(); i++) await sleep(20);
}

/** Bubblewrap by a shell that waits before or, by a tracer, while it sets the sandbox up. */
const slowed = [
  { when: "before bubblewrap runs", script: `sleep 0.5; exec ${findBubblewrap()} "$@"` },
  ...(existsSync("/usr/bin/strace") ? [{ when: "while bubblewrap makes the root", script: `exec /usr/bin/strace -D -f -qqq -o /dev/null -e trace=pivot_root -e inject=pivot_root:delay_enter=500000 ${findBubblewrap()} "$@"` }] : []),
];

for (const { when, script } of slowed) {
  test(`killed ${when}, tsos leaves no builder`, async () => {
    await using fixture = await createBuildFixture();
    const folder = mkdtempSync(join(tmpdir(), "tsos-slow-bwrap-"));
    try {
      writeFileSync(join(folder, "bwrap"), `#!/bin/sh\n${script}\n`);
      chmodSync(join(folder, "bwrap"), 0o755);
      const seconds = String(100_000 + Math.floor(Math.random() * 1e6));
      const sleeper = await fixture.derive({ name: "sleeper", script: `exec sleep ${seconds}` });
      const child = spawn(process.execPath, ["--import", "tsx", program, fixture.root, sleeper.path], { stdio: "ignore", env: { ...process.env, PATH: `${folder}:${process.env["PATH"]}` } });
      const exit = new Promise((resolve) => child.once("exit", resolve));
      await waitUntil(() => processesWith(`exec sleep ${seconds}`).length > 0);
      await sleep(100);
      assert.ok(processesWith(`exec sleep ${seconds}`).length > 0, "bubblewrap was not started");
      child.kill("SIGKILL");
      await exit;
      // Until what was slowed is through.
      await sleep(1500);
      await waitUntil(() => processesWith(`sleep ${seconds}`).length === 0);
      assert.deepEqual(processesWith(`sleep ${seconds}`), []);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
}

test("killed at many moments, tsos leaves no builder", async () => {
  await using fixture = await createBuildFixture();
  for (let round = 0; round < 6; round++) {
    const seconds = String(100_000 + Math.floor(Math.random() * 1e6));
    const sleepers = await Promise.all([1, 2].map((n) => fixture.derive({ name: `sleeper-${n}`, script: `exec sleep ${seconds}` })));
    const child = spawn(process.execPath, ["--import", "tsx", program, fixture.root, ...sleepers.map(({ path }) => path)], { stdio: ["ignore", "pipe", "inherit"] });
    const exit = new Promise((resolve) => child.once("exit", resolve));
    await new Promise((resolve) => child.stdout.once("data", resolve));
    await sleep(round * 8);
    child.kill("SIGKILL");
    await exit;
    await waitUntil(() => processesWith(seconds).length === 0);
    assert.deepEqual(processesWith(seconds), [], `in round ${round}`);
  }
});

test("a guard that nothing was left to leaves nothing behind", async () => {
  const guards = (): string[] => processesWith("tsos-guard");
  const before = new Set(guards());
  const guard = createBuilderGuard();
  guard.openStatus()[Symbol.dispose]();
  const own = guards().filter((pid) => !before.has(pid) && readFileSync(`/proc/${pid}/status`, "latin1").includes(`\nPPid:\t${process.pid}\n`));
  assert.equal(own.length, 1);
  const folder = /\/\S*tsos-builders-\S+?(?=\0)/.exec(readFileSync(`/proc/${own[0]}/cmdline`, "latin1").split("tsos-guard\0")[1]!)![0];
  guard[Symbol.dispose]();
  // The shell removes the folder, and then ends.
  await waitUntil(() => !existsSync(folder) && !guards().includes(own[0]!));
  assert.ok(!existsSync(folder));
  assert.ok(!guards().includes(own[0]!));
});

test("a number that another process got meanwhile is left alone", async () => {
  const guard = createBuilderGuard();
  const other = spawn("sleep", ["1000"], { stdio: "ignore" });
  try {
    const status = guard.openStatus();
    writeFileSync(status.descriptor, `{ "child-pid": ${other.pid}, "pid-namespace": 1 }\n`);
    guard[Symbol.dispose]();
    await sleep(500);
    assert.equal(other.exitCode ?? other.signalCode, null);
  } finally {
    other.kill("SIGKILL");
  }
});
