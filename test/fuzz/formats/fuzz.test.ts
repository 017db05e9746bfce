import assert from "node:assert/strict";
import { test } from "node:test";
import { fuzzFormats } from "./fuzz.ts";

test("thirty seconds of hostile inputs crash, hang or fill nothing", { timeout: 240_000 }, async (t) => {
  const seed = Number(process.env["TSOS_TEST_SEED"] ?? Date.now() % 2 ** 31);
  t.diagnostic(`seed ${seed}`);
  const { tried, findings } = await fuzzFormats({ seconds: 30, seed, say: (line) => t.diagnostic(line) });
  assert.deepEqual(findings, []);
  assert.ok(tried > 100, `${tried} inputs`);
});
