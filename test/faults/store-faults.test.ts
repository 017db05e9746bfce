import assert from "node:assert/strict";
import { test } from "node:test";
import { installFaultPoints } from "./fault-points.ts";
import { tryStoreFaults } from "./store-faults.ts";

const faults = installFaultPoints();

test("a store recovers from a fault at any of a sample of its operations", { timeout: 280_000 }, async (t) => {
  const tried = await tryStoreFaults(t, { faults, kinds: ["kill", "full", "unreadable"], step: 29, askNix: 8 });
  assert.ok(tried > 30, `${tried} points`);
});
