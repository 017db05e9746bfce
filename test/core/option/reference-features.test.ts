// Each expected value is what the reference implementation's `lib.evalModules` gives for the same modules in its own
// language; "failed" where it refuses.
import assert from "node:assert/strict";
import { test } from "node:test";
import { evaluateModules } from "../../../core/option/evaluate-modules.ts";
import type { EvaluatedModules } from "../../../core/option/evaluate-modules.ts";
import { lib } from "../../../core/option/lib.ts";
import { createModule } from "../../../core/option/module.ts";
import type { Module, ModuleInput } from "../../../core/option/module.ts";
import { option } from "../../../core/option/option.ts";
import type { OptionTree } from "../../../core/option/option.ts";
import type { OptionType } from "../../../core/option/option-type.ts";
import { types } from "../../../core/option/types.ts";
import type { Loose, LooseArguments } from "./evaluate.ts";

const str = option(types.str, { default: "" });
const strings = option(types.listOf(types.str), { default: [] });
const declaring = (options: OptionTree, more: Partial<Module> = {}): Module => createModule({ options, ...more }, undefined);
const defining = (config: object | ((args: LooseArguments) => unknown)): Module => createModule({ config }, undefined);
const evaluate = (modules: readonly ModuleInput[], specialArgs: Readonly<Record<string, unknown>> = {}): EvaluatedModules<Loose> => evaluateModules<Loose>({ modules, specialArgs });

function outcome(read: () => unknown): unknown {
  try {
    return JSON.parse(JSON.stringify(read()));
  } catch {
    return "failed";
  }
}

/** What option `name` of a tree is with each list of definitions. */
function each(name: string, declared: OptionTree[string], cases: readonly (readonly object[])[]): readonly unknown[] {
  return cases.map((definitions) => outcome(() => evaluate([declaring({ [name]: declared }), ...definitions.map(defining)]).config[name]));
}

test("a deferred module is taken in by every submodule that imports it, with all of its definitions", () => {
  // A type cannot be made of the configuration here: the module is a definition of each value instead.
  const hosts = types.attrsOf(types.submodule({ options: { n: option(types.int, { default: 1 }), l: strings } }));
  const { config } = evaluate([
    declaring({ m: option(types.deferredModule, { default: {} }), hosts: option(hosts, { default: {} }) }),
    defining({ m: { l: ["a"] }, hosts: { x: { l: ["x"] } } }),
    defining({ m: ({ config }: LooseArguments) => ({ l: [`n${String(config.n)}`] }), hosts: { y: { n: 2 } } }),
    defining(({ config }) => ({ hosts: Object.fromEntries(["x", "y"].map((name) => [name, config.m])) })),
  ]);
  assert.deepEqual(config.hosts, { x: { l: ["a", "n1", "x"], n: 1 }, y: { l: ["a", "n2"], n: 2 } });
});

test("numbers are numbers", () => {
  // An integer is no float to the reference, which has two kinds of numbers.
  assert.deepEqual(each("f", option(types.float), [[{ f: 1.5 }], [{ f: "1" }]]), [1.5, "failed"]);
  assert.deepEqual(each("f", option(types.number), [[{ f: 1.5 }], [{ f: 1 }], [{ f: "1" }]]), [1.5, 1, "failed"]);
  assert.deepEqual(each("f", option(types.numbers.between(0, 1.5)), [[{ f: 0.5 }], [{ f: 1 }], [{ f: 2 }]]), [0.5, 1, "failed"]);
});

test("modules give one another arguments, with priorities, and special arguments come before them", () => {
  const taker = defining(({ g }) => ({ a: g }));
  const give = (g: unknown): Module => defining({ _module: { args: { g } } });
  assert.equal(evaluate([declaring({ a: str, n: option(types.int, { default: 1 }) }), defining(({ config }) => ({ _module: { args: { g: `hi ${String(config.n)}` } } })), taker, defining({ n: 5 })]).config.a, "hi 5");
  assert.equal(evaluate([declaring({ a: str }), give(lib.mkForce("forced")), give("plain"), taker]).config.a, "forced");
  assert.equal(outcome(() => evaluate([declaring({ a: str }), give("one"), give("two"), taker]).config.a), "failed");
  assert.equal(evaluate([declaring({ a: str }), give("arg"), taker], { g: "special" }).config.a, "special");
});

