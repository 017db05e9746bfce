import assert from "node:assert/strict";
import { test } from "node:test";
import { formatSyntax } from "../../../core/nix/format-syntax.ts";
import { NixError } from "../../../core/nix/nix-error.ts";
import { parseNix } from "../../../core/nix/parse.ts";

const parse = (text: string, pipeOperators = false): string => formatSyntax(parseNix(text, "/x.nix", { basePath: "/base", home: "/home/me", settings: { pipeOperators } }).expression);

test("prints operators with their grouping", () => {
  assert.equal(parse("1 + 2 * 3 - -4"), "(__sub (1 + (__mul 2 3)) (__sub 0 4))");
  assert.equal(parse("!a == b -> c // d // e"), "(((! a) == b) -> (c // (d // e)))");
});

test("merges sets that are written under the same name", () => {
  assert.equal(parse("{ a.b = 1; a = { c = 2; }; }"), "{ a = { b = 1; c = 2; }; }");
});

test("resolves path literals against their folder and their home", () => {
  assert.equal(parse("[ ./a ../b ~/c /d/./e ]"), "[ (/base/a) (/b) (/home/me/c) (/d/e) ]");
});

test("knows pipe operators only where they are enabled", () => {
  assert.equal(parse("1 |> f |> g", true), "(g (f 1))");
  assert.equal(parse("f <| g <| 1", true), "(f (g 1))");
  assert.throws(() => parse("1 |> f"), (error) => error instanceof NixError && error.message.includes("pipe-operators"));
});

test("refuses a chain of comparisons", () => {
  assert.throws(() => parse("1 == 2 == 3"), { message: "syntax error, unexpected '=='" });
});

test("takes a list of 100,000 elements", () => {
  assert.equal(parse(`[ ${"1 ".repeat(100_000)}]`).length, "[ ]".length - 1 + 100_000 * 4 + 1);
});
