import assert from "node:assert/strict";
import { test } from "node:test";
import { lockActivation } from "../../../../core/system/activate/activation-lock.ts";

test("waits for another activation of the same root to end, and says so", async () => {
  const lines: string[] = [];
  const root = `/test-${process.pid}`;
  const first = await lockActivation(root, { report: () => {} });
  const second = lockActivation(root, { report: (line) => lines.push(line) });
  (await lockActivation(`${root}-other`, { report: () => {} }))[Symbol.dispose]();
  await new Promise((resolve) => setTimeout(resolve, 150));
  assert.deepEqual(lines, ["waiting for another switch of this machine to end"]);
  first[Symbol.dispose]();
  (await second)[Symbol.dispose]();
});

test("stops waiting when it is asked to", async () => {
  const root = `/test-abort-${process.pid}`;
  using _held = await lockActivation(root, { report: () => {} });
  await assert.rejects(lockActivation(root, { report: () => {}, signal: AbortSignal.timeout(50) }));
});
