import assert from "node:assert/strict";
import { test } from "node:test";
import { createLineSplitter } from "../../../core/util/line-splitter.ts";

function split(...chunks: readonly (string | Uint8Array)[]): string[] {
  const lines: string[] = [];
  const splitter = createLineSplitter((line) => lines.push(line));
  for (const chunk of chunks) splitter.write(typeof chunk === "string" ? Buffer.from(chunk) : chunk);
  splitter.end();
  return lines;
}

test("cuts lines wherever the chunks end", () => {
  assert.deepEqual(split("a\nb", "c\n", "\nlast"), ["a", "bc", "", "last"]);
});

test("joins a character that two chunks share", () => {
  const bytes = Buffer.from("ä\n");
  assert.deepEqual(split(bytes.subarray(0, 1), bytes.subarray(1)), ["ä"]);
});

test("keeps what stands last in an overwritten line", () => {
  assert.deepEqual(split("10%\r50%\r100%\r\nnext\r\n"), ["100%", "next"]);
});

test("does not collect a line without end", () => {
  assert.ok(split(...Array.from({ length: 100 }, () => "x".repeat(10_000))).length > 10);
});
