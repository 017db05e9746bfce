/** Our own cases of the language, with what the reference printed of each (see `read-case.ts` and `cli/dev/lang-cases.ts`). */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { startEvaluating } from "../core/nix/evaluate.ts";
import { readCase, readExpectation, requestOf } from "./read-case.ts";

const folder = join(import.meta.dirname, "cases");
const evaluating = await startEvaluating();
after(() => evaluating[Symbol.asyncDispose]());

/** The command's own, after a mistake that it holds for one of its arguments. */
const USAGE_HINT = /\nTry 'nix-instantiate --help' for more information\.$/;

for (const name of readdirSync(folder).filter((file) => file.endsWith(".nix")).map((file) => file.slice(0, -4)).sort()) {
  const one = readCase(folder, name);
  test(`${one.isParse ? "parses" : "evaluates"} ${name} as the reference`, async () => {
    const answer = await evaluating.evaluate(requestOf(one, folder));
    const said = answer.messages.map((message) => `${message}\n`).join("") + (answer.ok ? "" : (answer.report ?? Buffer.from(answer.out).toString("latin1")));
    const expected = readExpectation(folder, name, "err.exp").replace(USAGE_HINT, "");
    assert.equal(answer.ok, one.isOkay, answer.out);
    if (one.isOkay) assert.equal(answer.out.trimEnd(), readExpectation(folder, name, "exp"));
    assert.equal(said.trimEnd(), expected);
  });
}
