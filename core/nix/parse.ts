/**
 * The parser: recursive descent with precedence climbing. It is long because the grammar is one thing: each rule calls
 * the others, and the merging of nested attribute paths with its errors belongs to the rule that reads them.
 */
import { toByteString, type ByteString } from "../util/bytes.ts";
import { canonicalPath } from "./canonical-path.ts";
import { formatAttributePath } from "./format-syntax.ts";
import { tokenize, type Tokens } from "./lexer.ts";
import { formatNixErrorBytes, NixError } from "./nix-error.ts";
import type { LintLevel, NixSettings } from "./nix-settings.ts";
import { createSource, positionAt, type NixSource } from "./source.ts";
import type { AttributeDefinition, AttributeName, AttributeSet, BinaryOperator, Expression, Formal, Lambda } from "./syntax.ts";
import { findSyntaxError } from "./syntax-error.ts";
import { Token } from "./token.ts";

export type ParseOptions = {
  /** What relative path literals start from. */
  readonly basePath: ByteString;
  /** What `~` stands for; undefined where evaluation may not know it. */
  readonly home?: ByteString | undefined;
  readonly settings?: NixSettings | undefined;
  /** Takes each warning, as the reference prints it. */
  readonly warn?: ((warning: string) => void) | undefined;
};

/** A piece of an indented string: text as it stands, text that was an escape, or an expression. */
export type IndentedPart<E> =
  | { readonly kind: "text"; readonly pos: number; readonly text: ByteString; readonly indentation: boolean }
  | { readonly kind: "expression"; readonly pos: number; readonly value: E };

/** `literal`: text that stood there, and not an interpolation. */
type Part = { readonly pos: number; readonly value: Expression; readonly literal?: boolean };

/** How strongly a binary operator binds, whether it groups to the left (-1), to the right (1) or not at all (0). */
export const BINARY_OPERATORS: ReadonlyMap<number, readonly [strength: number, grouping: number]> = new Map([
  [Token.implies, [1, 1]], [Token.orOr, [2, -1]], [Token.and, [3, -1]], [Token.equal, [4, 0]], [Token.notEqual, [4, 0]],
  [60, [5, 0]], [62, [5, 0]], [Token.lessEqual, [5, 0]], [Token.greaterEqual, [5, 0]], [Token.update, [6, 1]],
  [43, [8, -1]], [45, [8, -1]], [42, [9, -1]], [47, [9, -1]], [Token.concat, [10, 1]], [63, [11, -1]],
]);
export const NOT_STRENGTH = 7;
export const NEGATE_STRENGTH = 12;

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

class Parser {
  readonly #source: NixSource;
  readonly #text: ByteString;
  readonly #tokens: Tokens;
  readonly #options: ParseOptions;
  #kinds: Uint16Array;
  #starts: Int32Array;
  #at = 0;
  readonly symbols = new Set<ByteString>();
  /** The call of `f or` that was read last, and where it ends. */
  #cursedOr: { readonly call: Expression; readonly end: number } | undefined;

  constructor(source: NixSource, tokens: Tokens, options: ParseOptions) {
    this.#source = source;
    this.#text = source.text;
    this.#tokens = tokens;
    this.#kinds = tokens.kinds;
    this.#starts = tokens.starts;
    this.#options = options;
  }

  parse(): Expression {
    const expression = this.#expression();
    if (this.#kinds[this.#at] !== Token.end) throw this.#unexpected();
    return expression;
  }

  #fail(message: string, pos: number): NixError {
    return new NixError("parse", message, positionAt(this.#source, pos));
  }

  /** Refuses a discouraged construct or warns of it, as the setting says. */
  #lint(setting: string, level: LintLevel | undefined, message: (fatal: boolean) => string, pos: number): void {
    if (level === undefined || level === "ignore") return;
    const error = this.#fail(`${message(level === "fatal")} (${setting})`, pos);
    if (level === "fatal") throw error;
    this.#options.warn?.(formatNixErrorBytes(error, { showTrace: false, prefix: "warning" }));
  }

  /** The mistake at the present token: of the lexer, or of the grammar, as the reference's parser finds it. */
  #unexpected(): NixError {
    const tokens = this.#tokens;
    const found = this.#kinds[this.#at] === Token.error ? undefined : findSyntaxError(tokens);
    if (found !== undefined) return this.#fail(found.message, this.#starts[found.token]!);
    if (tokens.error === undefined) throw new TypeError(`the grammar has no mistake at token ${this.#at}`);
    return this.#fail(tokens.error.message, tokens.error.pos);
  }

