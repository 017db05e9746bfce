import assert from "node:assert/strict";
import { test } from "node:test";
import type { RawDefinition } from "../../../core/option/definition.ts";
import { lib } from "../../../core/option/lib.ts";
import type { OptionType } from "../../../core/option/option-type.ts";
import { option } from "../../../core/option/option.ts";
import { types } from "../../../core/option/types.ts";
import { declare, define, evaluate, failure } from "./evaluate.ts";

const thing = (name: string) => ({ type: "derivation", name, outPath: `/nix/store/${"0".repeat(32)}-${name}`, drvPath: `/nix/store/${"1".repeat(32)}-${name}.drv`, toString: () => `/nix/store/${"0".repeat(32)}-${name}` });

/** What definitions of one option make, the first module's first. */
function merge(type: OptionType, ...values: readonly unknown[]): unknown {
  const modules = values.map((value, i) => define(`m${i}`, { it: value }));
  // Of modules beside one another the later is merged first.
  return evaluate(declare({ it: option(type) }), ...modules.reverse()).config.it;
}

function mergeFails(code: string, type: OptionType, ...values: readonly unknown[]): string {
  const modules = values.map((value, i) => define(`m${i}`, { it: value }));
  const error = failure(declare({ it: option(type) }), ...modules.reverse());
  assert.equal(error.code, code, error.message);
  return error.message;
}

test("scalars take values of their type and no others", () => {
  const cases: readonly (readonly [OptionType, readonly unknown[], readonly unknown[]])[] = [
    [types.bool, [true, false], [0, "true", null]],
    [types.int, [0, -3, 2 ** 53 - 1], [1.5, NaN, Infinity, "1", 2 ** 53]],
    [types.ints.positive, [1], [0, -1]],
    [types.ints.unsigned, [0], [-1]],
    [types.ints.between(2, 4), [2, 4], [1, 5, 3.5]],
    [types.ints.u8, [0, 255], [256, -1]],
    [types.ints.s8, [-128, 127], [-129, 128]],
    [types.ints.u32, [4294967295], [4294967296]],
    [types.ints.s32, [-2147483648], [2147483648]],
    [types.port, [0, 65535], [65536]],
    [types.float, [1.5, 1], [NaN, "1"]],
    [types.numbers.between(0, 1), [0.5], [1.1]],
    [types.str, ["", "x"], [1, null]],
    [types.nonEmptyStr, ["x"], ["", " \n"]],
    [types.strMatching("[a-z]+"), ["abc"], ["abc1", ""]],
    [types.strMatching(/a|b/i), ["A", "b"], ["ab"]],
    [types.path, ["/etc"], ["etc", ""]],
    [types.pathInStore, [`/nix/store/${"0".repeat(32)}-x/bin`], ["/etc", "/nix/store/x"]],
    [types.enum(["a", 1, null]), ["a", 1, null], ["b", "1"]],
    [types.package, [thing("x")], ["/nix/store/x", {}]],
    [types.passwdEntry(types.str), ["a b"], ["a:b", "a\nb"]],
    [types.nullOr(types.int), [null, 1], ["x"]],
    [types.either(types.int, types.str), [1, "x"], [true]],
    [types.luaInline, [{ kind: "inline", language: "lua", code: "x" }], [{ kind: "inline", language: "vim", code: "x" }, "x"]],
    [types.secret, [{ kind: "secret", file: "/run/x" }], ["/run/x"]],
    [types.optionType, [types.int], ["int"]],
    [types.nonEmptyListOf(types.int), [[1]], [[]]],
  ];
  for (const [type, good, bad] of cases) {
    for (const value of good) assert.equal(type.check(value), true, `${type.name} ${String(value)}`);
    for (const value of bad) assert.equal(type.check(value), false, `${type.name} ${String(value)}`);
  }
});

test("a type's schema takes what the type makes", () => {
  assert.equal(types.listOf(types.port).schema().safeParse([80]).success, true);
  assert.equal(types.listOf(types.port).schema().safeParse([80000]).success, false);
  const sub = types.submodule({ options: { a: option(types.int), b: { c: option(types.str) } } });
  assert.equal(sub.schema().safeParse({ a: 1, b: { c: "x" } }).success, true);
  assert.equal(sub.schema().safeParse({ a: 1, b: { c: 2 } }).success, false);
  assert.equal(sub.schema().safeParse({ a: 1, b: {}, d: 1 }).success, false);
});

