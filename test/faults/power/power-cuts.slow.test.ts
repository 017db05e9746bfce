import assert from "node:assert/strict";
import { test } from "node:test";
import { STORE_SCENARIOS } from "../store-scenarios.ts";
import { hasStrace, tryPowerCuts } from "./power-cuts.ts";

const skip = hasStrace() ? false : "strace is not installed, or may not trace";

let total = 0;
for (const name of Object.keys(STORE_SCENARIOS)) {
  test(`a store recovers from a power cut at each write of ${name}`, { skip, timeout: 1_800_000 }, async (t) => {
    total += await tryPowerCuts(t, { step: 1, askNix: 10, scenarios: [name] });
  });
}

test("power was cut at more than 500 states of the disk", { skip }, (t) => {
  t.diagnostic(`${total} power cuts tried`);
  assert.ok(total > 500, `${total} power cuts`);
});
