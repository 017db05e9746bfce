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

// As a configuration runs: scripts with names of their own, in a realm that knows nothing of the thread's.
const DEEP = `
const { Script, createContext, constants } = require("node:vm");
const { parentPort } = require("node:worker_threads");
const realm = createContext(constants.DONT_CONTEXTIFY);
const leaf = new Script("(tell) => { tell(); for (;;); }", { filename: "tsos:runtime" }).runInContext(realm);
const descend = new Script("(descend, leaf, n) => n === 0 ? leaf() : 1 + descend(descend, leaf, n - 1)", { filename: "tsos:runtime" }).runInContext(realm);
const begin = new Script("(f) => {\\n  f(); }", { filename: "tsos:config" }).runInContext(realm);
begin(() => descend(descend, () => leaf(() => parentPort.postMessage("deep")), DEPTH));
`;

for (const [depth, isReached] of [[10_000, true], [100_000, false]] as const) {
  test(`tells where a recursion of ${depth} calls is, and no more of it than that`, { timeout: 60_000 }, async () => {
    const worker = new Worker(DEEP.replace("DEPTH", String(depth)), { eval: true, resourceLimits: { stackSizeMb: 128 } });
    await once(worker, "message");
    const frames = await sampleStack(worker, 50_000);
    assert.ok(frames.length >= 90 && frames.length <= 200, String(frames.length));
    assert.match(frames[0]!, /^tsos:runtime:1:\d+$/);
    assert.equal(frames.some((frame) => frame.startsWith("tsos:config:2:")), isReached);
    await worker.terminate();
  });
}
