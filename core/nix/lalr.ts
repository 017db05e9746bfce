/**
 * An LALR(1) automaton with the default reductions and the resolution of conflicts of the generator that the reference
 * uses, so that a message can name what its parser would have taken. Made only when there is a mistake to tell.
 */
export type LalrGrammar = {
  /** `name = symbols | symbols` a line; what is no rule's name is a token. The first rule is the start. */
  readonly rules: string;
  /** All tokens in their order, the end of the text first. */
  readonly tokens: readonly string[];
  readonly precedence: readonly (readonly [grouping: "left" | "right" | "none", ...operators: string[]])[];
};

/** What a state does at a token: a shift to a state (≥ 0), a reduction by rule -n - 1, or a refusal. */
export const REFUSED = "refused";
type Action = number | typeof REFUSED;
type State = { readonly actions: ReadonlyMap<number, Action>; readonly fallback: number | undefined; readonly goto: ReadonlyMap<number, number> };
type Rule = { readonly head: number; readonly body: readonly number[]; readonly strength: number };

export type Lalr = { readonly states: readonly State[]; readonly rules: readonly Rule[] };

/** Symbols are numbers: tokens first, in their order. Rule 0 is the start followed by the end of the text. */
export function buildLalr(grammar: LalrGrammar): Lalr {
  const symbols = new Map(grammar.tokens.map((name, index) => [name, index]));
  const tokenCount = symbols.size;
  const strengths = new Map<string, number>(grammar.precedence.flatMap(([, ...operators], index) => operators.map((operator): [string, number] => [operator, index + 1])));
  const lines = grammar.rules.trim().split("\n").map((line) => line.split(/ = (.*)/) as [string, string]);
  for (const [head] of lines) if (!symbols.has(head)) symbols.set(head, symbols.size);
  const rules: Rule[] = [{ head: -1, body: [symbols.get(lines[0]![0])!, 0], strength: 0 }];
  for (const [head, bodies] of lines) {
    for (const alternative of splitAlternatives(bodies)) {
      const words = alternative.filter((word) => !/^%./.test(word));
      const named = alternative.find((word) => /^%./.test(word))?.slice(1) ?? words.findLast((word) => symbols.get(word)! < tokenCount);
      rules.push({ head: symbols.get(head)!, body: words.map((word) => symbols.get(word)!), strength: named === undefined ? 0 : (strengths.get(named) ?? 0) });
    }
  }
  return new Builder(rules, tokenCount, symbols.size, (token) => {
    const strength = strengths.get(grammar.tokens[token]!) ?? 0;
    return { strength, grouping: strength === 0 ? "none" : grammar.precedence[strength - 1]![0] };
  }).build();
}

/** A bar stands alone; one at the end leaves an empty alternative. */
function splitAlternatives(text: string): readonly string[][] {
  const alternatives: string[][] = [[]];
  for (const word of text.split(" ")) {
    if (word === "|") alternatives.push([]);
    else if (word !== "") alternatives.at(-1)!.push(word);
  }
  return alternatives;
}

/** An item is `rule * WIDTH + dot`. */
const WIDTH = 16;

/** A set of tokens as the bits of a number. */
type Tokens = bigint;
const bit = (token: number): Tokens => 1n << BigInt(token);

class Builder {
  readonly #rules: readonly Rule[];
  readonly #tokenCount: number;
  readonly #byHead: readonly number[][];
  readonly #precedence: (token: number) => { readonly strength: number; readonly grouping: "left" | "right" | "none" };
  readonly #first: Tokens[];
  readonly #nullable: boolean[];