test("a type describes itself and prints itself as TypeScript", () => {
  const type = types.attrsOf(types.nullOr(types.listOf(types.either(types.port, types.str))));
  assert.equal(type.description, "attribute set of (null or (list of (16 bit unsigned integer between 0 and 65535 or string)))");
  assert.equal(type.printType(), "{ readonly [name: string]: readonly (number | string)[] | null }");
  const sub = types.submodule({ options: { enable: option(types.bool), "a-b": { mode: option(types.enum(["x", "y"])) } } });
  assert.equal(sub.printType(), '{ readonly enable: boolean; readonly "a-b": { readonly mode: "x" | "y" } }');
});

test("equal definitions agree and different ones conflict", () => {
  for (const [type, value, other] of [[types.bool, true, false], [types.int, 1, 2], [types.str, "a", "b"], [types.enum([1, 2]), 1, 2], [types.path, "/a", "/b"]] as const) {
    assert.equal(merge(type, value, value), value);
    mergeFails("option.conflict", type, value, other);
  }
});

test("definitions of lists, lines and commas are put together in order", () => {
  assert.deepEqual(merge(types.listOf(types.int), [1, 2], [3]), [1, 2, 3]);
  assert.equal(merge(types.lines, "a", "b"), "a\nb");
  assert.equal(merge(types.commas, "a", "b"), "a,b");
  assert.equal(merge(types.separatedString(" "), "a", lib.mkBefore("b")), "b a");
  assert.equal(merge(types.singleLineStr, "a\n"), "a");
  mergeFails("option.wrong-type", types.singleLineStr, "a\nb");
});

test("boolByOr is true when any definition is", () => {
  assert.equal(merge(types.boolByOr, false, true, false), true);
  assert.equal(merge(types.boolByOr, false, false), false);
});

test("attrsOf merges name by name, and leaves out what has a false condition", () => {
  const type = types.attrsOf(types.listOf(types.int));
  assert.deepEqual(merge(type, { b: [1], a: [0] }, { b: [2] }), { a: [0], b: [1, 2] });
  assert.deepEqual(Object.keys(merge(type, { b: [1], a: [0] }) as object), ["a", "b"]);
  assert.deepEqual(merge(type, { a: lib.mkIf(false, [1]), b: undefined }), {});
  assert.deepEqual(merge(types.lazyAttrsOf(types.nullOr(types.str)), { y: lib.mkIf(false, "2") }), { y: null });
  assert.deepEqual(merge(types.attrsOf(types.int), { a: lib.mkDefault(1) }, { a: 2, b: lib.mkForce(3) }, { b: 4 }), { a: 2, b: 3 });
});

test("lists leave out elements with a false condition", () => {
  assert.deepEqual(merge(types.listOf(types.str), ["w", lib.mkIf(false, "q"), lib.mkIf(true, "x")]), ["w", "x"]);
});

test("the elements of lists and attributes are checked with their own path", () => {
  assert.match(mergeFails("option.wrong-type", types.listOf(types.int), [1, "x"]), /"it\[1\]" must be an integer, got "x"/);
  assert.match(mergeFails("option.wrong-type", types.attrsOf(types.attrsOf(types.int)), { "a b": { c: true } }), /"it\."a b"\.c" must be an integer, got true/);
});

test("nullOr wants all null or none", () => {
  assert.equal(merge(types.nullOr(types.int), null, null), null);
  assert.deepEqual(merge(types.nullOr(types.listOf(types.int)), [1], [2]), [1, 2]);
  mergeFails("option.conflict", types.nullOr(types.int), null, 1);
});

test("unique types take one definition", () => {
  assert.deepEqual(merge(types.uniq(types.listOf(types.int)), [1]), [1]);
  mergeFails("option.defined-twice", types.uniq(types.listOf(types.int)), [1], [1]);
  assert.match(mergeFails("option.defined-twice", types.unique({ message: "there is one door" }, types.int), 1, 1), /there is one door/);
  mergeFails("option.defined-twice", types.raw, 1, 1);
});

