import type { BinaryOperator, Expression } from "./syntax.ts";
import { Token } from "./token.ts";

/** How strongly a binary operator binds, whether it groups to the left (-1), to the right (1) or not at all (0). */
export const BINARY_OPERATORS: ReadonlyMap<number, readonly [strength: number, grouping: number]> = new Map([
  [Token.implies, [1, 1]], [Token.orOr, [2, -1]], [Token.and, [3, -1]], [Token.equal, [4, 0]], [Token.notEqual, [4, 0]],
  [60, [5, 0]], [62, [5, 0]], [Token.lessEqual, [5, 0]], [Token.greaterEqual, [5, 0]], [Token.update, [6, 1]],
  [43, [8, -1]], [45, [8, -1]], [42, [9, -1]], [47, [9, -1]], [Token.concat, [10, 1]], [63, [11, -1]],
]);
export const NOT_STRENGTH = 7;
export const NEGATE_STRENGTH = 12;

/** The operation of a token; most numbers, and comparisons, are calls. */
export function makeOperation(token: number, pos: number, left: Expression, right: Expression, leftPos: number, rightPos: number): Expression {
  const call = (name: string, first: Expression, second: Expression): Expression => ({ kind: "call", pos, function: { kind: "var", pos: -1, name }, arguments: [first, second] });
  // Equality has no place of its own in messages.
  const binary = (operator: BinaryOperator): Expression => ({ kind: "binary", pos: token === Token.equal || token === Token.notEqual ? -1 : pos, operator, left, right });
  switch (token) {
    case Token.implies: return binary("->");
    case Token.orOr: return binary("||");
    case Token.and: return binary("&&");
    case Token.equal: return binary("==");
    case Token.notEqual: return binary("!=");
    case Token.update: return binary("//");
    case Token.concat: return binary("++");
    case 60: return call("__lessThan", left, right);
    case 62: return call("__lessThan", right, left);
    case Token.lessEqual: return { kind: "not", of: call("__lessThan", right, left) };
    case Token.greaterEqual: return { kind: "not", of: call("__lessThan", left, right) };
    case 45: return call("__sub", left, right);
    case 42: return call("__mul", left, right);
    case 47: return call("__div", left, right);
    default: return { kind: "concat", pos, forceString: false, parts: [{ pos: leftPos, value: left }, { pos: rightPos, value: right }] };
  }
}