  constructor(rules: readonly Rule[], tokenCount: number, symbolCount: number, precedence: (token: number) => { strength: number; grouping: "left" | "right" | "none" }) {
    this.#rules = rules;
    this.#tokenCount = tokenCount;
    this.#precedence = precedence;
    this.#byHead = Array.from({ length: symbolCount }, (_, symbol) => rules.flatMap((rule, index) => (rule.head === symbol ? [index] : [])));
    this.#first = Array.from({ length: symbolCount }, (_, symbol) => (symbol < tokenCount ? bit(symbol) : 0n));
    this.#nullable = new Array<boolean>(symbolCount).fill(false);
    for (let changed = true; changed; ) {
      changed = false;
      for (const { head, body } of rules.slice(1)) {
        const { tokens, isEmpty } = this.#firstOf(body, 0);
        if ((tokens | this.#first[head]!) === this.#first[head] && (!isEmpty || this.#nullable[head])) continue;
        this.#first[head] = tokens | this.#first[head]!;
        if (isEmpty) this.#nullable[head] = true;
        changed = true;
      }
    }
  }

  /** What a row of symbols can start with, and whether it can be empty. */
  #firstOf(body: readonly number[], from: number): { readonly tokens: Tokens; readonly isEmpty: boolean } {
    let tokens = 0n;
    for (let i = from; i < body.length; i++) {
      tokens |= this.#first[body[i]!]!;
      if (!this.#nullable[body[i]!]) return { tokens, isEmpty: false };
    }
    return { tokens, isEmpty: true };
  }

  build(): Lalr {
    const kernels: number[][] = [[0]];
    const known = new Map([["0", 0]]);
    const gotos: Map<number, number>[] = [];
    for (let s = 0; s < kernels.length; s++) {
      const next = new Map<number, number[]>();
      for (const item of this.#closure(kernels[s]!)) {
        const symbol = this.#rules[Math.floor(item / WIDTH)]!.body[item % WIDTH];
        if (symbol === undefined) continue;
        const list = next.get(symbol);
        if (list === undefined) next.set(symbol, [item + 1]);
        else list.push(item + 1);
      }
      const goto = new Map<number, number>();
      for (const [symbol, items] of next) {
        const key = items.sort((a, b) => a - b).join();
        let target = known.get(key);
        if (target === undefined) {
          target = kernels.push(items) - 1;
          known.set(key, target);
        }
        goto.set(symbol, target);
      }
      gotos.push(goto);
    }
    const lookaheads = this.#lookaheads(kernels, gotos);
    return { rules: this.#rules, states: kernels.map((_, s) => this.#state(gotos[s]!, lookaheads[s]!)) };
  }

  #closure(kernel: readonly number[]): readonly number[] {
    const items = new Set(kernel);
    for (const item of items) {
      const symbol = this.#rules[Math.floor(item / WIDTH)]!.body[item % WIDTH];
      if (symbol !== undefined && symbol >= this.#tokenCount) for (const rule of this.#byHead[symbol]!) items.add(rule * WIDTH);
    }
    return [...items];
  }

  /** For each state and kernel item, what may follow it: found by passing lookaheads along until nothing changes. */
  #lookaheads(kernels: readonly number[][], gotos: readonly ReadonlyMap<number, number>[]): readonly ReadonlyMap<number, Tokens>[] {
    const all = kernels.map((kernel) => new Map(kernel.map((item) => [item, 0n])));
    all[0]!.set(0, bit(0));
    const work = [...all.keys()];
    const waiting = new Set(work);
    for (let s = work.shift(); s !== undefined; s = work.shift()) {
      waiting.delete(s);
      for (const [item, follow] of this.#spread(all[s]!)) {
        const symbol = this.#rules[Math.floor(item / WIDTH)]!.body[item % WIDTH];
        if (symbol === undefined) continue;
        const target = gotos[s]!.get(symbol)!;
        const before = all[target]!.get(item + 1)!;
        if ((before | follow) === before) continue;
        all[target]!.set(item + 1, before | follow);
        if (waiting.has(target)) continue;
        waiting.add(target);
        work.push(target);
      }
    }
    return all;
  }

  /** All items of a state with what may follow them. */
  #spread(kernel: ReadonlyMap<number, Tokens>): ReadonlyMap<number, Tokens> {
    const items = new Map(kernel);
    const work = [...items.keys()];
    for (let item = work.pop(); item !== undefined; item = work.pop()) {
      const { body } = this.#rules[Math.floor(item / WIDTH)]!;
      const symbol = body[item % WIDTH];
      if (symbol === undefined || symbol < this.#tokenCount) continue;
      const { tokens, isEmpty } = this.#firstOf(body, (item % WIDTH) + 1);
      const follow = isEmpty ? tokens | items.get(item)! : tokens;
      for (const rule of this.#byHead[symbol]!) {
        const before = items.get(rule * WIDTH);
        if (before !== undefined && (before | follow) === before) continue;
        items.set(rule * WIDTH, (before ?? 0n) | follow);
        work.push(rule * WIDTH);
      }
    }
    return items;
  }

  #state(goto: ReadonlyMap<number, number>, lookaheads: ReadonlyMap<number, Tokens>): State {
    const actions = new Map<number, Action>();
    for (const [symbol, target] of goto) if (symbol < this.#tokenCount) actions.set(symbol, target);
    const reductions: (readonly [rule: number, tokens: Set<number>])[] = [];
    for (const [item, follow] of this.#spread(lookaheads)) {
      const rule = Math.floor(item / WIDTH);
      if (item % WIDTH === this.#rules[rule]!.body.length) reductions.push([rule, new Set(Array.from({ length: this.#tokenCount }, (_, token) => token).filter((token) => (follow & bit(token)) !== 0n))]);
    }
    reductions.sort((a, b) => a[0] - b[0]);
    for (const [rule, tokens] of reductions) {
      for (const token of [...tokens]) {
        if (!actions.has(token)) continue;
        // A shift stands against this reduction: the stronger operator decides, then its grouping.
        const { strength, grouping } = this.#precedence(token);
        const own = this.#rules[rule]!.strength;
        if (own === 0 || strength === 0 || own < strength || (own === strength && grouping === "right")) tokens.delete(token);
        else if (own > strength || grouping === "left") actions.delete(token);
        else {
          tokens.delete(token);
          actions.set(token, REFUSED);
        }
      }
    }
    // The reduction for most tokens is done whatever follows, and its tokens are not looked at.
    let most = 0;
    let fallback: number | undefined;
    for (const [rule, tokens] of reductions) {
      const isAlone = reductions.length === 1 && actions.size === 0;
      const count = isAlone ? Infinity : [...tokens].filter((token) => !actions.has(token)).length;
      if (count > most) {
        most = count;
        fallback = rule;
      }
    }
    for (const [rule, tokens] of reductions) {
      if (rule === fallback) continue;
      for (const token of tokens) if (!actions.has(token)) actions.set(token, -rule - 1);
    }
    return { actions, fallback, goto };
  }
}
