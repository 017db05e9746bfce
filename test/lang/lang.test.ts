/** Our own cases of the language: each `.nix` with what the reference printed of it (`--eval --strict --show-trace`). */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { startEvaluating } from "../core/nix/evaluate.ts";

const folder = join(import.meta.dirname, "cases");
const evaluating = await startEvaluating();
after(() => evaluating[Symbol.asyncDispose]());

/** Whose last message agrees but not yet each frame above it: one name a line. */
const inexact = new Set(readFileSync(join(import.meta.dirname, "inexact-traces.txt"), "utf8").split("\n").filter((line) => line !== ""));

const lastMessage = (text: string): string => text.slice(text.lastIndexOf("error: ")).split("\n")[0]!;

for (const name of readdirSync(folder).filter((file) => file.endsWith(".nix")).map((file) => file.slice(0, -4)).sort()) {
  const evaluate = () => evaluating.evaluate({ text: readFileSync(join(folder, `${name}.nix`), "latin1"), file: `/lang/${name}.nix`, basePath: "/lang", mode: "strict", map: ["/lang", folder] });
  if (name.startsWith("eval-okay-")) {
    test(`evaluates ${name.slice(10)} as the reference`, async () => {
      const answer = await evaluate();
      assert.equal(answer.out, readFileSync(join(folder, `${name}.exp`), "latin1").trimEnd());
      assert.ok(answer.ok);
    });
  } else {
    test(`refuses ${name.slice(10)} as the reference`, async () => {
      const answer = await evaluate();
      const expected = readFileSync(join(folder, `${name}.err.exp`), "utf8");
      assert.ok(!answer.ok, answer.out);
      if (inexact.has(name)) assert.equal(lastMessage(answer.out), lastMessage(expected));
      else assert.equal(answer.out.trimEnd(), expected.trimEnd());
    });
  }
}
