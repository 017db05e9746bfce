import assert from "node:assert/strict";
import { test } from "node:test";
import type { TsosError } from "../../../core/error/tsos-error.ts";
import { checkAssertions } from "../../../core/option/evaluate-modules.ts";
import { lib } from "../../../core/option/lib.ts";
import { createModule } from "../../../core/option/module.ts";
import type { Module } from "../../../core/option/module.ts";
import { option } from "../../../core/option/option.ts";
import { types } from "../../../core/option/types.ts";
import { declare, define, evaluate, failure, failureOf } from "./evaluate.ts";
import type { Loose } from "./evaluate.ts";

const base = declare({
  services: {
    nginx: {
      enable: option(types.bool, { default: false }),
      port: option(types.port, { default: 80 }),
      names: option(types.listOf(types.str), { default: [] }),
      root: option(types.path),
      hosts: option(types.attrsOf(types.submodule({ options: { root: option(types.path), level: option(types.enum(["a", "b"]), { default: "a" }) } })), { default: {} }),
    },
    openssh: { enable: option(types.bool, { default: false }) },
  },
});

test("an unknown option names the nearest and its siblings", () => {
  const error = failure(base, define("u", { services: { ngnix: { enable: true } } }));
  assert.equal(error.code, "option.unknown");
  assert.equal(error.message, 'the option "services.ngnix" does not exist');
  assert.equal(error.hint, 'did you mean "services.nginx"? "services" has nginx, openssh');
  assert.deepEqual(error.data.optionPath, ["services", "ngnix"]);
  const [definition] = error.data.definitions as readonly { module: string; path: readonly string[] }[];
  assert.deepEqual([definition!.module, definition!.path], ["u", ["services", "ngnix"]]);
});

test("a wrong type names the option, what is expected and what it got", () => {
  const error = failure(base, define("u", { services: { nginx: { hosts: { "a.example": { level: "c" } } } } }));
  assert.equal(error.code, "option.wrong-type");
  assert.equal(error.message, 'the option "services.nginx.hosts."a.example".level" must be one of "a", "b", got "c"');
  const [definition] = error.data.definitions as readonly { path: readonly string[]; priority: number; value: string }[];
  assert.deepEqual(definition!.path, ["services", "nginx", "hosts", "a.example", "level"]);
  assert.deepEqual([definition!.priority, definition!.value], [100, '"c"']);
  assert.equal((error.data.declaredAt as readonly unknown[]).length, 1);
});

test("a conflict shows every definition", () => {
  const error = failure(base, define("u", { services: { nginx: { port: 1 } } }), define("v", { services: { nginx: { port: 2 } } }));
  assert.equal(error.code, "option.conflict");
  assert.deepEqual((error.data.definitions as readonly { module: string; value: string }[]).map(({ module, value }) => [module, value]), [["v", "2"], ["u", "1"]]);
  assert.match(error.hint ?? "", /lib\.mkForce/);
});

test("an option without value is an error of the module that reads it", () => {
  const error = failure(base, define("u", ({ config }) => ({ services: { nginx: { names: [config.services!.nginx!.root] } } })));
  assert.equal(error.code, "option.not-defined");
  assert.match(error.message, /"services\.nginx\.root" is used, but it has no value/);
  assert.equal(evaluate(base).config.services!.nginx!.enable, false);
});

test("reading what is not declared names the nearest", () => {
  const error = failure(base, define("u", ({ config }) => ({ services: { nginx: { enable: config.services!.opensh!.enable } } })));
  assert.equal(error.code, "option.unknown");
  assert.match(error.hint ?? "", /did you mean "services\.openssh"/);
});

test("a value where a set of options is", () => {
  assert.equal(failure(base, define("u", { services: true })).code, "option.not-a-set");
  assert.equal(failure(base, define("u", () => "services")).code, "option.not-a-set");
});

test("what a module throws names the module and keeps the cause", () => {
  const cause = new Error("broken");
  const error = failure(base, define("u", () => {
    throw cause;
  }));
  assert.equal(error.code, "option.module-failed");
  assert.equal(error.message, 'the module "u" failed: Error: broken');
  assert.equal(error.cause, cause);
});

