import assert from "node:assert/strict";
import { test } from "node:test";
import { mutateAdvisories } from "./mutate.ts";

test("each test of an advisory fails when its defence is taken out", { timeout: 1_200_000 }, (t) => {
  assert.deepEqual(mutateAdvisories("", (line) => t.diagnostic(line)), []);
});
