import { toByteString } from "../util/bytes.ts";
import { GRAMMAR, GRAMMAR_PRECEDENCE, GRAMMAR_TOKENS } from "./grammar.ts";
import { buildLalr, REFUSED } from "./lalr.ts";
import type { Tokens } from "./lexer.ts";
import { Token, tokenName } from "./token.ts";

/** A message of a syntax error names what could have stood there when that is at most so much. */
const MOST_EXPECTED = 4;

/**
 * Where a text that does not parse stops being one, and what is said of it: the tokens are read once more as the
 * reference's parser does. Undefined when the grammar takes them all, or up to a mistake of the lexer.
 */
export function findSyntaxError(tokens: Tokens): { readonly token: number; readonly message: string } | undefined {
  const { rules, states } = buildLalr({ rules: GRAMMAR, tokens: GRAMMAR_TOKENS.map(([name]) => name), precedence: GRAMMAR_PRECEDENCE });
  const symbols = new Map(GRAMMAR_TOKENS.map(([, token], index) => [token, index]));
  const stack = [0];
  for (let index = 0; index < tokens.count; ) {
    const kind = tokens.kinds[index]!;
    const state = states[stack.at(-1)!]!;
    const symbol = symbols.get(kind);
    let action = symbol === undefined ? undefined : state.actions.get(symbol);
    if (action === undefined && state.fallback !== undefined) action = -state.fallback - 1;
    if (action === undefined || action === REFUSED) {
      if (kind === Token.error) return undefined;
      const expected = GRAMMAR_TOKENS.filter((_, other) => {
        const possible = state.actions.get(other);
        return possible !== undefined && possible !== REFUSED;
      });
      const list = expected.length === 0 || expected.length > MOST_EXPECTED ? "" : `, expecting ${expected.map(([, token]) => tokenName(token)).join(" or ")}`;
      return { token: index, message: toByteString(`syntax error, unexpected ${tokenName(kind)}${list}`) };
    }
    if (action >= 0) {
      if (kind === Token.end) return undefined;
      stack.push(action);
      index++;
      continue;
    }
    const { head, body } = rules[-action - 1]!;
    stack.length -= body.length;
    stack.push(states[stack.at(-1)!]!.goto.get(head)!);
  }
  return undefined;
}
