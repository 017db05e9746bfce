/** Nothing that is written or computed ends the process: what is too deep is an error, as long as may be is a value. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { startEvaluating } from "./evaluate.ts";
import type { EvaluateAnswer } from "./evaluate-worker.ts";

const DEEP = 100_000;
const evaluating = await startEvaluating();
after(() => evaluating[Symbol.asyncDispose]());

const evaluate = (text: string, mode: "lazy" | "strict" | "parse" = "lazy", basePath = "/"): Promise<EvaluateAnswer> => evaluating.evaluate({ text, file: "/x.nix", basePath, mode, showTrace: false });
const tooDeep = (answer: EvaluateAnswer): void => {
  assert.ok(!answer.ok, answer.out.slice(0, 200));
  assert.match(answer.out, /error: stack overflow; max-call-depth exceeded/);
};
const deepList = `builtins.foldl' (deep: _: [ deep ]) [ ] (builtins.genList (x: x) ${DEEP})`;

const nested: readonly (readonly [what: string, text: string, value: string])[] = [
  ["parentheses", `${"(".repeat(DEEP)}1${")".repeat(DEEP)}`, "1"],
  ["sets", `${"{a=".repeat(DEEP)}1${";}".repeat(DEEP)}`, "{ a = <CODE>; }"],
  ["lists", `${"[".repeat(DEEP)}${"]".repeat(DEEP)}`, "[ <CODE> ]"],
  ["negations of a Boolean", `${"!".repeat(DEEP)}true`, "true"],
  ["functions", `${"x: ".repeat(DEEP)}1`, "<LAMBDA>"],
  ["conditions", `${"if true then ".repeat(DEEP)}1${" else 2".repeat(DEEP)}`, "1"],
  ["additions", `${"1+".repeat(DEEP)}1`, String(DEEP + 1)],
  ["updates", `${"{}//".repeat(DEEP)}{}`, "{ }"],
  ["concatenations", `${"[]++".repeat(DEEP)}[]`, "[ ]"],
  ["withs", `${"with {}; ".repeat(DEEP)}1`, "1"],
  ["selections with a default", `{}${".a or {}".repeat(DEEP)}`, "{ }"],
];
for (const [what, text, value] of nested) {
  test(`evaluates ${DEEP} ${what} in one another`, async () => assert.equal((await evaluate(text)).out, value));
}

test("takes a million parentheses in one another, and tells of one too few and one too many", async () => {
  const [open, close] = ["(".repeat(1_000_000), ")".repeat(1_000_000)];
  assert.equal((await evaluate(`${open}1${close}`)).out, "1");
  assert.equal((await evaluate(`${"(".repeat(100)}1)${"+1)".repeat(99)}`)).out, "100");
  assert.match((await evaluate(`${open}1${close.slice(1)}`)).out, /syntax error, unexpected end of file/);
  assert.match((await evaluate(`${open}1${close})`)).out, /syntax error, unexpected '\)', expecting end of file/);
});

test("takes a list of 100,000 elements", async () => {
  assert.equal((await evaluate(`[ ${"1 ".repeat(DEEP)}]`, "strict")).out.length, "[ ]".length + 2 * DEEP);
});

test("refuses a recursion of 200,000 calls where the reference does", async () => {
  const answer = await evaluate("let f = n: if n == 0 then 0 else 1 + f (n - 1); in f 200000");
  tooDeep(answer);
  assert.match(answer.out, /at \/x\.nix:1:43:\n/);
});

test("refuses to evaluate, print, compare and convert what is nested 100,000 deep", async () => {
  tooDeep(await evaluate(deepList, "strict"));
  tooDeep(await evaluate(deepList));
  tooDeep(await evaluate(`${deepList} == ${deepList}`));
  tooDeep(await evaluate(`builtins.toJSON (${deepList})`));
  tooDeep(await evaluate(`builtins.toXML (${deepList})`));
  tooDeep(await evaluate(`toString (${deepList})`));
});

test("takes up to the greatest depth of calls and not one more", async () => {
  const recursion = (depth: number): Promise<EvaluateAnswer> =>
    evaluating.evaluate({ text: `let f = n: if n == 0 then 0 else f (n - 1); in f ${depth}`, file: "/x.nix", basePath: "/", mode: "lazy", showTrace: false, settings: { maxCallDepth: 100 } });
  assert.equal((await recursion(98)).out, "0");
  tooDeep(await recursion(120));
});

test("says that a value needs itself", async () => {
  assert.match((await evaluate("let a = a + 1; in a")).out, /error: infinite recursion encountered/);
  assert.match((await evaluate("let a = { b = a.b; }; in a.b")).out, /error: infinite recursion encountered/);
  tooDeep(await evaluate("let a = map (x: builtins.head a) [ 1 ]; in builtins.head a"));
});

test("ends a text at a NUL and refuses one in a string", async () => {
  assert.equal((await evaluate("1\0 + ")).out, "1");
  assert.equal((await evaluate("/* \0 */ 1")).out, "1");
  assert.match((await evaluate("1 + \0 2")).out, /^error: syntax error, unexpected end of file\n {7}at \/x\.nix:1:6:/);
  assert.match((await evaluate('"a\0b"')).out, /^error: input string 'a␀b' cannot be represented as Nix string because it contains null bytes/);
  assert.match((await evaluate("''a\0b''")).out, /^error: input string 'a␀b' cannot/);
});

