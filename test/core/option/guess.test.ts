import assert from "node:assert/strict";
import { test } from "node:test";
import { TsosError } from "../../../core/error/tsos-error.ts";
import { evaluateModules } from "../../../core/option/evaluate-modules.ts";
import { mkIf, mkMerge, mkOverride } from "../../../core/option/modifier.ts";
import { createModule } from "../../../core/option/module.ts";
import type { Module } from "../../../core/option/module.ts";
import { option } from "../../../core/option/option.ts";
import { types } from "../../../core/option/types.ts";
import { createRandom, evaluateExpression, evaluateOnDemand, randomGraph, total } from "./demand-driven.ts";
import type { Graph } from "./demand-driven.ts";

type Loose = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

const person = types.submodule({ options: { home: option(types.str), shell: option(types.str, { default: "sh" }) } });
const declaring = createModule({
  options: {
    users: option(types.attrsOf(person), { default: {} }),
    site: { root: option(types.path), port: option(types.port), on: option(types.bool), kind: option(types.enum(["small", "large"])), host: option(types.str), package: option(types.package) },
    files: option(types.attrsOf(types.str), { default: {} }),
    list: option(types.listOf(types.anything), { default: [] }),
  },
}, undefined);

function settle(...configs: readonly ((args: { readonly config: Loose }) => unknown)[]): Loose | TsosError {
  try {
    return evaluateModules<Loose>({ modules: [declaring, ...configs.map((config): Module => createModule({ config }, undefined))] }).config;
  } catch (error) {
    if (error instanceof TsosError) return error;
    throw error;
  }
}

function configOf(result: Loose | TsosError): Loose {
  if (result instanceof TsosError) throw result;
  return result;
}

test("a module reads what it defines itself, of every plain type and none", () => {
  const config = configOf(settle(({ config }) => ({
    site: { root: "/srv", port: 80, on: true, kind: "large", host: "example.org" },
    files: {
      root: `root ${config.site!.root}`,
      address: `${config.site!.host}:${(config.site!.port as number) + 1}`,
      ...((config.site!.on as boolean) ? { on: "yes" } : { off: "no" }),
      kind: (config.site!.kind as string).toUpperCase(),
    },
  })));
  assert.deepEqual({ ...config.files }, { root: "root /srv", address: "example.org:81", on: "yes", kind: "LARGE" });
});

test("a module reads a name that it puts into a set itself, and what is deep inside of it", () => {
  const config = configOf(settle(({ config }) => ({
    users: { ada: { home: "/home/ada" }, bob: { home: `${(config.users!.ada as { home: string }).home}/bob` } },
    files: { bob: (config.users!.bob as { home: string }).home, shell: (config.users!.ada as { shell: string }).shell },
  })));
  assert.deepEqual({ ...config.files }, { bob: "/home/ada/bob", shell: "sh" });
});

test("a chain through one module and another settles", () => {
  const config = configOf(settle(
    ({ config }) => ({ site: { host: "a" }, files: { one: `${config.files!.two}!` } }),
    ({ config }) => ({ users: { x: { home: `/${config.site!.host}` } }, files: { two: (config.users!.x as { home: string }).home } }),
  ));
  assert.deepEqual({ ...config.files }, { one: "/a!", two: "/a" });
});

test("what no one defines is an error, and nothing that was guessed", () => {
  for (const read of [
    ({ config }: { readonly config: Loose }) => ({ files: { root: `${config.site!.root}` } }),
    ({ config }: { readonly config: Loose }) => ({ site: { host: "h" }, list: [config.site!.package] }),
    ({ config }: { readonly config: Loose }) => ({ site: { host: config.site!.host } }),
    ({ config }: { readonly config: Loose }) => ({ site: { on: !(config.site!.on as boolean) } }),
  ]) {
    const result = settle(read);
    assert.ok(result instanceof TsosError);
    assert.equal(result.code, "option.not-defined");
    assert.doesNotMatch(JSON.stringify(result.data), /guess-/);
  }
  const missing = settle(({ config }) => ({ files: { home: (config.users!.nobody as { home: string }).home } }));
  assert.ok(missing instanceof TsosError);
  assert.equal(missing.code, "option.module-failed");
});