test("a promise is refused", () => {
  assert.equal(failure(base, define("u", async () => ({}))).code, "option.promise");
  assert.equal(failure(base, define("u", { services: { nginx: { enable: Promise.resolve(true) } } })).code, "option.wrong-type");
});

test("a module cannot change what it is given", () => {
  const changes: readonly ((config: Loose) => unknown)[] = [
    (config) => Object.assign(config.services!.nginx!, { enable: true }),
    (config) => (config.services!.nginx!.names as unknown as string[]).push("x"),
    (config) => delete (config.services as Record<string, unknown>).nginx,
    (config) => Object.defineProperty(config.services, "x", { value: 1 }),
    (config) => Object.assign(config.services!.nginx!.hosts!, { a: 1 }),
  ];
  for (const change of changes) {
    const error = failure(base, define("u", ({ config }) => {
      change(config);
      return {};
    }));
    assert.equal(error.code, "option.changed-input", error.message);
  }
});

test("a definition is not changed by merging, and no other module can change it", () => {
  const names = ["b", "a"];
  evaluate(base, define("u", { services: { nginx: { names } } }), define("v", { services: { nginx: { names: ["c"] } } }));
  assert.deepEqual(names, ["b", "a"]);
  assert.throws(() => names.push("d"), TypeError);
});

test("what is imported must be a module", () => {
  const error = failure(base, createModule({ key: "importer", imports: [undefined as never] }, undefined));
  assert.equal(error.code, "option.bad-import");
  assert.match(error.hint ?? "", /imported in a circle/);
  assert.equal(failure({ services: {} } as never).code, "option.bad-import");
});

test("a part that no module has is refused with what to write instead", () => {
  const error = failureOf(() => createModule({ services: {} } as never, undefined));
  assert.equal(error.code, "option.bad-module");
  assert.match(error.hint ?? "", /under config/);
});

test("an option declared twice names both places", () => {
  const error = failure(base, declare({ services: { nginx: { port: option(types.str) } } }, { key: "other" }));
  assert.equal(error.code, "option.declared-twice");
  assert.deepEqual((error.data.declaredAt as readonly { module: string }[]).map(({ module }) => module).sort(), ["declaring", "other"]);
  assert.equal(failure(base, declare({ services: { nginx: { port: { a: option(types.int) } } } }, { key: "other" })).code, "option.declared-as-both");
  assert.equal(failure(declare({ a: 3 } as never)).code, "option.bad-declaration");
});

test("a tree that does not settle names what follows from itself", () => {
  const error = failure(
    base,
    define("u", ({ config }) => ({ services: { nginx: { enable: !config.services!.openssh!.enable } } })),
    define("v", ({ config }) => ({ services: { openssh: { enable: config.services!.nginx!.enable }, nginx: { names: [String(config.services!.nginx!.enable)] } } })),
  );
  assert.equal(error.code, "option.unsettled");
  const flips = error.data.flips as readonly { optionPath: readonly string[]; values: readonly string[]; definitions: readonly { module: string }[] }[];
  assert.deepEqual(flips.map(({ optionPath }) => optionPath.join(".")), ["services.nginx.enable", "services.openssh.enable"]);
  assert.deepEqual([...flips[0]!.values].sort(), ["false", "true"]);
  assert.deepEqual(flips[0]!.definitions.map(({ module }) => module), ["u"]);
  assert.ok((error.data.rounds as number) < 30, "a tree that comes back to where it was is seen early");
});

test("a tree that grows for ever does not settle", () => {
  const error = failure(base, define("u", ({ config }) => ({ services: { nginx: { names: [...(config.services!.nginx!.names as unknown as string[]), "x"] } } })));
  assert.equal(error.code, "option.unsettled");
});

test("a wrong definition that keeps a tree from settling is the error, not what goes round because of it", () => {
  const team = declare({ members: option(types.attrsOf(types.int), { default: {} }), count: option(types.int) });
  const reader = define("reader", ({ config }) => ({ count: Object.values(config.members as unknown as Readonly<Record<string, number>>).reduce((sum, member) => sum + member, 0) }));
  // Reads what the reader defines, and is so undone with it.
  const user = define("user", ({ config }) => ({ members: { ada: Number(config.count) === -1 ? 0 : 1, bob: "two" } }));
  const error = failure(team, reader, user);
  assert.equal(error.code, "option.wrong-type");
  assert.deepEqual(error.data.optionPath, ["members", "bob"]);
});

