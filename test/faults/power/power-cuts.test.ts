import assert from "node:assert/strict";
import { test } from "node:test";
import { hasStrace, tryPowerCuts } from "./power-cuts.ts";

test("a store recovers from a power cut at a sample of its writes", { skip: hasStrace() ? false : "strace is not installed, or may not trace", timeout: 280_000 }, async (t) => {
  assert.ok((await tryPowerCuts(t, { step: 61, askNix: 4 })) > 15);
});
