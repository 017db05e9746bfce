/** The grammar of expressions: recursive descent with precedence climbing. */
import type { ByteString } from "../util/bytes.ts";
import { AttributeParser } from "./attribute-parser.ts";
import { BINARY_OPERATORS, makeOperation, NEGATE_STRENGTH, NOT_STRENGTH } from "./binary-operators.ts";
import { tokenize } from "./lexer.ts";
import { stringOf, type Part } from "./literal-parser.ts";
import { createSource, positionAt, type NixSource } from "./source.ts";
import type { Expression, Formal, Lambda } from "./syntax.ts";
import { Token } from "./token.ts";
import type { ParseOptions } from "./token-reader.ts";

/** `symbols`: all names, in the order in which the reference meets them, on which the order of evaluation depends. */
export type ParsedNix = { readonly source: NixSource; readonly expression: Expression; readonly symbols: Iterable<ByteString> };

/**
 * Parses a whole text.
 *
 * @throws NixError of kind `parse`.
 */
export function parseNix(text: ByteString, file: ByteString, options: ParseOptions): ParsedNix {
  const source = createSource(file, text);
  const parser = new Parser(source, tokenize(text, options.settings?.pipeOperators ?? false), options);
  const expression = parser.parse();
  return { source, expression, symbols: parser.symbols };
}

class Parser extends AttributeParser {
  /** The call of `f or` that was read last, and where it ends. */
  protected cursedOr: { readonly call: Expression; readonly end: number } | undefined;

  /** Where each parenthesis is closed, once there were many in a row. */
  protected closings: Int32Array | undefined;

  parse(): Expression {
    const expression = this.expression();
    if (this.kinds[this.at] !== Token.end) throw this.unexpected();
    return expression;
  }

  protected expression(): Expression {
    const start = this.at;
    const pos = this.starts[start]!;
    switch (this.kinds[start]) {
      case Token.identifier: {
        const next = this.kinds[start + 1];
        if (next === 58) {
          this.at += 2;
          const body = this.expression();
          return { kind: "lambda", pos, argument: this.symbol(this.slice(start)), formals: undefined, body, name: undefined };
        }
        if (next === 64) {
          this.at += 2;
          if (this.kinds[this.at] !== 123) throw this.unexpected();
          const formals = this.formals();
          this.expect(58);
          return this.lambda(pos, this.slice(start), formals);
        }
        break;
      }
      case 123:
        if (startsFormals(this.kinds, this.at)) {
          const formals = this.formals();
          let argument: ByteString | undefined;
          if (this.kinds[this.at] === 64) {
            this.at++;
            argument = this.slice(this.at);
            this.expect(Token.identifier);
            this.expect(58);
          } else this.expect(58);
          return this.lambda(pos, argument, formals);
        }
        break;
      case Token.assert: {
        this.at++;
        const condition = this.expression();
        this.expect(59);
        return { kind: "assert", pos, condition, body: this.expression() };
      }
      case Token.with: {
        this.at++;
        const attributes = this.expression();
        this.expect(59);
        return { kind: "with", pos, attributes, body: this.expression() };
      }
      case Token.let: {
        if (this.kinds[start + 1] === 123) break;
        this.at++;
        const attributes = this.bindings(pos, Token.in);
        this.expect(Token.in);
        const body = this.expression();
        if (attributes.dynamic.length > 0) throw this.fail("dynamic attributes not allowed in let", pos);
        return { kind: "let", attributes, body };
      }
      case Token.if: {
        this.at++;
        const condition = this.expression();
        this.expect(Token.then);
        const then = this.expression();
        this.expect(Token.else);
        return { kind: "if", pos, condition, then, else: this.expression() };
      }
      default:
    }
    const first = this.operation(0);
    const kind = this.kinds[this.at];
    if (kind === Token.pipeInto) {
      let result = first;
      while (this.kinds[this.at] === Token.pipeInto) {
        const pipe = this.starts[this.at++]!;
        result = makeCall(pipe, this.operation(0), result);
      }
      return result;
    }
    return kind === Token.pipeFrom ? this.pipeFrom(first) : first;
  }

  protected pipeFrom(first: Expression): Expression {
    if (this.kinds[this.at] !== Token.pipeFrom) return first;
    const pipe = this.starts[this.at++]!;
    return makeCall(pipe, first, this.pipeFrom(this.operation(0)));
  }

  protected lambda(pos: number, argument: ByteString | undefined, formals: NonNullable<Lambda["formals"]>): Lambda {
    const body = this.expression();
    if (argument !== undefined) this.symbol(argument);
    const places = new Map<ByteString, number[]>();
    for (const formal of formals.list) {
      const before = places.get(formal.name);
      if (before === undefined) places.set(formal.name, [formal.pos]);
      else before.push(formal.pos);
    }
    // Of several, the one that was met first is told, at its second place.
    for (const name of places.size === formals.list.length ? [] : this.symbols) {
      const second = places.get(name)?.[1];
      if (second !== undefined) throw this.fail(`duplicate formal function argument '${name}'`, second);
    }
    if (argument !== undefined && places.has(argument)) throw this.fail(`duplicate formal function argument '${argument}'`, pos);
    return { kind: "lambda", pos, argument, formals, body, name: undefined };
  }

