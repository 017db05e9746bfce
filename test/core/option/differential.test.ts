import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { createRandom } from "../../faults/seeded-random.ts";
import { randomScenario } from "./differential/random-scenario.ts";
import { settleScenario } from "./differential/to-modules.ts";
import { printScenario } from "./differential/to-nix.ts";

// What the reference implementation's evalModules made of each scenario, null where it failed:
// compare.ts --seed … --record writes it.
type Recorded = { readonly seed: number; readonly results: readonly ({ readonly value: unknown } | null)[] };

test("random module sets settle to what the reference implementation makes of them, or fail where it fails", () => {
  const { seed, results } = JSON.parse(readFileSync(join(import.meta.dirname, "differential/recorded.json"), "utf8")) as Recorded;
  const random = createRandom(seed);
  for (const [i, expected] of results.entries()) {
    const scenario = randomScenario(random);
    const actual = settleScenario(scenario);
    const text = (): string => `scenario ${i} of seed ${seed}: ${printScenario(scenario)}`;
    if (expected === null) assert.ok("error" in actual, text());
    else assert.deepEqual(actual, { value: expected.value }, text());
  }
});