test("keeps bytes that are no UTF-8 and prints messages that hold them", async () => {
  assert.equal((await evaluate('"\xff\xfe"')).out, '"\xff\xfe"');
  assert.equal((await evaluate('builtins.stringLength "\xff\xc3"')).out, "2");
  assert.match((await evaluate("\xff")).out, /^error: syntax error, unexpected invalid token\n/);
  assert.match((await evaluate('throw "\xff"')).out, /error: \ufffd$/);
});

test("parses a text of 50 MB", async () => {
  const row = "  { name = \"a\"; value = [ 1 2.5 ./p \"s\" ]; }\n";
  const answer = await evaluate(`builtins.length [\n${row.repeat(Math.ceil(50e6 / row.length))}]`);
  assert.equal(answer.out, String(Math.ceil(50e6 / row.length)));
});

test("does not look through a long run of bytes again and again", async () => {
  assert.equal((await evaluate(`{ a = 1; ${"a.".repeat(DEEP)}b = 1; }`, "parse")).ok, false);
  assert.equal((await evaluate(`${"-".repeat(9000)}1`)).out, "1");
});

test("refuses a loop of symbolic links", async () => {
  const folder = mkdtempSync(join(tmpdir(), "tsos-nix-loop-"));
  try {
    symlinkSync("b.nix", join(folder, "a.nix"));
    symlinkSync("a.nix", join(folder, "b.nix"));
    assert.match((await evaluate("import ./a.nix", "lazy", folder)).out, /error: too many symbolic links encountered while traversing the path/);
    assert.equal((await evaluate("builtins.pathExists ./a.nix", "lazy", folder)).out, "true");
    assert.equal((await evaluate('builtins.readFileType ./a.nix', "lazy", folder)).out, '"symlink"');
    assert.equal((await evaluate("builtins.readFile ./a.nix", "lazy", folder)).ok, false);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

const recursions: readonly (readonly [what: string, text: string])[] = [
  ["interpolations", 'let f = n: if n == 0 then "" else "${f (n - 1)}a"; in f 200000'],
  ["__toString", 'let f = n: { __toString = s: if n == 0 then "x" else toString (f (n - 1)); }; in toString (f 200000)'],
  ["outPath", 'let f = n: { outPath = if n == 0 then "/x" else f (n - 1); }; in "${f 200000}"'],
  ["__functor", "let f = n: { __functor = s: x: if n == 0 then x else f (n - 1) x; }; in f 200000 1"],
  ["conditions", "let f = n: n == 0 || (true && f (n - 1)); in f 200000"],
  ["updates", "let f = n: if n == 0 then { } else f (n - 1) // { a = n; }; in f 200000"],
  ["concatenations", "let f = n: if n == 0 then [ ] else f (n - 1) ++ [ n ]; in f 200000"],
  ["withs", "let f = n: with { y = n; }; if y == 0 then 0 else 1 + f (y - 1); in f 200000"],
  ["assertions", "let f = n: assert n >= 0; if n == 0 then 0 else f (n - 1); in f 200000"],
  ["comparisons in sort", "let f = n: if n == 0 then true else builtins.head (builtins.sort (a: b: f (n - 1)) [ true false ]); in f 200000"],
  ["foldl'", "let f = n: if n == 0 then 0 else builtins.foldl' (a: b: f (n - 1)) 0 [ 1 ]; in f 200000"],
  ["predicates of filter", "let f = n: if n == 0 then true else builtins.filter (a: f (n - 1)) [ 1 ] == [ 1 ]; in f 200000"],
  ["addErrorContext", 'let f = n: if n == 0 then 0 else builtins.addErrorContext "x" (f (n - 1)); in f 200000'],
  ["tryEval", "let f = n: if n == 0 then 0 else (builtins.tryEval (f (n - 1))).value; in f 200000"],
  ["derivations", 'let f = n: if n == 0 then "x" else (derivation { name = "a"; system = "b"; builder = f (n - 1); }).outPath; in f 200000'],
  ["deepSeq of sets", "let f = n: if n == 0 then { } else { a = f (n - 1); }; in builtins.deepSeq (f 200000) 1"],
  ["equality of sets", "let f = n: if n == 0 then { } else { a = f (n - 1); }; in f 200000 == f 200000"],
  ["order of lists", "let f = n: if n == 0 then [ ] else [ (f (n - 1)) ]; in f 200000 < f 200000"],
];
for (const [what, text] of recursions) {
  test(`refuses a recursion through ${what} that is 200,000 deep`, async () => tooDeep(await evaluate(text)));
}

test("a cycle is shown, or too deep where it would have to be followed", async () => {
  assert.equal((await evaluate("let x = { a = x; }; in x", "strict")).out, Buffer.from("{ a = «repeated»; }").toString("latin1"));
  assert.equal((await evaluate("let x = { a = x; b = [ x ]; }; in builtins.deepSeq x 1")).out, "1");
  tooDeep(await evaluate("let x = [ x ]; in builtins.toJSON x"));
  tooDeep(await evaluate("let x = { a = x; }; y = { a = y; }; in x == y"));
  tooDeep(await evaluate("let x = [ x ]; in toString x"));
  tooDeep(await evaluate("let x = { __functor = self: self; }; in x 1"));
  const ofItself = await evaluate('let x = derivation { name = "a"; system = "b"; builder = "c"; self = x; }; in x.drvPath');
  assert.match(ofItself.out, /error: infinite recursion encountered|error: stack overflow; max-call-depth exceeded/);
});

test("ends expressions that are slow to match, long texts and many alternatives", async () => {
  const as = (n: number): string => `(builtins.concatStringsSep "" (builtins.genList (x: "a") ${n}))`;
  assert.equal((await evaluate(`builtins.match "(a*)*b" ${as(10_000)}`)).out, "null");
  assert.equal((await evaluate(`builtins.match "((a+)+)+$" (${as(5000)} + "b")`)).out, "null");
  assert.equal((await evaluate(`builtins.match "(a|aa)+" (${as(5000)} + "b")`)).out, "null");
  assert.equal((await evaluate(`builtins.match "(a|b)*" ${as(100_000)} != null`)).out, "true");
  assert.match((await evaluate('builtins.match "((a{100}){100}){100}" "a"')).out, /error: memory limit exceeded by regular expression/);
});

test("tells mistakes of long texts soon, and keeps the bytes at the end of a message", async () => {
  assert.match((await evaluate('"'.repeat(100_001))).out, /^error: syntax error, unexpected end of file, expecting '"'/);
  assert.match((await evaluate('throw "\xc3\xa0"')).out, /error: à$/);
});
