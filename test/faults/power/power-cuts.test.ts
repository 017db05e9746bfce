import assert from "node:assert/strict";
import { test } from "node:test";
import { sampleScenarios } from "../sample-scenarios.ts";
import { STORE_SCENARIOS } from "../store-scenarios.ts";
import { hasStrace, tryPowerCuts } from "./power-cuts.ts";

test("a store recovers from a power cut at a sample of its writes", { skip: hasStrace() ? false : "strace is not installed, or may not trace" }, async (t) => {
  const tried = await sampleScenarios({ step: 61, pace: 10_000 }, (name, step) => tryPowerCuts(t, { step, askNix: 4, scenarios: [name] }));
  assert.ok(tried >= Object.keys(STORE_SCENARIOS).length, `${tried} power cuts`);
});
