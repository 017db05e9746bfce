import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import { sampleStack } from "../../../core/config/sample-stack.ts";

// Busy with the engine's own work, where it cannot be asked, and then with a loop.
const BUSY = `
const { parentPort } = require("node:worker_threads");
parentPort.postMessage("begun");
require("node:crypto").pbkdf2Sync("a", "b", 3e5, 64, "sha512");
for (let i = 0; i < 5e7; i++) globalThis.last = i;
parentPort.postMessage("done");
`;

test("a thread that is asked what it runs while it cannot answer goes on all the same", { timeout: 60_000 }, async () => {
  // Whether the pause comes in time is a race, so more than once.
  for (let i = 0; i < 5; i++) {
    const worker = new Worker(BUSY, { eval: true });
    await once(worker, "message");
    const done = once(worker, "message");
    await sampleStack(worker, 40);
    assert.deepEqual(await done, ["done"]);
    await worker.terminate();
  }
});