test("either merges by the type that all definitions have", () => {
  const type = types.either(types.listOf(types.int), types.attrsOf(types.int));
  assert.deepEqual(merge(type, [1], [2]), [1, 2]);
  assert.deepEqual(merge(type, { a: 1 }, { b: 2 }), { a: 1, b: 2 });
  mergeFails("option.defined-twice", type, [1], { a: 1 });
  assert.equal(merge(types.oneOf([types.bool, types.int, types.str]), "x"), "x");
});

test("valueOrList puts definitions together as soon as one is a list", () => {
  const type = types.valueOrList(types.either(types.int, types.str));
  assert.equal(merge(type, "a", "a"), "a");
  mergeFails("option.conflict", type, "a", "b");
  assert.deepEqual(merge(type, "a", ["b", 1], "c"), ["a", "b", 1, "c"]);
  assert.deepEqual(merge(type, ["a", lib.mkIf(false, "x")], lib.mkBefore("b")), ["b", "a"]);
  assert.equal(merge(type, ["a"], lib.mkForce("b")), "b");
  mergeFails("option.wrong-type", type, ["a"], true);
  assert.deepEqual(merge(types.nullOr(type), "a", ["b"]), ["a", "b"]);
});

test("coercedTo turns one type's definitions into another's", () => {
  const type = types.coercedTo(types.str, (text) => [text], types.listOf(types.str));
  assert.deepEqual(merge(type, "a", ["b", "c"]), ["a", "b", "c"]);
  mergeFails("option.wrong-type", type, 3);
});

test("anything merges objects at every depth and wants all else equal", () => {
  assert.deepEqual(merge(types.anything, { a: { b: 1 } }, { a: { c: [1] } }), { a: { b: 1, c: [1] } });
  assert.equal(merge(types.anything, "x", "x"), "x");
  mergeFails("option.conflict", types.anything, { a: 1 }, { a: 2 });
  mergeFails("option.conflict", types.anything, { a: 1 }, { a: "1" });
  const added = merge(types.anything, () => ({ a: 1 }), () => ({ b: 2 })) as (x: unknown) => unknown;
  assert.deepEqual(added(0), { a: 1, b: 2 });
});

test("unspecified puts lists and strings together and lays objects over one another", () => {
  assert.deepEqual(merge(types.unspecified, [1], [2]), [1, 2]);
  assert.deepEqual(merge(types.unspecified, { a: 1, b: 1 }, { b: 2 }), { a: 1, b: 2 });
  assert.equal(merge(types.unspecified, "a", "b"), "ab");
});

test("json merges objects, puts lists together and makes packages paths", () => {
  assert.deepEqual(merge(types.json, { a: { b: 1 }, l: [1] }, { a: { c: null }, l: ["x"] }), { a: { b: 1, c: null }, l: [1, "x"] });
  assert.deepEqual(merge(types.json, { p: thing("x") }), { p: String(thing("x")) });
  mergeFails("option.conflict", types.json, { a: 1 }, { a: [1] });
  mergeFails("option.wrong-type", types.json, { a: () => 1 });
});

test("path reads a package as its path", () => {
  assert.equal(merge(types.path, thing("x")), String(thing("x")));
});

test("attrTag takes exactly one of its names", () => {
  const type = types.attrTag({ file: option(types.path), list: option(types.listOf(types.int)) });
  assert.deepEqual(merge(type, { list: [1] }, { list: [2] }), { list: [1, 2] });
  mergeFails("option.conflict", type, { list: [1] }, { file: "/x" });
  mergeFails("option.wrong-type", type, { list: [1], file: "/x" });
  mergeFails("option.wrong-type", type, { other: 1 });
});

test("functionTo merges what the functions return", () => {
  const merged = merge(types.functionTo(types.listOf(types.int)), (n: number) => [n], (n: number) => [n + 1]) as (n: number) => unknown;
  assert.deepEqual(merged(1), [1, 2]);
});

