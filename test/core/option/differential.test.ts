import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { createRandom, type SeededRandom } from "../../faults/seeded-random.ts";
import { randomScenario } from "./differential/random-scenario.ts";
import { settleScenario } from "./differential/to-modules.ts";
import { printScenario } from "./differential/to-nix.ts";
import type { ModuleBody, OptionDeclaration, Scenario, Type, Value } from "./differential/scenario.ts";

// What the reference implementation's evalModules made of each scenario, null where it failed:
// compare.ts --seed … --record writes it.
type Recorded = { readonly seed: number; readonly results: readonly ({ readonly value: unknown } | null)[] };

test("random module sets settle to what the reference implementation makes of them, or fail where it fails", () => {
  const { seed, results } = JSON.parse(readFileSync(join(import.meta.dirname, "differential/recorded.json"), "utf8")) as Recorded;
  const random = createRandom(seed);
  for (const [i, expected] of results.entries()) {
    const scenario = randomScenario(random);
    const actual = settleScenario(scenario);
    const text = (): string => `scenario ${i} of seed ${seed}: ${printScenario(scenario)}`;
    if (expected === null) assert.ok("error" in actual, text());
    else assert.deepEqual(actual, { value: expected.value }, text());
  }
});

test("the order of keys, in declarations and in definitions at any depth, does not change a result", () => {
  const random = createRandom(77);
  for (let i = 0; i < 400; i++) {
    const scenario = randomScenario(random);
    const other = new KeyShuffler(random).scenario(scenario);
    const [one, two] = [settleScenario(scenario), settleScenario(other)];
    const text = (): string => `scenario ${i}: ${printScenario(scenario)}`;
    if ("error" in one) assert.ok("error" in two, text());
    else assert.deepEqual(two, one, text());
  }
});

class KeyShuffler {
  readonly #random: SeededRandom;

  constructor(random: SeededRandom) {
    this.#random = random;
  }

  #shuffle<T>(values: readonly T[]): readonly T[] {
    return values.map((value) => ({ value, at: this.#random.next() })).sort((a, b) => a.at - b.at).map(({ value }) => value);
  }

  scenario(scenario: Scenario): Scenario {
    return { ...scenario, modules: scenario.modules.map((module) => ({ ...module, body: this.#body(module.body) })) };
  }

  #body(body: ModuleBody): ModuleBody {
    return {
      ...body,
      options: this.#shuffle(body.options.map(([path, declaration]) => [path, this.#declaration(declaration)] as const)),
      config: body.config === undefined ? undefined : this.#value(body.config),
    };
  }

  #declaration(declaration: OptionDeclaration): OptionDeclaration {
    return { ...declaration, type: this.#type(declaration.type), default: declaration.default === undefined ? undefined : this.#value(declaration.default) };
  }

  #type(type: Type): Type {
    switch (type.kind) {
      case "of":
        return { ...type, element: this.#type(type.element) };
      case "either":
        return { ...type, first: this.#type(type.first), second: this.#type(type.second) };
      case "coerced":
        return { ...type, to: this.#type(type.to) };
      case "attrTag":
        return { ...type, tags: this.#shuffle(type.tags.map(([name, tag]) => [name, this.#declaration(tag)] as const)) };
      case "submodule":
        return { ...type, body: this.#body(type.body) };
      default:
        return type;
    }
  }

  #value(value: Value): Value {
    switch (value.kind) {
      case "set":
        return { ...value, entries: this.#shuffle(value.entries.map(([name, inner]) => [name, this.#value(inner)] as const)) };
      case "list":
      case "merge":
        return { ...value, items: value.items.map((item) => this.#value(item)) };
      case "if":
      case "override":
      case "order":
      case "assert":
      case "function":
      case "lambda":
        return { ...value, content: this.#value(value.content) };
      default:
        return value;
    }
  }
}