test("a guess is given no further: neither as a value nor inside of one, nor to a function that is called later", () => {
  const seen: unknown[] = [];
  const config = configOf(settle(
    ({ config }) => ({ site: { root: "/srv" }, list: [{ deep: [config.users!.ada] }, config.site!.root], users: { ada: { home: "/a" } } }),
    ({ config }) => {
      seen.push(...(config.list as unknown as unknown[]));
      return {};
    },
  ));
  assert.deepEqual(JSON.parse(JSON.stringify(config.list)), [{ deep: [{ home: "/a", shell: "sh" }] }, "/srv"]);
  assert.doesNotMatch(JSON.stringify(seen), /guess/);
});

test("a loop over what is not there ends", () => {
  const config = configOf(settle(({ config }) => {
    const names: string[] = [];
    for (let one = config.users!.first as { next?: unknown; home: string } | undefined; one !== undefined; one = one.next as typeof one) names.push(one.home);
    return { users: { first: { home: "/first" } }, files: { names: names.join(" ") } };
  }));
  assert.equal(config.files!.names, "/first");
});

/** As in settle-graphs.test.ts, but that no option has a default. */
function settleGraph(graph: Graph): readonly (readonly number[])[] | TsosError {
  const options = { graph: Object.fromEntries(Array.from({ length: graph.options }, (_, index) => [`o${index}`, option(types.nonEmptyListOf(types.int))])) };
  const modules = graph.modules.map((definitions) => createModule({
    config: ({ config }: { readonly config: { readonly graph: Readonly<Record<string, readonly number[]>> } }) => {
      const read = (index: number): number => total(config.graph[`o${index}`]!);
      return mkMerge(definitions.map(({ option: index, priority, condition, value }) => ({
        graph: { [`o${index}`]: mkIf(condition === undefined || evaluateExpression(condition, read) > 2, mkOverride(priority, [evaluateExpression(value, read)])) },
      })));
    },
  }, undefined));
  try {
    const { config } = evaluateModules<{ readonly graph: Readonly<Record<string, readonly number[]>> }>({ modules: [createModule({ options }, undefined), ...modules] });
    return Array.from({ length: graph.options }, (_, index) => config.graph[`o${index}`]!);
  } catch (error) {
    if (error instanceof TsosError) return error;
    throw error;
  }
}

test("settling ends with the tree of demand-driven evaluation where options have no default", () => {
  const random = createRandom(7);
  let ended = 0;
  for (let i = 0; i < 1500; i++) {
    const drawn = randomGraph(random, { options: 2 + random(10), modules: 1 + random(6), definitions: 6, isAcyclic: true, throws: false });
    // Each has a definition that always holds.
    const graph: Graph = { ...drawn, modules: [...drawn.modules, ...Array.from({ length: drawn.options }, (_, index) => [{ option: index, priority: 1000, condition: undefined, value: { kind: "constant", value: 0 } as const }])] };
    assert.deepEqual(settleGraph(graph), evaluateOnDemand(graph), JSON.stringify(graph));
    ended++;
  }
  assert.equal(ended, 1500);
});

test("a module reads what a function that it defines a submodule by gives", () => {
  const config = configOf(settle(({ config }) => ({
    users: { ada: () => ({ home: "/home/ada" }), bob: ({ name }: { readonly name: string }) => ({ home: `/home/${name}`, shell: (config.users!.ada as { home: string }).home }) },
    files: { ada: (config.users!.ada as { home: string }).home, bob: (config.users!.bob as { shell: string }).shell },
  })));
  assert.deepEqual({ ...config.files }, { ada: "/home/ada", bob: "/home/ada" });
});
