import assert from "node:assert/strict";
import { test } from "node:test";
import { installFaultPoints, type FaultKind } from "./fault-points.ts";
import { tryStoreFaults } from "./store-faults.ts";
import { STORE_SCENARIOS } from "./store-scenarios.ts";

const faults = installFaultPoints();
const KINDS: readonly FaultKind[] = ["kill", "full", "unreadable"];

let total = 0;
for (const name of Object.keys(STORE_SCENARIOS)) {
  for (const kind of KINDS) {
    test(`a store recovers from "${kind}" at each operation of ${name}`, { timeout: 1_800_000 }, async (t) => {
      total += await tryStoreFaults(t, { faults, kinds: [kind], step: 1, askNix: 10, scenarios: [name] });
    });
  }
}

test("more than 2,000 points were tried", (t) => {
  t.diagnostic(`${total} points tried`);
  assert.ok(total > 2000, `${total} points`);
});
