import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { test } from "node:test";
import { EvaluationRegistry, lib, option, secretFile, types } from "../../core/index.ts";
import type { OptionType } from "../../core/index.ts";
import { evaluateModules } from "../../core/option/evaluate-modules.ts";
import { equalValues } from "../../core/option/equal-values.ts";
import { isOptionType } from "../../core/option/option-type.ts";
import { createModule } from "../../core/option/module.ts";
import { createPackages } from "../../pkgs/index.ts";

const page = readFileSync(resolve(import.meta.dirname, "../../docs/types.md"), "utf8");
const rows = [...page.matchAll(/^\| `(types\..*?)` \| (.*?) \| (.*?) \|$/gm)].map(([, type, definitions, value]) => ({ type: type!, definitions: definitions!, value: value! }));
const scope = { types, option, lib, secretFile, pkgs: createPackages(new EvaluationRegistry()) };

function run(text: string): unknown {
  // The page is this repository's own.
  return new Function(...Object.keys(scope), `"use strict"; return (${text});`)(...Object.values(scope)) as unknown;
}

/** The pieces of code of a cell, in its order. */
function codes(cell: string): readonly string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, code]) => code!);
}

for (const { type, definitions, value } of rows) {
  test(`the example of ${type} gives its value`, () => {
    const declared = createModule({ options: { it: option(run(type) as OptionType<unknown, never>) } }, undefined);
    const modules = codes(definitions).map((code) => createModule({ config: { it: run(code) } }, undefined));
    assert.ok(modules.length > 0);
    const { it } = evaluateModules<{ readonly it: unknown }>({ modules: [declared, ...modules] }).config;
    const expected = run(codes(value)[0]!);
    if (typeof expected === "function" && value.startsWith("a ")) assert.equal((expected as (it: unknown) => unknown)(it), true);
    else assert.ok(equalValues(it, expected), `${JSON.stringify(it)} is not ${value}`);
  });
}

test("no type is missing", () => {
  const names = Object.entries(types).flatMap(([name, made]) => (typeof made === "object" && !isOptionType(made) ? Object.keys(made).map((inner) => `types.${name}.${inner}`) : [`types.${name}`]));
  const missing = names.filter((name) => !page.includes(`\`${name}\``) && !page.includes(`\`${name}(`));
  assert.deepEqual(missing, []);
});
