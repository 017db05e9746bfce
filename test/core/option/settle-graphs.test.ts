import assert from "node:assert/strict";
import { test } from "node:test";
import { TsosError } from "../../../core/error/tsos-error.ts";
import { createModule } from "../../../core/option/module.ts";
import type { Module } from "../../../core/option/module.ts";
import { evaluateModules } from "../../../core/option/evaluate-modules.ts";
import { mkIf, mkMerge, mkOverride } from "../../../core/option/modifier.ts";
import { option } from "../../../core/option/option.ts";
import type { OptionTree } from "../../../core/option/option.ts";
import { types } from "../../../core/option/types.ts";
import { InfiniteRecursion, createRandom, evaluateExpression, evaluateOnDemand, mergeOf, randomGraph, total } from "./demand-driven.ts";
import type { Graph } from "./demand-driven.ts";

type Tree = { readonly graph: Readonly<Record<string, readonly number[]>> };

function optionsOf(graph: Graph): OptionTree {
  const list = types.listOf(types.int);
  return { graph: Object.fromEntries(Array.from({ length: graph.options }, (_, i) => [`o${i}`, option(list, { default: [] })])) };
}

function moduleOf(definitions: Graph["modules"][number]): Module {
  return createModule(
    {
      config: ({ config }: { readonly config: Tree }) => {
        const read = (index: number): number => total(config.graph[`o${index}`]!);
        return mkMerge(
          definitions.map(({ option: index, priority, condition, value }) => ({
            graph: {
              [`o${index}`]: mkIf(
                condition === undefined || evaluateExpression(condition, read) > 2,
                mkOverride(priority, [evaluateExpression(value, read)]),
              ),
            },
          })),
        );
      },
    },
    undefined,
  );
}

function settle(graph: Graph): readonly (readonly number[])[] | TsosError {
  const declaring = createModule({ options: optionsOf(graph) }, undefined);
  try {
    const { config } = evaluateModules<Tree>({ modules: [declaring, ...graph.modules.map(moduleOf)] });
    return Array.from({ length: graph.options }, (_, i) => config.graph[`o${i}`]!);
  } catch (error) {
    if (error instanceof TsosError) return error;
    throw error;
  }
}

const sorted = (values: readonly (readonly number[])[]): readonly number[][] => values.map((list) => [...list].sort((a, b) => a - b));

function shuffle<T>(values: readonly T[], random: (below: number) => number): T[] {
  const result = [...values];
  for (let i = result.length - 1; i > 0; i--) {
    const j = random(i + 1);
    [result[i], result[j]] = [result[j]!, result[i]!];
  }
  return result;
}

test("settling ends with the tree of demand-driven evaluation, on acyclic graphs", () => {
  const random = createRandom(1);
  for (let i = 0; i < 1500; i++) {
    const graph = randomGraph(random, { options: 2 + random(12), modules: 1 + random(10), definitions: 4, isAcyclic: true, throws: false });
    assert.deepEqual(settle(graph), evaluateOnDemand(graph), JSON.stringify(graph));
  }
});

test("settling ends with that tree wherever demand-driven evaluation ends, and else with a fixpoint or an error", () => {
  const random = createRandom(2);
  const seen = { ended: 0, fixpoint: 0, unsettled: 0 };
  for (let i = 0; i < 2500; i++) {
    const graph = randomGraph(random, { options: 2 + random(6), modules: 1 + random(6), definitions: 3, isAcyclic: false, throws: false });
    let expected: readonly (readonly number[])[] | undefined;
    try {
      expected = evaluateOnDemand(graph);
    } catch (error) {
      assert.ok(error instanceof InfiniteRecursion);
    }
    const settled = settle(graph);
    if (expected !== undefined) {
      seen.ended++;
      assert.deepEqual(settled, expected, JSON.stringify(graph));
    } else if (settled instanceof TsosError) {
      seen.unsettled++;
      assert.equal(settled.code, "option.unsettled");
      assert.ok((settled.data.flips as unknown[]).length > 0, JSON.stringify(graph));
    } else {
      seen.fixpoint++;
      const again = settled.map((_, index) => mergeOf(graph, index, (other) => total(settled[other]!)));
      assert.deepEqual(settled, again, JSON.stringify(graph));
    }
  }
  // All three must have been met often enough to mean something.
  assert.ok(seen.ended > 300 && seen.fixpoint > 100 && seen.unsettled > 50, JSON.stringify(seen));
});

test("the order of modules does not change a result", () => {
  const random = createRandom(3);
  for (let i = 0; i < 800; i++) {
    const graph = randomGraph(random, { options: 2 + random(6), modules: 2 + random(6), definitions: 3, isAcyclic: random(2) === 0, throws: false });
    const one = settle(graph);
    const other = settle({ ...graph, modules: shuffle(graph.modules, random) });
    if (one instanceof TsosError || other instanceof TsosError) {
      assert.ok(one instanceof TsosError && other instanceof TsosError, JSON.stringify(graph));
      assert.equal(one.code, other.code);
    } else {
      // The order of a list is the modules', so only the members are compared.
      assert.deepEqual(sorted(one), sorted(other), JSON.stringify(graph));
    }
  }
});

test("a module that throws on what is not there yet does not stop the others", () => {
  const random = createRandom(4);
  const seen = { ended: 0, failed: 0 };
  for (let i = 0; i < 1500; i++) {
    const graph = randomGraph(random, { options: 2 + random(10), modules: 1 + random(10), definitions: 1, isAcyclic: true, throws: true });
    let expected: readonly (readonly number[])[] | undefined;
    try {
      expected = evaluateOnDemand(graph);
    } catch {
      expected = undefined;
    }
    const settled = settle(graph);
    if (expected === undefined) {
      seen.failed++;
      // A module throws where demand-driven evaluation of its definition would; but one whose definition loses
      // against a stronger one is run too.
      assert.ok(settled instanceof TsosError && settled.code === "option.module-failed", JSON.stringify(graph));
    } else if (!(settled instanceof TsosError)) {
      seen.ended++;
      assert.deepEqual(settled, expected, JSON.stringify(graph));
    }
  }
  assert.ok(seen.ended > 200 && seen.failed > 100, JSON.stringify(seen));
});

test("a chain through a thousand modules settles", () => {
  const length = 1000;
  const graph: Graph = {
    options: length,
    modules: Array.from({ length }, (_, i) => [
      { option: i, priority: 100, condition: undefined, value: i === 0 ? { kind: "constant", value: 3 } : { kind: "read", option: i - 1 } },
    ]),
  };
  assert.deepEqual(settle(graph), Array.from({ length }, () => [3]));
});
