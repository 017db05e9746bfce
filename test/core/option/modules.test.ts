import assert from "node:assert/strict";
import { test } from "node:test";
import { checkAssertions, evaluateModules } from "../../../core/option/evaluate-modules.ts";
import { lib } from "../../../core/option/lib.ts";
import { createModule } from "../../../core/option/module.ts";
import type { Module } from "../../../core/option/module.ts";
import { option } from "../../../core/option/option.ts";
import type { OptionsView, OptionView } from "../../../core/option/options-view.ts";
import { types } from "../../../core/option/types.ts";
import { declare, define, evaluate, failure, failureOf } from "./evaluate.ts";
import type { Loose, LooseArguments } from "./evaluate.ts";

const base = declare({
  o: option(types.nullOr(types.str), { default: null }),
  l: option(types.listOf(types.str), { default: ["d"] }),
  n: option(types.int, { default: 0 }),
  set: { a: option(types.int, { default: 0 }), b: option(types.int, { default: 0 }), c: option(types.listOf(types.str), { default: [] }) },
});

test("priorities and orders are those of the reference", () => {
  // Each as the reference implementation's evalModules gives it.
  assert.equal(evaluate(base, define("m", { o: lib.mkIf(true, lib.mkForce("x")) }), define("n", { o: "y" })).config.o, "x");
  assert.deepEqual(evaluate(base, define("m", { l: lib.mkForce(lib.mkBefore(["x"])) }), define("n", { l: lib.mkForce(["y"]) })).config.l, ["x", "y"]);
  assert.deepEqual(
    evaluate(base, define("m", { l: lib.mkMerge([lib.mkAfter(["x"]), lib.mkBefore(["z"]), ["w", lib.mkIf(false, "q")]]) }), define("n", { l: ["y"] })).config.l,
    ["z", "y", "w", "x"],
  );
  assert.deepEqual(evaluate(base, define("m", { l: lib.mkIf(false, ["x"]) })).config.l, ["d"]);
  assert.deepEqual(evaluate(base, define("m", { l: lib.mkDefault(["x"]) }), define("n", { l: lib.mkDefault(["y"]) })).config.l, ["y", "x"]);
  assert.deepEqual(evaluate(base, define("m", { l: lib.mkOptionDefault(["y"]) })).config.l, ["d", "y"]);
  assert.deepEqual(evaluate(base, define("m", { l: ["x"] }), define("n", { l: lib.mkOptionDefault(["y"]) })).config.l, ["x"]);
  assert.equal(evaluate(base, define("m", { n: lib.mkVMOverride(1) }), define("n", { n: lib.mkImageMediaOverride(2) }), define("o", { n: lib.mkForce(3) })).config.n, 1);
});

test("modifiers around a set go down to its options", () => {
  const { config } = evaluate(
    base,
    define("m", { set: lib.mkForce({ a: 1, b: lib.mkDefault(2), c: lib.mkBefore(["x"]) }) }),
    define("n", lib.mkMerge([{ set: { a: 5, b: 6 } }, lib.mkIf(false, { set: { a: 7 } }), { set: lib.mkAfter({ c: lib.mkForce(["y"]) }) }])),
  );
  assert.deepEqual(config.set, { a: 1, b: 6, c: ["x", "y"] });
});

test("definitions come in the order of modules, imports first, the later of two first", () => {
  const m = (name: string, imports: readonly Module[]): Module => createModule({ key: name, imports, config: { l: [name] } }, undefined);
  const { config } = evaluate(base, m("A", [m("a1", [m("a11", [])]), m("a2", [])]), m("B", []));
  // As the reference implementation's evalModules gives it.
  assert.deepEqual(config.l, ["a11", "a2", "a1", "B", "A"]);
});

test("a module is taken once, however often it is imported", () => {
  const shared = define("shared", { l: ["s"] });
  const again = createModule({ key: "shared", config: { l: ["again"] } }, undefined);
  const a = createModule({ imports: [shared] }, undefined);
  const b = createModule({ imports: [shared, a, again] }, undefined);
  assert.deepEqual(evaluate(base, a, b, shared).config.l, ["s"]);
});

test("modules may import one another", () => {
  const imports: Module[] = [];
  const a = createModule({ imports, config: { l: ["a"] } }, undefined);
  const b = createModule({ imports: [a], config: { l: ["b"] } }, undefined);
  imports.push(b);
  assert.deepEqual(evaluate(base, a).config.l, ["b", "a"]);
});

test("a disabled module is left out, by itself or by its key", () => {
  const gone = define("gone", { l: ["gone"] });
  assert.deepEqual(evaluate(base, gone, createModule({ disabledModules: [gone] }, undefined)).config.l, ["d"]);
  assert.deepEqual(evaluate(base, gone, createModule({ disabledModules: ["gone"] }, undefined)).config.l, ["d"]);
  const replaced = createModule({ disabledModules: ["base"], imports: [] }, undefined);
  assert.equal(failure(declare({ n: option(types.int) }, { key: "base" }), replaced, define("u", { n: 1 })).code, "option.unknown");
});

