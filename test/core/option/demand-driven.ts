/**
 * A small demand-driven evaluator, as a language with lazy values would be: an option is computed when it is
 * asked for, and asks for others. With random graphs of modules it is the oracle of settling.
 */

/** An expression over options; it always ends and, but for `fail`, never throws. */
export type Expression =
  | { readonly kind: "constant"; readonly value: number }
  | { readonly kind: "read"; readonly option: number }
  | { readonly kind: "add"; readonly left: Expression; readonly right: Expression }
  | { readonly kind: "if"; readonly condition: Expression; readonly then: Expression; readonly else: Expression }
  /** Throws where `condition` is zero. */
  | { readonly kind: "need"; readonly condition: Expression; readonly then: Expression };

export type GraphDefinition = {
  readonly option: number;
  readonly priority: number;
  /** Undefined: always. */
  readonly condition: Expression | undefined;
  readonly value: Expression;
};

/** Option `i` is a list of numbers, default `[]`; to read it is to take the sum of the list modulo 7. */
export type Graph = { readonly options: number; readonly modules: readonly (readonly GraphDefinition[])[] };

export class InfiniteRecursion extends Error {}
export class Needed extends Error {}

export function evaluateExpression(expression: Expression, read: (option: number) => number): number {
  switch (expression.kind) {
    case "constant":
      return expression.value;
    case "read":
      return read(expression.option);
    case "add":
      return (evaluateExpression(expression.left, read) + evaluateExpression(expression.right, read)) % 7;
    case "if":
      return evaluateExpression(expression.condition, read) > 2
        ? evaluateExpression(expression.then, read)
        : evaluateExpression(expression.else, read);
    case "need":
      if (evaluateExpression(expression.condition, read) === 0) throw new Needed();
      return evaluateExpression(expression.then, read);
  }
}

/** @throws InfiniteRecursion where an option needs itself, Needed where a definition throws. */
export function evaluateOnDemand(graph: Graph): readonly (readonly number[])[] {
  const values: (readonly number[] | "computing" | undefined)[] = Array.from({ length: graph.options }, () => undefined);
  const force = (option: number): readonly number[] => {
    const known = values[option];
    if (known === "computing") throw new InfiniteRecursion();
    if (known !== undefined) return known;
    values[option] = "computing";
    return (values[option] = mergeOf(graph, option, (other) => total(force(other))));
  };
  for (let option = 0; option < graph.options; option++) force(option);
  return values as readonly (readonly number[])[];
}

/** What an option is, when `read` says what the others are. */
export function mergeOf(graph: Graph, option: number, read: (option: number) => number): readonly number[] {
  // Of modules that stand beside one another, the later is merged first; inside a module the order is as written.
  const definitions = [...graph.modules].reverse().flatMap((module) => module.filter((definition) => definition.option === option));
  const holding = definitions.filter(({ condition }) => condition === undefined || evaluateExpression(condition, read) > 2);
  const strongest = Math.min(...holding.map(({ priority }) => priority));
  return holding
    .filter(({ priority }) => priority === strongest)
    .map(({ value }) => evaluateExpression(value, read));
}

export function total(list: readonly number[]): number {
  return list.reduce((sum, value) => (sum + value) % 7, 0);
}

/** Numbers from a seed: the same seed gives the same graphs. */
export function createRandom(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    // xorshift32
    state ^= state << 13;
    state >>>= 0;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state % below;
  };
}

export type GraphShape = {
  readonly options: number;
  readonly modules: number;
  readonly definitions: number;
  /** Only options of a lower number are read: no circle. */
  readonly isAcyclic: boolean;
  readonly throws: boolean;
};

export function randomGraph(random: (below: number) => number, shape: GraphShape): Graph {
  // A random order, so that the way of the data does not follow the options' numbers.
  const rank = Array.from({ length: shape.options }, (_, i) => i);
  for (let i = rank.length - 1; i > 0; i--) {
    const j = random(i + 1);
    [rank[i], rank[j]] = [rank[j]!, rank[i]!];
  }
  const expression = (target: number, depth: number): Expression => {
    const kind = random(depth <= 0 ? 2 : shape.throws ? 6 : 5);
    const below = shape.isAcyclic ? rank.indexOf(target) : shape.options;
    switch (kind) {
      case 1:
      case 2:
        return below === 0 ? { kind: "constant", value: random(7) } : { kind: "read", option: rank[random(below)]! };
      case 3:
        return { kind: "add", left: expression(target, depth - 1), right: expression(target, depth - 1) };
      case 4:
        return { kind: "if", condition: expression(target, depth - 1), then: expression(target, depth - 1), else: expression(target, depth - 1) };
      case 5:
        return { kind: "need", condition: expression(target, depth - 1), then: expression(target, depth - 1) };
      default:
        return { kind: "constant", value: random(7) };
    }
  };
  const modules = Array.from({ length: shape.modules }, () =>
    Array.from({ length: 1 + random(shape.definitions) }, (): GraphDefinition => {
      const option = random(shape.options);
      return {
        option,
        priority: [50, 100, 100, 100, 1000][random(5)]!,
        condition: random(3) === 0 ? expression(option, 1) : undefined,
        value: expression(option, 2),
      };
    }));
  return { options: shape.options, modules };
}