  protected formals(): NonNullable<Lambda["formals"]> {
    this.at++;
    const list: Formal[] = [];
    let ellipsis = false;
    for (;;) {
      const kind = this.kinds[this.at];
      if (kind === 125) break;
      if (kind === Token.ellipsis) {
        ellipsis = true;
        this.at++;
        if (this.kinds[this.at] !== 125) throw this.unexpected();
        break;
      }
      const index = this.at;
      if (kind !== Token.identifier) throw this.unexpected();
      this.at++;
      let fallback: Expression | undefined;
      if (this.kinds[this.at] === 63) {
        this.at++;
        fallback = this.expression();
      }
      list.push({ name: this.symbol(this.slice(index)), pos: this.starts[index]!, default: fallback });
      if (this.kinds[this.at] === 44) this.at++;
      else if (this.kinds[this.at] !== 125) throw this.unexpected();
    }
    this.at++;
    return { list, ellipsis };
  }

  protected operation(minimum: number): Expression {
    const leftPos = this.starts[this.at]!;
    let left: Expression;
    const first = this.kinds[this.at];
    if (first === 33) {
      this.at++;
      left = { kind: "not", of: this.operation(NOT_STRENGTH + 1) };
    } else if (first === 45) {
      this.at++;
      left = { kind: "call", pos: leftPos, function: { kind: "var", pos: -1, name: "__sub" }, arguments: [{ kind: "int", value: 0 }, this.operation(NEGATE_STRENGTH + 1)] };
    } else left = this.application();
    let refused = -1;
    for (;;) {
      const kind = this.kinds[this.at]!;
      const operator = BINARY_OPERATORS.get(kind);
      if (operator === undefined) return left;
      const [strength, grouping] = operator;
      if (strength < minimum) return left;
      // `a == b == c`
      if (strength === refused) throw this.unexpected();
      const pos = this.starts[this.at]!;
      this.at++;
      if (kind === 63) {
        left = { kind: "has", of: left, path: this.attributePath() };
        continue;
      }
      const rightPos = this.starts[this.at]!;
      const right = this.operation(grouping === 1 ? strength : strength + 1);
      left = makeOperation(kind, pos, left, right, leftPos, rightPos);
      refused = grouping === 0 ? strength : -1;
    }
  }

  protected application(): Expression {
    const pos = this.starts[this.at]!;
    let result = this.select();
    this.cursedOr = undefined;
    while (startsSimple(this.kinds, this.at)) result = makeCall(pos, result, this.operand());
    return result;
  }

  /** What stands where `f or` will mean something else one day. */
  protected operand(): Expression {
    const expression = this.select();
    const cursed = this.cursedOr;
    if (cursed?.call === expression && expression.kind === "call") {
      const { file, line, column } = positionAt(this.source, expression.pos);
      const text = this.text.slice(expression.pos, cursed.end).replace(/\r\n?/g, "\n");
      this.options.warn?.(
        `warning: at ${file}:${line}:${column}: This expression uses \`or\` as an identifier in a way that will change in a future Nix release.
Wrap this entire expression in parentheses to preserve its current meaning:
    (${text})
Give feedback at https://github.com/NixOS/nix/pull/11121`,
      );
    }
    return expression;
  }

  protected select(): Expression {
    const pos = this.starts[this.at]!;
    const of = this.simple();
    const next = this.kinds[this.at];
    if (next === 46) {
      this.at++;
      const path = this.attributePath();
      let fallback: Expression | undefined;
      if (this.kinds[this.at] === Token.or) {
        this.at++;
        fallback = this.operand();
      }
      return { kind: "select", pos, of, path, default: fallback };
    }
    if (next === Token.or) {
      const index = this.at++;
      const call: Expression = { kind: "call", pos, function: of, arguments: [{ kind: "var", pos, name: "or" }] };
      this.cursedOr = { call, end: this.tokens.ends[index]! };
      return call;
    }
    return of;
  }

  /**
   * How many of the parentheses after this one end just before it does, and so change nothing: the machine's stack is not
   * needed for a million of them.
   */
  protected countDoubled(open: number): number {
    const { kinds } = this;
    for (let i = 1; i <= MANY; i++) if (kinds[open + i] !== 40) return 0;
    this.closings ??= matchParentheses(kinds);
    let doubled = 0;
    for (let close = this.closings[open]!; close > 0 && kinds[open + doubled + 1] === 40 && this.closings[open + doubled + 1] === close - 1; close--) doubled++;
    return doubled;
  }