test("defaults are weaker than definitions and stronger than the option's own", () => {
  const module = createModule({ key: "with-defaults", defaults: ({ config }: LooseArguments) => ({ n: Number(config.set!.a) + 1 }) }, undefined);
  assert.equal(evaluate(base, module, define("u", { set: { a: 4 } })).config.n, 5);
  assert.equal(evaluate(base, module, define("u", { n: lib.mkDefault(9) })).config.n, 9);
});

test("apply changes what is read, not what is written", () => {
  const declared = declare({ a: option(types.listOf(types.int), { default: [], apply: (list) => list.length }) });
  assert.equal(evaluate(declared, define("u", { a: [7, 8] })).config.a, 2);
});

test("a computed default is given the arguments", () => {
  const declared = declare({ a: option(types.str, { default: ({ pkgs }) => String((pkgs as unknown as { hello: string }).hello) }) });
  const { config } = evaluateModules<Loose>({ modules: [declared], specialArgs: { pkgs: { hello: "hi" } } });
  assert.equal(config.a, "hi");
});

test("read-only options take one definition", () => {
  const declared = declare({ a: option(types.int, { readOnly: true }), b: option(types.int, { readOnly: true, default: 1 }) });
  assert.equal(evaluate(declared, define("u", { a: 1 })).config.b, 1);
  assert.equal(failure(declared, define("u", { a: 1 }), define("v", { a: 1 })).code, "option.read-only");
  assert.equal(failure(declared, define("u", { b: 1 })).code, "option.read-only");
});

test("undeclared names go to the freeform type", () => {
  const free = createModule({ freeformType: types.attrsOf(types.json), options: { known: option(types.int, { default: 1 }), deep: { known: option(types.int, { default: 2 }) } } }, undefined);
  const { config } = evaluate(free, define("u", { x: { y: 1 }, deep: { other: 3 } }), define("v", ({ config }) => ({ z: (config.x as { readonly y?: number } | undefined)?.y ?? 0, known: 5 })));
  assert.deepEqual([config.x, config.z, config.known, config.deep!.known, config.deep!.other], [{ y: 1 }, 1, 5, 2, 3]);
  assert.deepEqual(Object.keys(config.deep!).sort(), ["known", "other"]);
});

test("modules give one another arguments", () => {
  const { config } = evaluate(base, define("giver", { _module: { args: { greeting: "hi" } } }), define("taker", ({ greeting }) => ({ o: greeting })));
  assert.equal(config.o, "hi");
});

test("_module.check = false lets undeclared definitions pass", () => {
  assert.equal(evaluate(base, define("u", { _module: { check: false }, nowhere: 1, n: 2 })).config.n, 2);
});

test("a renamed option forwards its definitions with their priority and place, and warns", () => {
  const rename = lib.mkRenamedOptionModule(["old", "name"], ["n"]);
  const { config, warnings, options } = evaluate(base, rename, define("u", { old: { name: lib.mkForce(4) } }), define("v", { n: 3 }));
  assert.equal(config.n, 4);
  assert.equal(config.old!.name, 4);
  assert.deepEqual(warnings, ['the option "old.name" (u) has been renamed to "n"']);
  assert.deepEqual((options.n as OptionView).placedDefinitions.map(({ site, priority }) => [site.module.label, site.path, priority]), [["u", ["old", "name"], 50]]);
  assert.deepEqual(evaluate(base, rename).warnings, []);
});

test("an old name has the new one's type, also when its module comes before the one that declares the option", () => {
  const { options } = evaluate(lib.mkRenamedOptionModule(["old", "name"], ["n"]), base);
  assert.equal(((options.old as OptionsView).name as OptionView).type.description, (options.n as OptionView).type.description);
});

test("an alias forwards without a warning", () => {
  const { config, warnings } = evaluate(base, lib.mkAliasOptionModule(["other"], ["l"]), define("u", { other: lib.mkBefore(["x"]) }), define("v", { l: ["y"] }));
  assert.deepEqual(config.l, ["x", "y"]);
  assert.deepEqual(warnings, []);
});

test("a removed option fails when it is defined, and says what to do", () => {
  const removed = lib.mkRemovedOptionModule(["gone"], "use n");
  assert.deepEqual(evaluate(base, removed).assertions, []);
  const { assertions } = evaluate(base, removed, define("u", { gone: 1 }));
  assert.match(failureOf(() => checkAssertions(assertions)).message, /"gone" \(u\) has been removed: use n/);
});

test("a changed option computes the new one", () => {
  const changed = lib.mkChangedOptionModule(["seconds"], ["n"], ((config: Loose) => Number(config.seconds) * 1000) as never);
  const { config, warnings } = evaluate(base, changed, define("u", { seconds: 2 }));
  assert.equal(config.n, 2000);
  assert.equal(warnings.length, 1);
  const merged = lib.mkMergedOptionModule([["x"], ["y"]], ["n"], ((config: Loose) => Number(config.x) + 1) as never);
  assert.equal(evaluate(base, merged, define("u", { x: 2 })).config.n, 3);
});

