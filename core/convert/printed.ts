import { group, indent, line, type Layout } from "./layout.ts";

/** How strongly an expression of TypeScript holds together: what is weaker than its place gets parentheses. */
export const Strength = { arrow: 1, conditional: 2, nullish: 3, or: 4, and: 5, equality: 9, relation: 10, sum: 12, product: 13, unary: 15, postfix: 18, primary: 20 } as const;

/** An expression of TypeScript. */
export type Printed = {
  readonly layout: Layout;
  readonly strength: number;
  /** Begins with a brace, so that an arrow needs parentheses around it. */
  readonly isObject?: boolean;
};

export function primary(layout: Layout): Printed {
  return { layout, strength: Strength.primary };
}

/** For a place that needs at least `strength`. */
export function at(strength: number, printed: Printed): Layout {
  return printed.strength < strength ? ["(", printed.layout, ")"] : printed.layout;
}

export function conditional(condition: Printed, then: Printed, otherwise: Printed): Printed {
  return { layout: group([at(Strength.nullish, condition), indent([line, "? ", at(Strength.conditional, then), line, ": ", at(Strength.conditional, otherwise)])]), strength: Strength.conditional };
}
