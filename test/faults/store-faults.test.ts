import assert from "node:assert/strict";
import { test } from "node:test";
import { installFaultPoints, type FaultKind } from "./fault-points.ts";
import { sampleScenarios } from "./sample-scenarios.ts";
import { tryStoreFaults } from "./store-faults.ts";
import { STORE_SCENARIOS } from "./store-scenarios.ts";

const faults = installFaultPoints();
const KINDS: readonly FaultKind[] = ["kill", "full", "unreadable"];

test("a store recovers from a fault at any of a sample of its operations", async (t) => {
  // One fault for each scenario in turn; the slow suite has all of them.
  const tried = await sampleScenarios({ step: 29, pace: 10_000 }, (name, step, index) => tryStoreFaults(t, { faults, kinds: [KINDS[index % KINDS.length]!], step, askNix: 8, scenarios: [name] }));
  t.diagnostic(`${tried} points in all`);
  assert.ok(tried >= Object.keys(STORE_SCENARIOS).length, `${tried} points`);
});