test("assertions are collected and shown all at once", () => {
  const { assertions } = evaluate(base, define("u", { assertions: [{ assertion: false, message: "one" }, { assertion: true, message: "two" }] }), define("v", { assertions: [{ assertion: false, message: "three" }] }));
  const error = failureOf(() => checkAssertions(assertions));
  assert.equal(error.code, "option.assertion-failed");
  assert.deepEqual([...(error.data.failed as readonly string[])].sort(), ["one", "three"]);
});

test("a definition may assert", () => {
  assert.equal(evaluate(base, define("u", { n: lib.mkAssert(true, "no", 3) })).config.n, 3);
  assert.match(failure(base, define("u", { n: lib.mkAssert(false, "n must wait", 3) })).message, /n must wait/);
});

test("extendModules evaluates the same modules with others", () => {
  const one = evaluate(base, define("u", { n: 1 }));
  const two = one.extendModules({ modules: [define("v", { n: lib.mkForce(2) })] });
  assert.deepEqual([one.config.n, two.config.n], [1, 2]);
});

test("update runs again only what changed", () => {
  const runs: string[] = [];
  const watched = (name: string, config: (args: LooseArguments) => unknown): Module => define(name, (args: LooseArguments) => (runs.push(name), config(args)));
  const a = watched("a", ({ config }) => ({ set: { a: Number(config.n) + 1 } }));
  const b = watched("b", ({ config }) => ({ l: [String(config.o)] }));
  const first = evaluate(base, a, b, define("user", { n: 1, o: "x" }));
  runs.length = 0;
  const second = first.update([base, a, b, define("user", { n: 5, o: "x" })]);
  assert.deepEqual([second.config.n, second.config.set!.a, second.config.l], [5, 6, ["x"]]);
  assert.deepEqual(runs, ["a"]);
  const third = second.update([base, b]);
  assert.deepEqual([third.config.n, third.config.set!.a, third.config.l], [0, 0, ["null"]]);
});

test("a module that throws on what is not there yet is run again", () => {
  const late = define("late", ({ config }) => {
    if (config.o === null) throw new Error("too early");
    return { n: 7 };
  });
  assert.equal(evaluate(base, late, define("u", { o: "there" })).config.n, 7);
});

test("a value may refer to another name of itself", () => {
  const hosts = declare({ hosts: option(types.attrsOf(types.submodule({ options: { port: option(types.int, { default: 1 }) } })), { default: {} }) });
  const { config } = evaluate(hosts, define("u", ({ config }) => ({ hosts: { a: { port: 5 }, b: { port: Number(config.hosts!.a?.port ?? 0) + 1 }, c: () => ({ port: Number(config.hosts!.b?.port ?? 0) + 1 }) } })));
  assert.deepEqual(config.hosts, { a: { port: 5 }, b: { port: 6 }, c: { port: 7 } });
});

test("options show type, priority, definitions and places", () => {
  const { options } = evaluate(base, define("u", { n: lib.mkForce(1) }), define("v", { n: 2 }));
  const view = options.n as OptionView;
  assert.equal(view.isDefined, true);
  assert.equal(view.highestPrio, 50);
  assert.equal(view.value, 1);
  assert.equal(view.type.name, "int");
  assert.deepEqual(view.allDefinitions.map(({ value, priority, site }) => [value, priority, site.module.label]), [[0, 1500, "the default"], [2, 100, "v"], [1, 50, "u"]]);
  assert.deepEqual(view.declarationSites.map(({ module, path }) => [module.label, path]), [["declaring", ["n"]]]);
  assert.deepEqual([view.definitions, view.definitionsWithLocations, view.files, view.declarations, view.default, view.readOnly], [[1], [{ file: "u", value: 1 }], ["u"], ["declaring"], 0, false]);
  assert.equal(options.nowhere, undefined);
});

test("what depends on whether an option is defined runs again when it is", () => {
  const { config } = evaluate(
    declare({ a: option(types.int), b: option(types.bool, { default: false }) }),
    define("asks", ({ options }) => ({ b: (options as unknown as { a: OptionView }).a.isDefined })),
    define("u", ({ config }) => (config.b === undefined ? {} : { a: 1 })),
  );
  assert.equal(config.b, true);
});

test("config can be looked through like a plain object", () => {
  const { config } = evaluate(base);
  assert.deepEqual(Object.keys(config.set!), ["a", "b", "c"]);
  assert.equal("a" in config.set!, true);
  assert.equal("z" in config.set!, false);
  assert.deepEqual({ ...config.set }, { a: 0, b: 0, c: [] });
  assert.equal(JSON.stringify(config.set), '{"a":0,"b":0,"c":[]}');
});