  #expect(kind: number): void {
    if (this.#kinds[this.#at] !== kind) throw this.#unexpected();
    this.#at++;
  }

  #slice(index: number): ByteString {
    return this.#text.slice(this.#starts[index], this.#tokens.ends[index]);
  }

  #symbol(name: ByteString): ByteString {
    this.symbols.add(name);
    return name;
  }

  #expression(): Expression {
    const start = this.#at;
    const pos = this.#starts[start]!;
    switch (this.#kinds[start]) {
      case Token.identifier: {
        const next = this.#kinds[start + 1];
        if (next === 58) {
          this.#at += 2;
          const body = this.#expression();
          return { kind: "lambda", pos, argument: this.#symbol(this.#slice(start)), formals: undefined, body, name: undefined };
        }
        if (next === 64) {
          this.#at += 2;
          if (this.#kinds[this.#at] !== 123) throw this.#unexpected();
          const formals = this.#formals();
          this.#expect(58);
          return this.#lambda(pos, this.#slice(start), formals);
        }
        break;
      }
      case 123:
        if (this.#isFormals()) {
          const formals = this.#formals();
          let argument: ByteString | undefined;
          if (this.#kinds[this.#at] === 64) {
            this.#at++;
            argument = this.#slice(this.#at);
            this.#expect(Token.identifier);
            this.#expect(58);
          } else this.#expect(58);
          return this.#lambda(pos, argument, formals);
        }
        break;
      case Token.assert: {
        this.#at++;
        const condition = this.#expression();
        this.#expect(59);
        return { kind: "assert", pos, condition, body: this.#expression() };
      }
      case Token.with: {
        this.#at++;
        const attributes = this.#expression();
        this.#expect(59);
        return { kind: "with", pos, attributes, body: this.#expression() };
      }
      case Token.let: {
        if (this.#kinds[start + 1] === 123) break;
        this.#at++;
        const attributes = this.#bindings(pos, Token.in);
        this.#expect(Token.in);
        const body = this.#expression();
        if (attributes.dynamic.length > 0) throw this.#fail("dynamic attributes not allowed in let", pos);
        return { kind: "let", attributes, body };
      }
      case Token.if: {
        this.#at++;
        const condition = this.#expression();
        this.#expect(Token.then);
        const then = this.#expression();
        this.#expect(Token.else);
        return { kind: "if", pos, condition, then, else: this.#expression() };
      }
      default:
    }
    const first = this.#operation(0);
    const kind = this.#kinds[this.#at];
    if (kind === Token.pipeInto) {
      let result = first;
      while (this.#kinds[this.#at] === Token.pipeInto) {
        const pipe = this.#starts[this.#at++]!;
        result = makeCall(pipe, this.#operation(0), result);
      }
      return result;
    }
    return kind === Token.pipeFrom ? this.#pipeFrom(first) : first;
  }

  #pipeFrom(first: Expression): Expression {
    if (this.#kinds[this.#at] !== Token.pipeFrom) return first;
    const pipe = this.#starts[this.#at++]!;
    return makeCall(pipe, first, this.#pipeFrom(this.#operation(0)));
  }

  #lambda(pos: number, argument: ByteString | undefined, formals: NonNullable<Lambda["formals"]>): Lambda {
    const body = this.#expression();
    if (argument !== undefined) this.#symbol(argument);
    const places = new Map<ByteString, number[]>();
    for (const formal of formals.list) {
      const before = places.get(formal.name);
      if (before === undefined) places.set(formal.name, [formal.pos]);
      else before.push(formal.pos);
    }
    // Of several, the one that was met first is told, at its second place.
    for (const name of places.size === formals.list.length ? [] : this.symbols) {
      const second = places.get(name)?.[1];
      if (second !== undefined) throw this.#fail(`duplicate formal function argument '${name}'`, second);
    }
    if (argument !== undefined && places.has(argument)) throw this.#fail(`duplicate formal function argument '${argument}'`, pos);
    return { kind: "lambda", pos, argument, formals, body, name: undefined };
  }

  /** Whether the brace here opens the arguments of a function. */
  #isFormals(): boolean {
    const next = this.#kinds[this.#at + 1];
    const after = this.#kinds[this.#at + 2];
    if (next === Token.ellipsis) return true;
    if (next === 125) return after === 58 || after === 64;
    return next === Token.identifier && (after === 44 || after === 63 || after === 125);
  }

  #formals(): NonNullable<Lambda["formals"]> {
    this.#at++;
    const list: Formal[] = [];
    let ellipsis = false;
    for (;;) {
      const kind = this.#kinds[this.#at];
      if (kind === 125) break;
      if (kind === Token.ellipsis) {
        ellipsis = true;
        this.#at++;
        if (this.#kinds[this.#at] !== 125) throw this.#unexpected();
        break;
      }
      const index = this.#at;
      if (kind !== Token.identifier) throw this.#unexpected();
      this.#at++;
      let fallback: Expression | undefined;
      if (this.#kinds[this.#at] === 63) {
        this.#at++;
        fallback = this.#expression();
      }
      list.push({ name: this.#symbol(this.#slice(index)), pos: this.#starts[index]!, default: fallback });
      if (this.#kinds[this.#at] === 44) this.#at++;
      else if (this.#kinds[this.#at] !== 125) throw this.#unexpected();
    }
    this.#at++;
    return { list, ellipsis };
  }

  #operation(minimum: number): Expression {
    const leftPos = this.#starts[this.#at]!;
    let left: Expression;
    const first = this.#kinds[this.#at];
    if (first === 33) {
      this.#at++;
      left = { kind: "not", of: this.#operation(NOT_STRENGTH + 1) };
    } else if (first === 45) {
      this.#at++;
      left = { kind: "call", pos: leftPos, function: { kind: "var", pos: -1, name: "__sub" }, arguments: [{ kind: "int", value: 0 }, this.#operation(NEGATE_STRENGTH + 1)] };
    } else left = this.#application();
    let refused = -1;
    for (;;) {
      const kind = this.#kinds[this.#at]!;
      const operator = BINARY_OPERATORS.get(kind);
      if (operator === undefined) return left;
      const [strength, grouping] = operator;
      if (strength < minimum) return left;
      // `a == b == c`
      if (strength === refused) throw this.#unexpected();
      const pos = this.#starts[this.#at]!;
      this.#at++;
      if (kind === 63) {
        left = { kind: "has", of: left, path: this.#attributePath() };
        continue;
      }
      const rightPos = this.#starts[this.#at]!;
      const right = this.#operation(grouping === 1 ? strength : strength + 1);
      left = makeOperation(kind, pos, left, right, leftPos, rightPos);
      refused = grouping === 0 ? strength : -1;
    }
  }

  #application(): Expression {
    const pos = this.#starts[this.#at]!;
    let result = this.#select();
    this.#cursedOr = undefined;
    while (startsSimple(this.#kinds, this.#at)) result = makeCall(pos, result, this.#operand());
    return result;
  }

  /** What stands where `f or` will mean something else one day. */
  #operand(): Expression {
    const expression = this.#select();
    const cursed = this.#cursedOr;
    if (cursed?.call === expression && expression.kind === "call") {
      const { file, line, column } = positionAt(this.#source, expression.pos);
      const text = this.#text.slice(expression.pos, cursed.end).replace(/\r\n?/g, "\n");
      this.#options.warn?.(
        `warning: at ${file}:${line}:${column}: This expression uses \`or\` as an identifier in a way that will change in a future Nix release.
Wrap this entire expression in parentheses to preserve its current meaning:
    (${text})
Give feedback at https://github.com/NixOS/nix/pull/11121`,
      );
    }
    return expression;
  }

  #select(): Expression {
    const pos = this.#starts[this.#at]!;
    const of = this.#simple();
    const next = this.#kinds[this.#at];
    if (next === 46) {
      this.#at++;
      const path = this.#attributePath();
      let fallback: Expression | undefined;
      if (this.#kinds[this.#at] === Token.or) {
        this.#at++;
        fallback = this.#operand();
      }
      return { kind: "select", pos, of, path, default: fallback };
    }
    if (next === Token.or) {
      const index = this.#at++;
      const call: Expression = { kind: "call", pos, function: of, arguments: [{ kind: "var", pos, name: "or" }] };
      this.#cursedOr = { call, end: this.#tokens.ends[index]! };
      return call;
    }
    return of;
  }

  #simple(): Expression {
    const index = this.#at;
    const pos = this.#starts[index]!;
    switch (this.#kinds[index]) {
      case Token.identifier: {
        this.#at++;
        const name = this.#slice(index);
        return name === "__curPos" ? { kind: "current-position", pos } : { kind: "var", pos, name: this.#symbol(name) };
      }
      case Token.integer: {
        this.#at++;
        const value = Number(this.#slice(index));
        return { kind: "int", value: Number.isSafeInteger(value) ? value : BigInt(this.#slice(index)) };
      }
      case Token.float: {
        this.#at++;
        const value = Number(this.#slice(index));
        // strtod reports a range error for these.
        if (!Number.isFinite(value) || (value !== 0 && Math.abs(value) < 2.2250738585072014e-308) || (value === 0 && /[1-9]/.test(this.#slice(index).replace(/[eE].*/, "")))) {
          throw this.#fail(`invalid float '${this.#slice(index)}'`, pos);
        }
        return { kind: "float", value };
      }
      case 34: {
        this.#at++;
        const parts = this.#stringParts();
        this.#expect(34);
        return stringOf(parts[0]?.pos ?? pos, parts);
      }
      case Token.indentedOpen:
        this.#at++;
        return this.#indentedString(pos);
      case Token.path:
      case Token.homePath: {
        this.#at++;
        const literal = this.#slice(index);
        const value = this.#pathLiteral(literal, this.#kinds[index] === Token.homePath, pos);
        const start: Expression = { kind: "path", value };
        if (this.#kinds[this.#at] === Token.pathEnd) {
          this.#at++;
          return start;
        }
        const rest = this.#stringParts();
        // Text may follow an interpolation, and stand before the first one, but once.
        if (rest.length === 0 || (rest[0]!.literal === true && (rest.length === 1 || rest[1]!.literal === true))) throw this.#unexpected();
        const parts: Part[] = [{ pos, value: start }, ...rest];
        this.#expect(Token.pathEnd);
        return { kind: "concat", pos, forceString: false, parts };
      }
      case Token.searchPath:
        this.#at++;
        return {
          kind: "call",
          pos,
          function: { kind: "var", pos: -1, name: "__findFile" },
          arguments: [
            { kind: "var", pos: -1, name: "__nixPath" },
            { kind: "string", value: this.#slice(index).slice(1, -1) },
          ],
        };
      case Token.uri: {
        this.#at++;
        const value = this.#slice(index);
        this.#lint("lint-url-literals", this.#options.settings?.lintUrlLiterals, (fatal) => `URL literals are ${fatal ? "disallowed" : "discouraged"}. Consider using a string literal "${value}" instead`, pos);
        return { kind: "string", value };
      }
      case 40: {
        this.#at++;
        const expression = this.#expression();
        this.#expect(41);
        return expression;
      }
      case Token.let:
        if (this.#kinds[index + 1] === 123) {
          this.#at += 2;
          const of = this.#bindings(pos, 125);
          this.#expect(125);
          of.recursive = true;
          return { kind: "select", pos: -1, of, path: [{ kind: "static", name: "body" }], default: undefined };
        }
        throw this.#unexpected();
      case Token.rec: {
        this.#at++;
        this.#expect(123);
        const set = this.#bindings(pos, 125);
        this.#expect(125);
        set.recursive = true;
        return set;
      }
      case 123: {
        this.#at++;
        const set = this.#bindings(pos, 125);
        this.#expect(125);
        return set;
      }
      case 91: {
        this.#at++;
        const elements: Expression[] = [];
        while (this.#kinds[this.#at] !== 93) {
          if (!startsSimple(this.#kinds, this.#at)) throw this.#unexpected();
          elements.push(this.#operand());
        }
        this.#at++;
        return { kind: "list", elements };
      }
      default:
        throw this.#unexpected();
    }
  }

  #pathLiteral(literal: ByteString, isHome: boolean, pos: number): ByteString {
    const { settings, home, basePath } = this.#options;
    const advice = `path literals are not portable. Consider replacing path literal '${literal}' by a string, relative path, or parameter`;
    if (isHome) {
      // Without a place, as there.
      if (home === undefined) throw new NixError("restricted", `the path '${literal}' can not be resolved in pure mode`);
      this.#lint("lint-absolute-path-literals", settings?.lintAbsolutePathLiterals, () => `home ${advice}`, pos);
      return home + literal.slice(1);
    }
    if (literal.startsWith("/")) this.#lint("lint-absolute-path-literals", settings?.lintAbsolutePathLiterals, () => `absolute ${advice}`, pos);
    else if (!literal.startsWith(".")) {
      this.#lint("lint-short-path-literals", settings?.lintShortPathLiterals, () => `relative path literal '${literal}' should be prefixed with '.' for clarity: './${literal}'`, pos);
    }
    const path = canonicalPath(literal.startsWith("/") ? literal : `${basePath}/${literal}`);
    // What follows in an interpolated path starts after this slash.
    return literal.length > 1 && literal.endsWith("/") ? `${path}/` : path;
  }

  /** Texts and interpolations up to what ends the string or path, which is left to the caller. */
  #stringParts(): Part[] {
    const parts: Part[] = [];
    for (;;) {
      const kind = this.#kinds[this.#at];
      const pos = this.#starts[this.#at]!;
      if (kind === Token.string) {
        parts.push({ pos, value: { kind: "string", value: this.#unescape(this.#slice(this.#at), pos) }, literal: true });
        this.#at++;
      } else if (kind === Token.dollarBrace) {
        this.#at++;
        const value = this.#expression();
        this.#expect(125);
        parts.push({ pos, value });
      } else return parts;
    }
  }

  #unescape(raw: ByteString, pos: number): ByteString {
    return this.#withoutNul(unescapeString(raw), pos);
  }

  #withoutNul(text: ByteString, pos: number): ByteString {
    if (text.includes("\0")) {
      throw this.#fail(`input string '${text.replaceAll("\0", toByteString("␀"))}' cannot be represented as Nix string because it contains null bytes`, pos);
    }
    return text;
  }

  #indentedString(pos: number): Expression {
    const parts: IndentedPart<Expression>[] = [];
    for (;;) {
      const index = this.#at;
      const kind = this.#kinds[index];
      const start = this.#starts[index]!;
      if (kind === Token.indentedString) {
        this.#at++;
        const raw = this.#slice(index);
        if (raw === "$" || raw === "''$") parts.push({ kind: "text", pos: start, text: "$", indentation: false });
        else if (raw === "'''") parts.push({ kind: "text", pos: start, text: "''", indentation: false });
        else if (raw === "'") parts.push({ kind: "text", pos: start, text: "'", indentation: false });
        else if (raw.startsWith("''\\")) parts.push({ kind: "text", pos: start, text: this.#unescape(raw.slice(2), start), indentation: false });
        else parts.push({ kind: "text", pos: start, text: this.#withoutNul(raw, start), indentation: true });
      } else if (kind === Token.dollarBrace) {
        this.#at++;
        const value = this.#expression();
        this.#expect(125);
        parts.push({ kind: "expression", pos: start, value });
      } else if (kind === Token.indentedClose) {
        this.#at++;
        return indentedStringOf(pos, stripIndentation(parts));
      } else throw this.#unexpected();
    }
  }

  #attributeName(): AttributeName {
    const index = this.#at;
    switch (this.#kinds[index]) {
      case Token.identifier:
      case Token.or:
        this.#at++;
        return { kind: "static", name: this.#symbol(this.#slice(index)) };
      case 34: {
        this.#at++;
        const parts = this.#stringParts();
        this.#expect(34);
        return this.#nameOf(stringOf(parts[0]?.pos ?? 0, parts));
      }
      case Token.dollarBrace: {
        this.#at++;
        const expression = this.#expression();
        this.#expect(125);
        return this.#nameOf(expression);
      }
      default:
        throw this.#unexpected();
    }
  }

  #nameOf(expression: Expression): AttributeName {
    return expression.kind === "string" ? { kind: "static", name: this.#symbol(expression.value) } : { kind: "dynamic", expression };
  }

  #attributePath(): AttributeName[] {
    const path = [this.#attributeName()];
    while (this.#kinds[this.#at] === 46) {
      this.#at++;
      path.push(this.#attributeName());
    }
    return path;
  }

  /** Bindings up to, not including, `end`. */
  #bindings(setPos: number, end: number): AttributeSet {
    const set: AttributeSet = { kind: "attrs", pos: setPos, recursive: false, attributes: new Map(), dynamic: [], inheritFrom: [] };
    for (;;) {
      const kind = this.#kinds[this.#at];
      if (kind === end) return set;
      if (kind === Token.inherit) {
        this.#at++;
        this.#inherit(set);
        continue;
      }
      if (kind !== Token.identifier && kind !== Token.or && kind !== 34 && kind !== Token.dollarBrace) throw this.#unexpected();
      const pos = this.#starts[this.#at]!;
      const path = this.#attributePath();
      this.#expect(61);
      const value = this.#expression();
      this.#expect(59);
      this.#addAttribute(set, path, pos, value);
    }
  }

  #inherit(set: AttributeSet): void {
    let from = -1;
    let fromPos = 0;
    if (this.#kinds[this.#at] === 40) {
      this.#at++;
      fromPos = this.#starts[this.#at]!;
      const expression = this.#expression();
      this.#expect(41);
      from = set.inheritFrom.push(expression) - 1;
    }
    const attributes: [ByteString, number][] = [];
    while (this.#kinds[this.#at] !== 59) {
      const pos = this.#starts[this.#at]!;
      const kind = this.#kinds[this.#at];
      if (kind !== Token.identifier && kind !== Token.or && kind !== 34 && kind !== Token.dollarBrace) throw this.#unexpected();
      const name = this.#attributeName();
      if (name.kind === "dynamic") throw this.#fail("dynamic attributes not allowed in inherit", pos);
      attributes.push([name.name, pos]);
    }
    this.#at++;
    for (const [name, pos] of attributes) {
      const before = set.attributes.get(name);
      if (before !== undefined) throw this.#duplicate([{ kind: "static", name }], pos, before.pos);
      const value: Expression =
        from < 0 ? { kind: "var", pos, name } : { kind: "select", pos, of: { kind: "inherit-from", pos: fromPos }, path: [{ kind: "static", name }], default: undefined };
      set.attributes.set(name, { kind: from < 0 ? "inherited" : "inherited-from", value, pos, from });
    }
  }

  #duplicate(path: readonly AttributeName[], pos: number, before: number): NixError {
    const { file, line, column } = positionAt(this.#source, before);
    return this.#fail(`attribute '${formatAttributePath(path)}' already defined at ${file}:${line}:${column}`, pos);
  }

  #addAttribute(root: AttributeSet, path: readonly AttributeName[], pos: number, value: Expression): void {
    let set = root;
    for (let i = 0; i < path.length - 1; i++) {
      const name = path[i]!;
      let nested: AttributeSet;
      if (name.kind === "static") {
        const existing = set.attributes.get(name.name);
        if (existing !== undefined) {
          if (existing.value.kind !== "attrs") throw this.#duplicate(path.slice(0, i + 1), pos, existing.pos);
          nested = existing.value;
        } else {
          nested = emptySet();
          set.attributes.set(name.name, { kind: "plain", value: nested, pos, from: -1 });
        }
      } else {
        nested = emptySet();
        set.dynamic.push({ name: name.expression, value: nested, pos });
      }
      set = nested;
    }
    const last = path.at(-1)!;
    if (last.kind === "dynamic") set.dynamic.push({ name: last.expression, value, pos });
    else this.#define(set, path, last.name, { kind: "plain", value, pos, from: -1 });
  }

  /** Adds one attribute, merging two sets that are written under the same name. */
  #define(set: AttributeSet, path: readonly AttributeName[], name: ByteString, definition: AttributeDefinition): void {
    const existing = set.attributes.get(name);
    if (existing === undefined) {
      set.attributes.set(name, definition);
      for (let e: Expression = definition.value; e.kind === "lambda"; e = e.body) e.name = name;
      return;
    }
    const into = existing.value;
    const added = definition.value;
    if (into.kind !== "attrs" || added.kind !== "attrs") throw this.#duplicate(path, definition.pos, existing.pos);
    const shift = into.inheritFrom.length;
    for (const [inner, innerDefinition] of added.attributes) {
      if (innerDefinition.kind === "inherited-from") innerDefinition.from += shift;
      this.#define(into, [...path, { kind: "static", name: inner }], inner, innerDefinition);
    }
    into.dynamic.push(...added.dynamic);
    into.inheritFrom.push(...added.inheritFrom);
  }
}

/** One that only a path of names speaks of: it stands nowhere itself. */
function emptySet(): AttributeSet {
  return { kind: "attrs", pos: -1, recursive: false, attributes: new Map(), dynamic: [], inheritFrom: [] };
}

function stringOf(pos: number, parts: readonly Part[]): Expression {
  if (parts.length === 0) return { kind: "string", value: "" };
  // `"${"a"}"` stays a concatenation.
  if (parts.length === 1 && parts[0]!.literal === true) return parts[0]!.value;
  return { kind: "concat", pos, forceString: true, parts };
}

/** Calls of calls are one call with more arguments, however they were written. */
function makeCall(pos: number, callee: Expression, argument: Expression): Expression {
  if (callee.kind !== "call") return { kind: "call", pos, function: callee, arguments: [argument] };
  callee.arguments.push(argument);
  return callee;
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

function makeOperation(token: number, pos: number, left: Expression, right: Expression, leftPos: number, rightPos: number): Expression {
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

/** Takes the common indentation off the lines of an indented string. Nix: libexpr/parser-state.hh. */
export function stripIndentation<E>(parts: readonly IndentedPart<E>[]): readonly IndentedPart<E>[] {
  let atStart = true;
  let minimum = 1_000_000;
  let current = 0;
  for (const part of parts) {
    if (part.kind === "expression" || !part.indentation) {
      if (atStart) {
        atStart = false;
        minimum = Math.min(minimum, current);
      }
      continue;
    }
    for (let i = 0; i < part.text.length; i++) {
      const c = part.text.charCodeAt(i);
      if (atStart) {
        if (c === 32) current++;
        else if (c === 10) current = 0;
        else {
          atStart = false;
          minimum = Math.min(minimum, current);
        }
      } else if (c === 10) {
        atStart = true;
        current = 0;
      }
    }
  }
  const result: IndentedPart<E>[] = [];
  atStart = true;
  let dropped = 0;
  parts.forEach((part, index) => {
    if (part.kind === "expression") {
      atStart = false;
      dropped = 0;
      result.push(part);
      return;
    }
    let text = "";
    let from = 0;
    // Only runs of spaces at the start of a line are cut out of the text.
    for (let i = 0; i < part.text.length; i++) {
      const c = part.text.charCodeAt(i);
      if (atStart) {
        if (c === 32) {
          if (dropped++ < minimum) {
            text += part.text.slice(from, i);
            from = i + 1;
          }
        } else if (c === 10) dropped = 0;
        else {
          atStart = false;
          dropped = 0;
        }
      } else if (c === 10) atStart = true;
    }
    text += part.text.slice(from);
    if (index === parts.length - 1) {
      const newline = text.lastIndexOf("\n");
      if (newline >= 0 && /^ *$/.test(text.slice(newline + 1))) text = text.slice(0, newline + 1);
    }
    if (text !== "") result.push({ ...part, text });
  });
  return result;
}

function indentedStringOf(pos: number, parts: readonly IndentedPart<Expression>[]): Expression {
  const [only] = parts;
  if (only === undefined) return { kind: "string", value: "" };
  if (parts.length === 1 && only.kind === "text") return { kind: "string", value: only.text };
  return { kind: "concat", pos, forceString: true, parts: parts.map((part) => ({ pos: part.pos, value: part.kind === "text" ? { kind: "string", value: part.text } : part.value })) };
}

/** What a piece of a string means: its escapes, and its line ends. */
export function unescapeString(raw: ByteString): ByteString {
  if (!/[\\\r]/.test(raw)) return raw;
  return raw.replace(/\\([^])|\r\n?/g, (_, escaped: string | undefined) =>
    escaped === undefined ? "\n" : escaped === "n" ? "\n" : escaped === "r" ? "\r" : escaped === "t" ? "\t" : escaped);
}
