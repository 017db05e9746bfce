import assert from "node:assert/strict";
import { test } from "node:test";
import { installFaultPoints } from "./fault-points.ts";
import { tryStoreFaults } from "./store-faults.ts";

const faults = installFaultPoints();

test("a store recovers from a kill, a full disk and an unreadable one at each of its operations", { timeout: 1_800_000 }, async (t) => {
  assert.ok((await tryStoreFaults(t, { faults, kinds: ["kill", "full", "unreadable"], step: 1, askNix: 10 })) > 2000);
});