test("imports are chosen by special arguments", () => {
  const chooser = createModule({ imports: ({ site, mods }: { site: string; mods: Readonly<Record<string, Module>> }) => [mods[site]!], config: ({ site }: { site: string }) => ({ l: [site] }) }, undefined);
  assert.deepEqual(evaluate([declaring({ l: strings }), chooser], { site: "fra", mods: { fra: defining({ l: ["fra"] }) } }).config.l, ["fra", "fra"]);
});

test("extendModules adds modules and special arguments, again and again, and from inside", () => {
  const e = evaluate([declaring({ n: option(types.int, { default: 1 }), l: strings }, { config: { l: ["base"] } }), defining(({ config }) => ({ l: [String(config.n)] }))]);
  const more = e.extendModules({ modules: [defining({ n: 7, l: ["more"] })] });
  assert.deepEqual([e.config.l, more.config.l, e.extendModules({ modules: [defining({ n: 7 })] }).extendModules({ modules: [defining({ n: lib.mkForce(8) })] }).config.n], [["1", "base"], ["more", "7", "base"], 8]);
  assert.equal(evaluate([declaring({ a: str }), defining(({ g }) => ({ a: g }))], { g: "one" }).extendModules({ specialArgs: { g: "two" } }).config.a, "two");
  const variant = defining({ a: lib.mkForce("variant") });
  const inside = defining(({ extendModules }) => ({ a: "own", b: (extendModules as EvaluatedModules<Loose>["extendModules"])({ modules: [variant] }).config.a }));
  assert.equal(evaluate([declaring({ a: str, b: str }), inside]).config.b, "variant");
});

test("changed and merged options compute the new one when one of the old is defined", () => {
  const ms = (value: number, ...definitions: object[]): unknown =>
    outcome(() => evaluate([declaring({ ms: option(types.int, { default: value }) }), lib.mkChangedOptionModule(["seconds"], ["ms"], (config: unknown) => Number((config as Loose).seconds) * 1000), ...definitions.map(defining)]).config.ms);
  assert.deepEqual([ms(0, { seconds: 2 }), ms(3), ms(3, { seconds: 2, ms: 5 })], [2000, 3, "failed"]);
  const merged = (...definitions: object[]): unknown =>
    outcome(() => evaluate([declaring({ s: option(types.str, { default: "none" }) }), lib.mkMergedOptionModule([["x"], ["y"]], ["s"], (config: unknown) => `${String((config as Loose).x)}-${String((config as Loose).y)}`), ...definitions.map(defining)]).config.s);
  assert.deepEqual([merged({ x: 1, y: 2 }), merged({ x: lib.mkForce(1), y: 2, s: lib.mkDefault("d") })], ["1-2", "1-2"]);
});

test("a read-only option has one definition, whatever it merges", () => {
  assert.deepEqual(
    each("r", option(types.int, { readOnly: true }), [[{ r: 1 }], [{ r: 1 }, { r: 1 }], [{ r: 1 }, { r: lib.mkForce(2) }], [{ r: lib.mkMerge([1]) }], [{ r: lib.mkMerge([1, 1]) }], [{ r: lib.mkIf(false, 1) }, { r: 2 }], []]),
    [1, "failed", "failed", 1, 1, "failed", "failed"],
  );
  assert.deepEqual(each("r", option(types.int, { readOnly: true, default: 0 }), [[], [{ r: 1 }], [{ r: lib.mkDefault(0) }]]), [0, "failed", "failed"]);
});