test("deferredModule gathers modules for another evaluation", () => {
  const collected = merge(types.deferredModule, { x: 1 }, () => ({ y: 2 }));
  const inner = evaluate(declare({ x: option(types.int), y: option(types.int) }), collected as never).config;
  assert.deepEqual([inner.x, inner.y], [1, 2]);
});

test("values are frozen at every depth", () => {
  const value = merge(types.attrsOf(types.listOf(types.submodule({ options: { a: option(types.json, { default: { x: [1] } }) } }))), { l: [{}] }) as { l: { a: { x: number[] } }[] };
  for (const part of [value, value.l, value.l[0], value.l[0]!.a, value.l[0]!.a.x]) assert.equal(Object.isFrozen(part), true);
});

test("a submodule has defaults, a name and functions", () => {
  const type = types.attrsOf(
    types.submodule({
      options: { port: option(types.port, { default: 80 }), title: option(types.str, { default: ({ name }) => name.toUpperCase() }), url: option(types.str) },
      config: ({ config, name }) => ({ url: lib.mkDefault(`${name}:${config.port}`) }),
    }),
  );
  assert.deepEqual(merge(type, { a: { port: 1 }, b: {} }, { a: ({ name }: { name: string }) => ({ title: `${name}!` }), b: { url: "x" } }), {
    a: { port: 1, title: "a!", url: "a:1" },
    b: { port: 80, title: "B", url: "x" },
  });
});

test("definitions of a submodule are merged in the modules' order, its own first", () => {
  const sub = types.submodule({ options: { l: option(types.listOf(types.str), { default: [] }) }, config: () => ({ l: ["base"] }) });
  // Nix gives base, then the outer definitions the other way round.
  assert.deepEqual((merge(sub, { l: ["a"] }, { l: ["b"] }) as { l: unknown }).l, ["base", "b", "a"]);
});

test("a freeform submodule takes undeclared names", () => {
  const type = types.submodule({ freeformType: types.attrsOf(types.json), options: { port: option(types.port, { default: 1 }), a: { b: option(types.int, { default: 2 }) } } });
  assert.deepEqual(merge(type, { x: { y: 1 } }, { x: { z: lib.mkForce(2) }, port: 3 }), { x: { y: 1, z: 2 }, port: 3, a: { b: 2 } });
  mergeFails("option.wrong-type", type, { port: "x", y: 1 });
  assert.equal(merge(type, lib.mkForce({ x: 1 }), { x: 2 }) !== undefined, true);
});

test("an option of a submodule without value throws only when it is read", () => {
  const value = merge(types.submodule({ options: { a: option(types.int), b: option(types.int, { default: 1 }) } }), {}) as { a: number; b: number };
  assert.equal(value.b, 1);
  assert.throws(() => value.a, /"it\.a" is used, but it has no value/);
});

test("submodules, enums, lists and attributes of several declarations are one type", () => {
  const { config } = evaluate(
    declare({ it: option(types.attrsOf(types.submodule({ options: { a: option(types.int, { default: 1 }) } })), { default: {} }), e: option(types.enum(["a"])) }),
    declare({ it: option(types.attrsOf(types.submodule({ options: { b: option(types.int, { default: 2 }) } }))), e: option(types.enum(["b"])) }, { key: "more" }),
    define("user", { it: { x: {} }, e: "b" }),
  );
  assert.deepEqual(config.it, { x: { a: 1, b: 2 } });
  assert.equal(config.e, "b");
});

test("options declared below a submodule option extend it", () => {
  const { config } = evaluate(
    declare({ it: option(types.submodule({ options: { a: option(types.int, { default: 1 }) } }), { default: {} }) }),
    declare({ it: { b: option(types.int, { default: 2 }) } }, { key: "more" }),
  );
  assert.deepEqual(config.it, { a: 1, b: 2 });
});

test("no type's merge changes its definitions", () => {
  const value = Object.freeze({ l: Object.freeze([Object.freeze({ a: Object.freeze([1]) })]) });
  const definition: RawDefinition["value"] = value;
  assert.deepEqual(merge(types.json, definition, definition), { l: [{ a: [1] }, { a: [1] }] });
});
