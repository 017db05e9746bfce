import assert from "node:assert/strict";
import { test } from "node:test";
import { filterEscapes } from "../../../cli/nix/filter-escapes.ts";

test("a builder's line loses what moves the cursor, its colours only where there is no terminal", () => {
  const line = "\x1b[31mred\x1b[0m\x1b[2K\x1b]8;;url\x07link\x1b]8;;\x07";
  assert.equal(filterEscapes(line, { keepsColours: false }), "redlink");
  assert.equal(filterEscapes(line, { keepsColours: true }), "\x1b[31mred\x1b[0mlink");
});

test("tabs are spaces up to the next stop, and a control character ends the line", () => {
  assert.equal(filterEscapes("x\ty\t", { keepsColours: false }), "x       y       ");
  assert.equal(filterEscapes("a\x07b\x01c", { keepsColours: false }), "ab");
});