  protected simple(): Expression {
    const index = this.at;
    const pos = this.starts[index]!;
    switch (this.kinds[index]) {
      case Token.identifier: {
        this.at++;
        const name = this.slice(index);
        return name === "__curPos" ? { kind: "current-position", pos } : { kind: "var", pos, name: this.symbol(name) };
      }
      case Token.integer: {
        this.at++;
        const value = Number(this.slice(index));
        return { kind: "int", value: Number.isSafeInteger(value) ? value : BigInt(this.slice(index)) };
      }
      case Token.float: {
        this.at++;
        const value = Number(this.slice(index));
        // strtod reports a range error for these.
        if (!Number.isFinite(value) || (value !== 0 && Math.abs(value) < 2.2250738585072014e-308) || (value === 0 && /[1-9]/.test(this.slice(index).replace(/[eE].*/, "")))) {
          throw this.fail(`invalid float '${this.slice(index)}'`, pos);
        }
        return { kind: "float", value };
      }
      case 34: {
        this.at++;
        const parts = this.stringParts();
        this.expect(34);
        return stringOf(parts[0]?.pos ?? pos, parts);
      }
      case Token.indentedOpen:
        this.at++;
        return this.indentedString(pos);
      case Token.path:
      case Token.homePath: {
        this.at++;
        const literal = this.slice(index);
        const value = this.pathLiteral(literal, this.kinds[index] === Token.homePath, pos);
        const start: Expression = { kind: "path", value };
        if (this.kinds[this.at] === Token.pathEnd) {
          this.at++;
          return start;
        }
        const rest = this.stringParts();
        // Text may follow an interpolation, and stand before the first one, but once.
        if (rest.length === 0 || (rest[0]!.literal === true && (rest.length === 1 || rest[1]!.literal === true))) throw this.unexpected();
        const parts: Part[] = [{ pos, value: start }, ...rest];
        this.expect(Token.pathEnd);
        return { kind: "concat", pos, forceString: false, parts };
      }
      case Token.searchPath:
        this.at++;
        return {
          kind: "call",
          pos,
          function: { kind: "var", pos: -1, name: "__findFile" },
          arguments: [
            { kind: "var", pos: -1, name: "__nixPath" },
            { kind: "string", value: this.slice(index).slice(1, -1) },
          ],
        };
      case Token.uri: {
        this.at++;
        const value = this.slice(index);
        this.lint("lint-url-literals", this.options.settings?.lintUrlLiterals, (fatal) => `URL literals are ${fatal ? "disallowed" : "discouraged"}. Consider using a string literal "${value}" instead`, pos);
        return { kind: "string", value };
      }
      case 40: {
        const doubled = this.countDoubled(index);
        this.at += doubled + 1;
        const expression = this.expression();
        for (let closed = 0; closed <= doubled; closed++) this.expect(41);
        return expression;
      }
      case Token.let:
        if (this.kinds[index + 1] === 123) {
          this.at += 2;
          const of = this.bindings(pos, 125);
          this.expect(125);
          of.recursive = true;
          return { kind: "select", pos: -1, of, path: [{ kind: "static", name: "body" }], default: undefined };
        }
        throw this.unexpected();
      case Token.rec: {
        this.at++;
        this.expect(123);
        const set = this.bindings(pos, 125);
        this.expect(125);
        set.recursive = true;
        return set;
      }
      case 123: {
        this.at++;
        const set = this.bindings(pos, 125);
        this.expect(125);
        return set;
      }
      case 91: {
        this.at++;
        const elements: Expression[] = [];
        while (this.kinds[this.at] !== 93) {
          if (!startsSimple(this.kinds, this.at)) throw this.unexpected();
          elements.push(this.operand());
        }
        this.at++;
        return { kind: "list", elements };
      }
      default:
        throw this.unexpected();
    }
  }
}

/** So many parentheses in a row are no habit of people. */
const MANY = 64;

/** The token that closes each parenthesis; 0 for those that none closes, and for other tokens. */
function matchParentheses(kinds: Uint16Array): Int32Array {
  const closings = new Int32Array(kinds.length);
  const open: number[] = [];
  for (let at = 0; at < kinds.length; at++) {
    if (kinds[at] === 40) open.push(at);
    else if (kinds[at] === 41 && open.length > 0) closings[open.pop()!] = at;
  }
  return closings;
}

/** Calls of calls are one call with more arguments, however they were written. */
function makeCall(pos: number, callee: Expression, argument: Expression): Expression {
  if (callee.kind !== "call") return { kind: "call", pos, function: callee, arguments: [argument] };
  callee.arguments.push(argument);
  return callee;
}

/** Whether the brace at a token opens the arguments of a function. */
export function startsFormals(kinds: Uint16Array, at: number): boolean {
  const next = kinds[at + 1];
  const after = kinds[at + 2];
  if (next === Token.ellipsis) return true;
  if (next === 125) return after === 58 || after === 64;
  return next === Token.identifier && (after === 44 || after === 63 || after === 125);
}

/** Whether what an argument can begin with stands here. */
export function startsSimple(kinds: Uint16Array, at: number): boolean {
  switch (kinds[at]) {
    case Token.identifier: case Token.integer: case Token.float: case Token.path: case Token.homePath: case Token.searchPath: case Token.uri:
    case Token.indentedOpen: case Token.rec: case 34: case 40: case 91: case 123:
      return true;
    case Token.let:
      return kinds[at + 1] === 123;
    default:
      return false;
  }
}
