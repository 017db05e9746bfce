import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { runProcess } from "../../../core/util/process.ts";

const sh = (script: string, more: Partial<Parameters<typeof runProcess>[0]> = {}): ReturnType<typeof runProcess> =>
  runProcess({ command: "/bin/sh", args: ["-c", script], env: { PATH: "/usr/bin:/bin" }, ...more });

/** A process that only waits for its parent to ask after it (a zombie) is dead. */
function isAlive(pid: number): boolean {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, "latin1"));
  } catch {
    return false;
  }
}

test("tells how a process ended", async () => {
  assert.deepEqual(await sh("exit 3"), { kind: "exited", code: 3 });
  assert.deepEqual(await sh("kill -TERM $$"), { kind: "killed", signal: "SIGTERM" });
});

test("gives standard output and standard error in the order in which they were written", async () => {
  let text = "";
  await sh("for i in 1 2 3; do echo o$i; echo e$i >&2; done; echo again > /dev/stderr", { onOutput: (chunk) => (text += Buffer.from(chunk).toString()) });
  assert.equal(text, "o1\ne1\no2\ne2\no3\ne3\nagain\n");
});

test("hands over all of a large output", async () => {
  let size = 0;
  await sh("head -c 5000000 /dev/zero", { onOutput: (chunk) => (size += chunk.length) });
  assert.equal(size, 5_000_000);
});

test("gives no environment but the one named", async () => {
  let text = "";
  await runProcess({ command: "/usr/bin/env", args: [], env: { A: "1" }, onOutput: (chunk) => (text += Buffer.from(chunk).toString()) });
  assert.equal(text, "A=1\n");
});

test("kills the whole group when aborted", async () => {
  const controller = new AbortController();
  const reason = new Error("enough");
  let pid = 0;
  const onOutput = (chunk: Uint8Array): void => {
    pid = Number(Buffer.from(chunk).toString());
    controller.abort(reason);
  };
  await assert.rejects(sh("sleep 1000 & echo $!; wait", { signal: controller.signal, onOutput }), reason);
  for (let i = 0; i < 100 && isAlive(pid); i++) await sleep(10);
  assert.ok(pid > 0 && !isAlive(pid));
});

test("kills what has left the group where it is named", async () => {
  const controller = new AbortController();
  const reason = new Error("enough");
  let pid: number | undefined;
  const onOutput = (chunk: Uint8Array): void => {
    pid = Number(Buffer.from(chunk).toString());
    controller.abort(reason);
  };
  await assert.rejects(sh("setsid sh -c 'echo $$; exec sleep 1000' & wait", { signal: controller.signal, onOutput, findLeader: () => pid }), reason);
  for (let i = 0; i < 100 && isAlive(pid!); i++) await sleep(10);
  assert.ok(pid! > 0 && !isAlive(pid!));
});

test("says which command cannot be run", async () => {
  await assert.rejects(runProcess({ command: "/no/such/program", args: [], env: {} }), { code: "ENOENT", message: /cannot run "\/no\/such\/program"/ });
});

test("leaves no descriptor open", async () => {
  await sh("true");
  const before = readdirSync("/proc/self/fd").length;
  for (let i = 0; i < 20; i++) await sh("echo x");
  await sleep(20);
  // What was open before may have been closed meanwhile.
  assert.ok(readdirSync("/proc/self/fd").length <= before);
});
