import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { formatSyntax } from "../../../core/nix/format-syntax.ts";
import { tokenize } from "../../../core/nix/lexer.ts";
import { NixError } from "../../../core/nix/nix-error.ts";
import { parseNix } from "../../../core/nix/parse.ts";
import { fingerprintTokens } from "../../../core/nix/token-fingerprint.ts";

const isSame = (a: string, b: string): boolean => fingerprintTokens(a) === fingerprintTokens(b);
const parse = (text: string): readonly [syntax: string, names: readonly string[]] | undefined => {
  try {
    const { expression, symbols } = parseNix(text, "/x.nix", { basePath: "/base", home: "/home/me" });
    return [formatSyntax(expression), [...symbols]];
  } catch (error) {
    if (error instanceof NixError) return undefined;
    throw error;
  }
};

test("comments and layout are no part of it", () => {
  assert.ok(isSame("{ a=1;b = [1 2]; }", "# first\n{\n  a = 1; /* two */ b = [\n 1\t2 ];\n}\n# last"));
  assert.ok(isSame("x: x.y or 1", "x:\r\n  x.y\r\n  or 1"));
});

for (const [one, other] of [
  ["a b", "ab"], ["a - b", "a-b"], ["a / b", "a/b"], ["a /b", "a / b"], ["[ 1 .5 ]", "[ 1.5 ]"], ["a:b", "a: b"], ["x < y", "x <y>"],
  ['"a b"', '"a  b"'], ['"# a"', '"# b"'], ['"/* a */"', '""'], ["''\n  a\n''", "''\n    a\n''"], ["''a ${b} c''", "''a ${b}  c''"], ['"${a}b"', '"${a} b"'],
  ["./a", "./b"], ["./a/${b}", "./a/ ${b}"], ["~/a", "~/b"], ["<a>", "<b>"], ["{ a = 1; }", "{ b = 1; }"], ["{ a = 1; }", "{ a = 1; b = 2; }"], ["1 # a", "1 # a\n2"], ["1", "2"], ["1 + 2", "1 - 2"],
] as const) {
  test(`'${one}' and '${other}' are not the same`.replaceAll("\n", "\\n"), () => {
    assert.ok(!isSame(one, other));
  });
}

/** Other layout wherever there is any, and where none is needed. */
function layOut(text: string, gap: string): string {
  const { count, starts, ends } = tokenize(text, true);
  let out = "";
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (starts[i]! > at) out += gap;
    if (starts[i]! >= at) {
      out += text.slice(starts[i], ends[i]);
      at = ends[i]!;
    }
  }
  return out;
}

test("texts with the same tokens come to the same syntax, with names in the same order, in all cases of the language", () => {
  const folder = join(import.meta.dirname, "../../lang/cases");
  let compared = 0;
  for (const name of readdirSync(folder).filter((name) => name.endsWith(".nix"))) {
    const text = readFileSync(join(folder, name), "latin1");
    const parsed = parse(text);
    for (const gap of ["\n", " /* other */ ", "\t# other\r\n\n"]) {
      const other = layOut(text, gap);
      // At an end that is none a comment of a line more is one token less.
      if (!isSame(text, other)) continue;
      assert.deepEqual(parse(other), parsed, `${name} as ${other}`);
      if (parsed !== undefined && other !== text) compared++;
    }
  }
  assert.ok(compared > 1500, `${compared} were compared`);
});
