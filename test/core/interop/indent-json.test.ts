import assert from "node:assert/strict";
import { test } from "node:test";
import { indentJson } from "../../../core/interop/indent-json.ts";

test("lays JSON out as the reference does, and leaves what stands in texts alone", () => {
  const value = { a: { b: true }, l: [1, 2.5, {}, [], [null]], s: 'x,"[{\\:' };
  assert.equal(indentJson(JSON.stringify(value)), JSON.stringify(value, null, 2));
  assert.equal(indentJson("[]"), "[]");
  assert.equal(indentJson("9007199254740993"), "9007199254740993");
});
