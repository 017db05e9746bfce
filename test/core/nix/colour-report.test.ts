import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { colourReport, wantsColours } from "../../../core/nix/colour-report.ts";
import { fromByteString, toByteString } from "../../../core/util/bytes.ts";

/** What Nix 2.34.8 prints to a terminal. */
const printed = JSON.parse(readFileSync(join(import.meta.dirname, "colour-report.json"), "utf8")) as readonly string[];
const plain = (text: string): string => text.replaceAll(/\x1b\[[0-9;]*m/g, "");

for (const text of printed) {
  test(`colours as the reference does: ${plain(text).split("\n").at(-1)!.trim()}`, () => {
    assert.equal(fromByteString(colourReport(toByteString(plain(text)))), text);
  });
}

test("what the evaluation itself says is not coloured", () => {
  assert.equal(colourReport("error: a 'b' c", new Set(["a 'b' c"])), "\x1b[31;1merror:\x1b[0m a 'b' c");
  assert.equal(colourReport("evaluation warning: a 'b'"), "\x1b[35;1mevaluation warning:\x1b[0m a 'b'");
  assert.equal(colourReport("warning: unknown setting 'b'"), "\x1b[35;1mwarning:\x1b[0m unknown setting '\x1b[35;1mb\x1b[0m'");
});

test("colours are for terminals that show them, unless the environment says no", () => {
  assert.equal(wantsColours(true, { TERM: "xterm" }), true);
  for (const env of [{}, { TERM: "dumb" }, { TERM: "xterm", NO_COLOR: "" }, { TERM: "xterm", NOCOLOR: "1" }]) assert.equal(wantsColours(true, env), false);
  assert.equal(wantsColours(false, { TERM: "xterm" }), false);
});
