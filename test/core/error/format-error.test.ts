import assert from "node:assert/strict";
import { test } from "node:test";
import { formatError } from "../../../core/error/format-error.ts";
import { TsosError } from "../../../core/error/tsos-error.ts";

const source = "one\ntwo three\nfour\n";
const readSource = async (file: string): Promise<string | undefined> => (file === "/p/a.ts" ? source : undefined);
const error = new TsosError({
  code: "test.wrong",
  message: 'got "three"',
  hint: "write one\nor two",
  at: { file: "/p/a.ts", line: 2, column: 5 },
  related: [{ file: "/p/gone.ts", line: 1, column: 1, note: "also here" }],
  data: { expected: "a number" },
});

test("an error shows its place and lines, what was expected, the hint and the other places", async () => {
  assert.equal(
    await formatError(error, { readSource, folder: "/p" }),
    ['error: got "three"', "  a.ts:2:5", "    1 | one", "  > 2 | two three", "      |     ^", "    3 | four", "  expected: a number", "  hint: write one", "    or two", "  also here:", "  gone.ts:1:1"].join("\n"),
  );
});

test("only what was asked for is coloured, and only then", async () => {
  assert.doesNotMatch(await formatError(error, { readSource }), /\u001b/);
  assert.match(await formatError(error, { readSource, color: true }), /\u001b\[31merror:\u001b\[39m/);
});

test("a cause is told below, unless the message has said it", async () => {
  const outer = (message: string) => new TsosError({ code: "test.outer", message, cause: new TsosError({ code: "test.inner", message: "disk full" }) });
  assert.equal(await formatError(outer("cannot write")), "error: cannot write\n  caused by: disk full");
  assert.equal(await formatError(outer("cannot write: disk full")), "error: cannot write: disk full");
});

test("the stack and the code are for who asks", async () => {
  assert.doesNotMatch(await formatError(error), /\bat |test\.wrong/);
  const verbose = await formatError(error, { verbose: true });
  assert.match(verbose, /\[test\.wrong\]/);
  assert.match(verbose, /format-error\.test/);
});

test("a mistake of tsos is shown as one, with its stack", async () => {
  const text = await formatError(new Error("unreachable"));
  assert.match(text, /^error: unreachable\n {2}at /);
  assert.match(text, /a mistake in tsos/);
});

test("several errors are told one after the other", async () => {
  const several = Object.assign(new TsosError({ code: "test.all", message: "all" }), { errors: [new TsosError({ code: "a.b", message: "one" }), new TsosError({ code: "a.b", message: "two" })] });
  assert.equal(await formatError(several), "error: one\n\nerror: two");
});

test("anything that is thrown can be shown", async () => {
  for (const thrown of ["text", null, undefined, 3, {}]) assert.match(await formatError(thrown), /^error: /);
});