test("a value that grows until it is wrong does not settle", () => {
  const error = failure(
    declare({ level: option(types.ints.between(0, 20), { default: 0 }), shown: option(types.str, { default: "" }) }),
    define("grows", ({ config }) => ({ level: (config.level as unknown as number) + 1 })),
    define("shows", ({ config }) => ({ shown: String(config.level) })),
  );
  assert.equal(error.code, "option.unsettled");
});

test("several errors are reported together", () => {
  const error = failure(base, define("u", { services: { nginx: { enable: 1, prot: 80 } } }), define("v", { services: { nginx: { port: "x" } } }));
  const others = error.data.others as readonly { code: string }[];
  assert.deepEqual([error.code, ...others.map(({ code }) => code)].sort(), ["option.unknown", "option.wrong-type", "option.wrong-type"]);
});

test("names of the prototype are names like others", () => {
  const names = declare({ free: option(types.attrsOf(types.int), { default: {} }), any: option(types.anything, { default: {} }) });
  const hostile = JSON.parse('{ "free": { "__proto__": 1, "constructor": 2, "hasOwnProperty": 3 }, "any": { "__proto__": { "polluted": true } } }') as object;
  const { config } = evaluate(names, define("u", hostile));
  assert.deepEqual(Object.keys(config.free!).sort(), ["__proto__", "constructor", "hasOwnProperty"]);
  assert.equal(Object.getPrototypeOf(config.free), Object.prototype);
  assert.equal(({} as { readonly polluted?: boolean }).polluted, undefined);
  assert.equal(failure(names, define("u", JSON.parse('{ "__proto__": { "x": 1 } }') as object)).code, "option.unknown");
  assert.equal(failure(names, define("u", { constructor: 1 })).code, "option.unknown");
});

test("a value that refers to itself is an error, not a crash", () => {
  const circle: { self?: unknown } = {};
  circle.self = circle;
  const declared = declare({ a: option(types.anything, { default: {} }) });
  assert.equal(failure(declared, define("u", () => ({ a: circle }))).code, "option.too-deep");
  assert.equal(failure(declared, define("u", () => circle)).code, "option.unknown");
  const endless = (): object => endless();
  assert.equal(failure(declared, define("u", endless)).code, "option.too-deep");
});

test("a modifier that was called wrongly is told with its option, beside all else that is wrong", () => {
  const error = failure(base, define("u", () => ({ services: { nginx: { enable: lib.mkIf("yes" as never, true), port: lib.mkOverride("high" as never, 1), names: lib.mkMerge("x" as never) } } })));
  const all = [error, ...(error.data.others as readonly TsosError[])].map(({ code, message }) => `${code}: ${message}`);
  assert.deepEqual(all.sort(), [
    'option.wrong-modifier: a definition of "services.nginx.enable" is wrong: the condition of mkIf must be a boolean, got "yes"',
    'option.wrong-modifier: a definition of "services.nginx.names" is wrong: mkMerge takes a list of definitions, got "x"',
    'option.wrong-modifier: a definition of "services.nginx.port" is wrong: the priority of mkOverride must be a number, got "high"',
  ]);
});

test("all that is wrong inside one value is told, in sets, lists, submodules and by each module", () => {
  const all = (error: TsosError): readonly string[] => [error, ...((error.data.others ?? []) as readonly TsosError[])].map(({ data }) => (data.optionPath as readonly string[]).join(" "));
  const hosts = { a: { root: 1, level: "z" }, b: { level: "y", wrong: 1 } };
  const error = failure(base, define("u", { services: { nginx: { names: [1, "fine", 2], hosts } } }), define("w", { services: { nginx: { port: "x" } } }), define("v", { services: { nginx: { port: "y" } } }));
  assert.deepEqual([...all(error)].sort(), [
    "services nginx hosts a level",
    "services nginx hosts a root",
    "services nginx hosts b level",
    "services nginx hosts b wrong",
    "services nginx names [0]",
    "services nginx names [2]",
    "services nginx port",
    "services nginx port",
  ]);
  // No end of them is of use to nobody.
  const many = failure(base, define("u", { services: { nginx: { names: Array.from({ length: 1000 }, () => 1) } } }));
  assert.equal(all(many).length, 50);
});