test("functions merge what they return", () => {
  const lists = evaluate([declaring({ f: option(types.functionTo(types.listOf(types.str))) }), defining({ f: (x: string) => [`a${x}`] }), defining({ f: (x: string) => lib.mkBefore([`b${x}`]) })]).config.f as unknown as (x: string) => unknown;
  assert.deepEqual(lists("1"), ["b1", "a1"]);
  const sets = evaluate([declaring({ f: option(types.functionTo(types.attrsOf(types.int))) }), defining({ f: (a: number) => ({ a }) }), defining({ f: (b: number) => ({ b }) })]).config.f as unknown as (x: number) => unknown;
  assert.deepEqual(sets(3), { a: 3, b: 3 });
});

test("types deep inside one another", () => {
  const element = types.either(types.int, types.coercedTo(types.bool, (value) => (value ? "yes" : "no"), types.str));
  const c = types.attrsOf(types.submodule({ freeformType: types.attrsOf(element), options: { k: option(types.coercedTo(types.int, String, types.str), { default: 5 }) } }));
  assert.deepEqual(each("c", option(c, { default: {} }), [[{ c: { a: { x: 1, y: true } } }, { c: { a: { k: "s" }, b: { z: "plain" } } }]]), [{ a: { k: "s", x: 1, y: "yes" }, b: { k: "5", z: "plain" } }]);
  assert.deepEqual(each("u", option(types.uniq(types.str)), [[{ u: "a" }, { u: "a" }], [{ u: lib.mkForce("a") }, { u: "b" }]]), ["failed", "a"]);
  const g = types.attrTag({ a: option(types.int), b: option(types.listOf(types.str)) });
  assert.deepEqual(
    each("g", option(g), [[{ g: { a: 1 } }], [{ g: { a: 1 } }, { g: { a: 1 } }], [{ g: { a: 1 } }, { g: { b: ["x"] } }], [{ g: { b: ["x"] } }, { g: { b: ["y"] } }], [{ g: { a: 1, b: [] } }], [{ g: { c: 1 } }], [{ g: {} }], [{ g: { a: lib.mkForce(2) } }, { g: { a: 1 } }]]),
    [{ a: 1 }, { a: 1 }, "failed", { b: ["y", "x"] }, "failed", "failed", "failed", { a: 2 }],
  );
  const n = option(types.nullOr(types.listOf(types.int)), { default: null });
  assert.deepEqual(each("n", n, [[], [{ n: [1] }, { n: [2] }], [{ n: null }, { n: [2] }], [{ n: null }, { n: null }]]), [null, [2, 1], "failed", null]);
});

test("types as values merge like declarations", () => {
  const part = (name: string, value: number): OptionType => types.submodule({ options: { [name]: option(types.int, { default: value }) } });
  const { config } = evaluate([declaring({ ty: option(types.optionType) }), defining({ ty: part("a", 1) }), defining({ ty: part("b", 2) })]);
  assert.deepEqual(evaluate([declaring({ v: option(config.ty as unknown as OptionType<unknown, object>, { default: {} }) })]).config.v, { a: 1, b: 2 });
});

test("functions, modules and plain objects that define one submodule keep their order", () => {
  const open = types.submoduleWith({ modules: [], options: { b: strings }, shorthandOnlyDefinesConfig: false });
  const definitions = lib.mkMerge<object>([{ o: { b: ["plain"] } }, { o: { config: { b: ["parts"] } } }, { o: () => ({ b: ["function"] }) }]);
  assert.deepEqual(evaluate([declaring({ o: option(open, { default: {} }) }), defining(definitions)]).config.o, { b: ["function", "parts", "plain"] });
  const closed = types.submodule({ options: { b: strings } });
  const mixed = lib.mkMerge<object>([{ o: () => ({ b: ["function"] }) }, { o: createModule({ config: { b: ["module"] } }, undefined) }, { o: { b: ["plain"] } }]);
  assert.deepEqual(evaluate([declaring({ o: option(closed, { default: {} }) }), defining(mixed)]).config.o, { b: ["module", "function", "plain"] });
});
