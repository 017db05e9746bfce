/** Our own cases of the language, with what the reference printed of each (see `read-case.ts` and `cli/dev/lang-cases.ts`). */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { startEvaluating } from "../core/nix/evaluate.ts";
import { readCase, readExpectation, requestOf } from "./read-case.ts";

const folder = join(import.meta.dirname, "cases");
const evaluating = await startEvaluating();
after(() => evaluating[Symbol.asyncDispose]());

/** Whose last message agrees but not yet each frame above it: one name a line. */
const inexact = new Set(readFileSync(join(import.meta.dirname, "inexact-traces.txt"), "utf8").split("\n").filter((line) => line !== ""));

const lastMessage = (text: string): string => text.slice(text.lastIndexOf("error: ")).split("\n")[0]!;

for (const name of readdirSync(folder).filter((file) => file.endsWith(".nix")).map((file) => file.slice(0, -4)).sort()) {
  const one = readCase(folder, name);
  test(`${one.isParse ? "parses" : "evaluates"} ${name} as the reference`, async () => {
    const answer = await evaluating.evaluate(requestOf(one, folder));
    const said = answer.messages.map((message) => `${message}\n`).join("") + (answer.ok ? "" : Buffer.from(answer.out).toString("latin1"));
    const expected = readExpectation(folder, name, "err.exp");
    assert.equal(answer.ok, one.isOkay, answer.out);
    if (one.isOkay) assert.equal(answer.out.trimEnd(), readExpectation(folder, name, "exp"));
    if (inexact.has(name)) assert.equal(lastMessage(said), lastMessage(expected));
    else assert.equal(said.trimEnd(), expected);
  });
}
