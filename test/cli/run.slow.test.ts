import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { assertNoProcesses, createPrivateStore } from "../faults/private-store.ts";

const store = createPrivateStore({});
after(() => store[Symbol.asyncDispose]());

test("a package's program runs from a store that is elsewhere, with its arguments, streams and exit code", async () => {
  assert.equal(existsSync(store.realStoreDir), false);
  const ran = await store.run("run", "bash", "--", "-c", "cat; echo $1 >&2; exit 7", "bash", "two words");
  assert.deepEqual([ran.code, ran.stdout], [7, ""], ran.stderr);
  assert.match(ran.stderr, /two words\n$/);
  const inShell = await store.run("shell", "-p", "bash", "--", "bash", "-c", "echo $BASH; exit 3");
  assert.equal(inShell.code, 3, inShell.stderr);
  assert.match(inShell.stdout, /^\/nix\/store\/[0-9a-z]{32}-bash-[^/]*\/bin\/bash\n$/);
});

test("who ends tsos ends the program that it runs", async () => {
  const running = store.start("run", "bash", "--", "-c", "trap 'echo ended; exit 5' TERM; echo begun; while :; do sleep 0.1; done");
  let output = "";
  running.child.stdout.on("data", (chunk: Buffer) => (output += String(chunk)));
  while (!output.includes("begun")) await sleep(50);
  running.child.kill("SIGTERM");
  assert.equal((await running.ended).code, 143);
  await assertNoProcesses(store, running.pid);
});
