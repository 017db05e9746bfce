import assert from "node:assert/strict";
import { test } from "node:test";
import { defineModule } from "../../../core/option/define-module.ts";
import { defineSystem } from "../../../core/option/define-system.ts";
import { evaluateModules } from "../../../core/option/evaluate-modules.ts";
import { createModule } from "../../../core/option/module.ts";
import { option } from "../../../core/option/option.ts";
import { types } from "../../../core/option/types.ts";
import { declare, define, evaluate, failureOf } from "./evaluate.ts";
import type { Loose } from "./evaluate.ts";

const base = declare({
  o: option(types.nullOr(types.str), { default: null }),
  l: option(types.listOf(types.str), { default: [] }),
  sub: option(types.submodule({ options: { s: option(types.str, { default: ({ ...args }) => String((args as { site?: string }).site ?? "none") }) } }), { default: {} }),
});

/** A configuration whose types are not those of tsos's own options. */
const system = defineSystem as unknown as (parts: object) => ReturnType<typeof defineSystem>;
const loose = defineModule as unknown as (parts: object) => ReturnType<typeof defineModule>;

test("every function of every module is given the special arguments", () => {
  const other = define("other", ({ site }) => ({ l: [`other in ${String(site)}`] }));
  const { config } = evaluate(base, system({ specialArgs: { site: "fra" }, imports: [other], config: ({ site }: { site: string }) => ({ o: site, sub: ({ site: inner }: { site: string }) => ({ s: `inner ${inner}` }) }) }));
  assert.deepEqual([config.o, config.l, config.sub!.s], ["fra", ["other in fra"], "inner fra"]);
});

test("imports may be a function of the special arguments, at any depth", () => {
  const sites = { fra: define("fra", { l: ["fra"] }), ams: define("ams", { l: ["ams"] }) };
  const chooser = loose({ imports: ({ site, sites }: { site: "fra" | "ams"; sites: Readonly<Record<string, unknown>> }) => [sites[site]], config: { l: ["chooser"] } });
  for (const site of ["fra", "ams"]) {
    assert.deepEqual(evaluate(base, system({ specialArgs: { site, sites }, imports: [chooser] })).config.l, [site, "chooser"]);
  }
});

test("a submodule's imports see its own special arguments and those of the configuration", () => {
  const inner = types.submoduleWith({
    modules: [createModule({ imports: ({ site, kind }: { site: string; kind: string }) => [createModule({ options: { [`${site}_${kind}`]: option(types.int, { default: 7 }) } }, undefined)] }, undefined)],
    specialArgs: { kind: "web" },
  });
  const { config } = evaluate(declare({ x: option(inner, { default: {} }) }), system({ specialArgs: { site: "fra" } }));
  assert.deepEqual(config.x, { fra_web: 7 });
});

test("a configuration that another imports gives its arguments, where the outer one gives none", () => {
  const common = system({ specialArgs: { site: "common", tier: "basic" }, config: ({ site, tier }: { site: string; tier: string }) => ({ l: [site, tier] }) });
  assert.deepEqual(evaluate(base, common).config.l, ["common", "basic"]);
  assert.deepEqual(evaluate(base, system({ specialArgs: { site: "mine" }, imports: [common] })).config.l, ["mine", "basic"]);
});

test("extendModules adds special arguments and keeps the others, also without the user's modules", () => {
  const chooser = createModule({ imports: ({ site, more }: { site: string; more?: string }) => [define(`at-${site}`, { l: [site, more ?? "nothing"] })] }, undefined);
  const first = evaluateModules<Loose>({ modules: [base, chooser], userModules: [system({ specialArgs: { site: "fra" }, config: { l: ["user"] } })] });
  assert.deepEqual(first.config.l, ["fra", "nothing", "user"]);
  assert.deepEqual(first.extendModules({ specialArgs: { more: "m" }, withoutUserModules: true }).config.l, ["fra", "m"]);
});

test("other special arguments in an update choose other modules", () => {
  const make = (site: string): ReturnType<typeof defineSystem> => system({ specialArgs: { site }, imports: ({ site }: { site: string }) => [define(`at-${site}`, { l: [site] })] });
  const first = evaluate(base, make("a"));
  assert.deepEqual(first.update([base, make("b")]).config.l, ["b"]);
});

test("imports that depend on the configuration are refused, with what to do", () => {
  for (const name of ["config", "pkgs", "options"]) {
    const error = failureOf(() => evaluate(base, loose({ imports: (args: Readonly<Record<string, object>>) => [args[name]!] })));
    assert.equal(error.code, "option.bad-import");
    assert.match(error.message, new RegExp(`cannot depend on "${name}"`));
    assert.match(error.hint ?? "", /specialArgs/);
  }
  assert.match(failureOf(() => evaluate(base, loose({ imports: ({ nosuch }: { nosuch: unknown }) => [nosuch] }))).hint ?? "", /no specialArgs has the name/);
  assert.match(failureOf(() => evaluate(base, loose({ imports: () => 3 }))).message, /returned 3; expected a list of modules/);
  const thrown = failureOf(() => evaluate(base, loose({ imports: () => { throw new Error("boom"); } })));
  assert.match(thrown.message, /could not be computed: boom/);
});

test("special arguments cannot take the place of what functions are given, nor be changed", () => {
  assert.match(failureOf(() => system({ specialArgs: { config: {} } })).message, /gives "config"/);
  assert.match(failureOf(() => system({ specialArgs: { pkgs: {} } })).hint ?? "", /overlays/);
  assert.match(failureOf(() => system({ specialArgs: [] })).message, /must be an object/);
  assert.match(failureOf(() => loose({ specialArgs: {} })).hint ?? "", /_module/);
  const shared = { list: ["a"] };
  assert.equal(failureOf(() => evaluate(base, system({ specialArgs: { shared }, config: ({ shared: { list } }: { shared: { list: string[] } }) => ({ l: [String(list.push("b"))] }) }))).code, "option.changed-input");
});
