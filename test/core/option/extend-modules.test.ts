import assert from "node:assert/strict";
import { test } from "node:test";
import { lib } from "../../../core/option/lib.ts";
import type { EvaluatedModules } from "../../../core/option/evaluate-modules.ts";
import { createModule } from "../../../core/option/module.ts";
import type { ModuleInput } from "../../../core/option/module.ts";
import { option } from "../../../core/option/option.ts";
import { types } from "../../../core/option/types.ts";
import { declare, define, evaluate, failure } from "./evaluate.ts";
import type { Loose, LooseArguments } from "./evaluate.ts";

const base = declare({
  name: option(types.str, { default: "plain" }),
  text: option(types.str, { default: "" }),
  level: option(types.int, { default: 0 }),
  variant: option(types.bool, { default: false }),
  list: option(types.listOf(types.str), { default: [] }),
  subs: option(types.attrsOf(types.submodule({ options: { text: option(types.str, { default: "" }) } })), { default: {} }),
});

type Extend = (more: { readonly modules?: readonly ModuleInput[]; readonly specialArgs?: Readonly<Record<string, unknown>> }) => EvaluatedModules<Loose>;

function counted(config: (args: LooseArguments, extend: Extend) => unknown): { readonly module: ModuleInput; readonly runs: () => number } {
  let runs = 0;
  return { module: define("counted", (args) => (runs++, config(args, args["extendModules"] as Extend))), runs: () => runs };
}

test("a configuration reads a variant of itself, which holds what reads it", () => {
  const variant = define("variant", { name: lib.mkForce("variant"), list: ["v"] });
  const { module, runs } = counted((_args, extend) => ({ text: String(extend({ modules: [variant] }).config.name), name: "own", list: ["u"] }));
  const { config } = evaluate(base, module);
  assert.deepEqual([config.name, config.text, config.list], ["own", "variant", ["u"]]);
  assert.ok(runs() < 12, String(runs()));
});

test("a variant's modules are known again by what they define", () => {
  const { module: plain, runs } = counted((_args, extend) => ({ text: String(extend({ modules: [createModule({ config: { name: "variant", subs: { a: { text: "x" } } } }, undefined)] }).config.name) }));
  assert.equal(evaluate(base, plain).config.text, "variant");
  assert.ok(runs() < 12, String(runs()));
});

test("a condition that the variant defines ends it, whatever it was before", () => {
  const { module } = counted(({ config }, extend) => (config.variant ? { name: "end" } : { text: String(extend({ modules: [define("v", () => ({ variant: true }))] }).config.name) }));
  const { config } = evaluate(base, module);
  assert.deepEqual([config.text, config.name], ["end", "plain"]);
});

test("variants inside variants count down", () => {
  const { module } = counted(({ config }, extend) => {
    const level = Number(config.level);
    return level >= 3 ? { list: ["bottom"] } : { list: [String(level), ...(extend({ modules: [define(`to-${level + 1}`, () => ({ level: lib.mkOverride(90 - level, level + 1) }))] }).config.list as unknown as string[])] };
  });
  assert.deepEqual(evaluate(base, module).config.list, ["0", "1", "2", "bottom"]);
});

test("a value inside a submodule may be read of a variant", () => {
  const variant = define("variant", { name: "variant" });
  const { config } = evaluate(base, define("u", ({ extendModules }) => ({ subs: { a: () => ({ text: String((extendModules as Extend)({ modules: [variant] }).config.name) }) } })));
  assert.deepEqual(config.subs, { a: { text: "variant" } });
});

test("a variant with nothing besides is the configuration itself", () => {
  const { config } = evaluate(base, define("u", ({ extendModules }) => ({ name: "own", text: String((extendModules as Extend)({}).config.name) })));
  assert.equal(config.text, "own");
});

test("variants without end are an error that says so, before long", () => {
  const { module, runs } = counted((_args, extend) => ({ text: String(extend({ modules: [() => ({ name: "variant" })] }).config.text) }));
  const error = failure(base, module);
  assert.equal(error.code, "option.endless-variant");
  assert.match(error.message, /makes a variant of itself, and that another one of itself, without end/);
  assert.match(error.hint ?? "", /once, outside of the function/);
  assert.ok(runs() < 40, String(runs()));
});

test("a value that a variant of the variant would change never settles", () => {
  const variant = define("variant", { variant: true });
  const { module } = counted((_args, extend) => ({ level: Number(extend({ modules: [variant] }).config.level) + 1 }));
  assert.equal(failure(base, module).code, "option.unsettled");
});

test("special arguments of a variant make it another one", () => {
  const { module } = counted(({ config, site }, extend) => ({ name: String(site ?? "none"), text: site === undefined ? String(extend({ specialArgs: { site: "fra" } }).config.name) : String(config.name) }));
  assert.deepEqual([evaluate(base, module).config.name, evaluate(base, module).config.text], ["none", "fra"]);
});