test("a value that is not the same when it is computed again is an error, wherever a function has a part in it", () => {
  let runs = 0;
  const count = (): string => `${runs++}`;
  const host = types.submodule({ options: { root: option(types.str, { default: "" }) } });
  const cases: readonly (readonly [string, Module[]])[] = [
    ["hosts.a.root", [declare({ hosts: option(types.attrsOf(host), { default: {} }) }), define("u", { hosts: { a: () => ({ root: count() }) } })]],
    ["list[0].root", [declare({ list: option(types.listOf(host), { default: [] }) }), define("u", { list: [lib.mkIf(true, () => ({ root: count() }))] })]],
    ["name", [declare({ name: option(types.str, { default: () => count() }), copy: option(types.str, { default: "" }) }), define("u", ({ config }) => ({ copy: `${String(config.name)}` }))]],
    ["name", [declare({ name: option(types.str, { default: "", apply: (text) => `${text}${count()}` }) }), define("u", { name: "x" })]],
  ];
  for (const [path, modules] of cases) {
    const error = failureOf(() => evaluate(...modules));
    assert.equal(error.code, "option.not-repeatable", path);
    assert.ok(error.message.startsWith(`the value of the option "${path}" is not the same`) || error.message.includes("does not return the same"), error.message);
  }
});

test("every error carries plain data", () => {
  const error = failure(base, define("u", { services: { nginx: { port: { deep: [() => 1] } } } }));
  assert.deepEqual(JSON.parse(JSON.stringify(error.data)) !== undefined, true);
});

test("a typo inside a submodule that the same module reads is the error", () => {
  const hosts = declare({ hosts: option(types.attrsOf(types.submodule({ options: { root: option(types.str, { default: "/" }) } })), { default: {} }), names: option(types.listOf(types.str), { default: [] }) });
  const reads = (definition: object): Module => define("u", ({ config }) => ({ names: Object.keys(config.hosts!), hosts: { a: definition } }));
  const error = failure(hosts, reads({ rooot: "/srv" }));
  assert.deepEqual([error.code, error.data.optionPath], ["option.unknown", ["hosts", "a", "rooot"]]);
  assert.match(error.hint ?? "", /did you mean "hosts\.a\.root"/);
  assert.equal(failure(hosts, reads({ root: 3 })).code, "option.wrong-type");
  assert.equal(failure(hosts, define("u", ({ config }) => ({ names: [String(config.hosts!.a?.root)], hosts: { a: ({ config: own }: { config: object }) => ({ root: String((own as { rot?: string }).rot) }) } }))).code, "option.unknown");
});

test("a failed assertion has the place of its definition, and stands beside what has no value", () => {
  const { assertions, options } = evaluate(base, define("u", { assertions: [{ assertion: true, message: "fine" }, lib.mkIf(true, { assertion: false, message: "no" })] }));
  const error = failureOf(() => checkAssertions(assertions, options));
  assert.deepEqual((error.data.sites as readonly { module: string; path: readonly string[] }[][]).map((sites) => sites.map(({ module, path }) => [module, path])), [[["u", ["assertions", "[1]"]]]]);
  const needed = declare({ needed: option(types.str), copy: option(types.str, { default: "" }) });
  const both = failure(needed, define("reads", ({ config }) => ({ copy: config.needed })), define("u", { assertions: [{ assertion: false, message: "no" }] }));
  assert.deepEqual([both.code, ...(both.data.others as readonly { code: string }[]).map(({ code }) => code)], ["option.not-defined", "option.assertion-failed"]);
});

test("an absent item of a list is an error with its place", () => {
  const error = failure(declare({ l: option(types.listOf(types.str)) }), define("u", { l: ["a", undefined] }));
  assert.deepEqual([error.code, error.data.optionPath], ["option.wrong-type", ["l", "[1]"]]);
  assert.match(error.hint ?? "", /lib\.optionals/);
});

test("an option declared with two types names the types, whatever else both have", () => {
  const error = failure(declare({ x: option(types.int, { default: 1 }) }), declare({ x: option(types.str, { default: "1" }) }, { key: "other" }));
  assert.match(error.message, /declared more than once: as string and as integer/);
});
