import type { ByteString } from "../util/bytes.ts";
import { tokenize, type Tokens } from "../nix/lexer.ts";
import { BINARY_OPERATORS, NEGATE_STRENGTH, NOT_STRENGTH } from "../nix/binary-operators.ts";
import { parseNix, startsFormals, startsSimple } from "../nix/parse.ts";
import { stripIndentation, unescapeString, type IndentedPart } from "../nix/string-text.ts";
import { Token } from "../nix/token.ts";
import type { ConcreteBinding, ConcreteComment, ConcreteExpression, ConcreteFile, ConcreteFormal, ConcreteLambda, ConcreteName, ConcretePart } from "./concrete-syntax.ts";

/**
 * Parses a file with all that is written in it. The evaluator's parser reads it first: what that takes is right, and
 * its errors are the ones that are told.
 *
 * @param file in full
 * @throws NixError of kind `parse`.
 */
export function parseConcrete(text: ByteString, file: ByteString): ConcreteFile {
  parseNix(text, file, { basePath: file.slice(0, file.lastIndexOf("/")) || "/", home: "/homeless" });
  const tokens = tokenize(text, false);
  return { text, expression: new ConcreteParser(text, tokens).expression(), comments: findComments(text, tokens) };
}

/** What stands between tokens and is no white space: the lexer skips it, so reading it again costs the evaluator nothing. */
function findComments(text: ByteString, tokens: Tokens): ConcreteComment[] {
  const comments: ConcreteComment[] = [];
  const pattern = /#[^\r\n]*|\/\*[^]*?\*\//g;
  let from = 0;
  for (let i = 0; i < tokens.count; i++) {
    const to = tokens.kinds[i] === Token.end ? text.length : tokens.starts[i]!;
    const gap = text.slice(from, to);
    for (const match of gap.matchAll(pattern)) {
      const start = from + match.index;
      const lineStart = text.lastIndexOf("\n", start - 1) + 1;
      comments.push({ start, end: start + match[0].length, text: match[0], ownLine: /^[\s]*$/.test(text.slice(lineStart, start)) });
    }
    from = Math.max(from, tokens.ends[i]!);
  }
  return comments;
}

/** Takes what was found right: recursive descent without any check. */
class ConcreteParser {
  readonly #text: ByteString;
  readonly #tokens: Tokens;
  readonly #kinds: Uint16Array;
  #at = 0;

  constructor(text: ByteString, tokens: Tokens) {
    this.#text = text;
    this.#tokens = tokens;
    this.#kinds = tokens.kinds;
  }

  get #start(): number {
    return this.#tokens.starts[this.#at]!;
  }

  /** Where the last token that was taken ends. */
  get #end(): number {
    return this.#tokens.ends[this.#at - 1]!;
  }

  #slice(index: number): ByteString {
    return this.#text.slice(this.#tokens.starts[index], this.#tokens.ends[index]);
  }

  expression(): ConcreteExpression {
    const start = this.#start;
    const index = this.#at;
    switch (this.#kinds[index]) {
      case Token.identifier: {
        const next = this.#kinds[index + 1];
        if (next !== 58 && next !== 64) break;
        this.#at += 2;
        const formals = next === 64 ? this.#formals() : undefined;
        if (next === 64) this.#at++;
        return this.#lambda(start, this.#slice(index), formals);
      }
      case 123: {
        if (!startsFormals(this.#kinds, this.#at)) break;
        const formals = this.#formals();
        let argument: ByteString | undefined;
        if (this.#kinds[this.#at] === 64) {
          argument = this.#slice(this.#at + 1);
          this.#at += 2;
        }
        this.#at++;
        return this.#lambda(start, argument, formals);
      }
      case Token.assert:
      case Token.with: {
        this.#at++;
        const first = this.expression();
        this.#at++;
        const body = this.expression();
        return this.#kinds[index] === Token.assert ? { kind: "assert", condition: first, body, start, end: this.#end } : { kind: "with", of: first, body, start, end: this.#end };
      }
      case Token.let: {
        if (this.#kinds[index + 1] === 123) break;
        this.#at++;
        const bindings = this.#bindings(Token.in);
        this.#at++;
        const body = this.expression();
        return { kind: "let", bindings, body, start, end: this.#end };
      }
      case Token.if: {
        this.#at++;
        const condition = this.expression();
        this.#at++;
        const then = this.expression();
        this.#at++;
        const otherwise = this.expression();
        return { kind: "if", condition, then, else: otherwise, start, end: this.#end };
      }
      default:
    }
    return this.#operation(0);
  }

  #lambda(start: number, argument: ByteString | undefined, formals: ConcreteLambda["formals"]): ConcreteLambda {
    const body = this.expression();
    return { kind: "lambda", argument, formals, body, start, end: this.#end };
  }

  #formals(): NonNullable<ConcreteLambda["formals"]> {
    this.#at++;
    const list: ConcreteFormal[] = [];
    let ellipsis = false;
    while (this.#kinds[this.#at] !== 125) {
      const start = this.#start;
      const index = this.#at++;
      if (this.#kinds[index] === Token.ellipsis) ellipsis = true;
      else if (this.#kinds[index] === Token.identifier) {
        let fallback: ConcreteExpression | undefined;
        if (this.#kinds[this.#at] === 63) {
          this.#at++;
          fallback = this.expression();
        }
        list.push({ name: this.#slice(index), default: fallback, start, end: this.#end });
      }
    }
    this.#at++;
    return { list, ellipsis };
  }

  #operation(minimum: number): ConcreteExpression {
    const start = this.#start;
    let left: ConcreteExpression;
    const first = this.#kinds[this.#at];
    if (first === 33 || first === 45) {
      this.#at++;
      const of = this.#operation((first === 33 ? NOT_STRENGTH : NEGATE_STRENGTH) + 1);
      left = { kind: "unary", operator: first === 33 ? "!" : "-", of, start, end: this.#end };
    } else left = this.#application();
    for (;;) {
      const kind = this.#kinds[this.#at]!;
      const operator = BINARY_OPERATORS.get(kind);
      if (operator === undefined || operator[0] < minimum) return left;
      const symbol = this.#slice(this.#at++);
      if (kind === 63) {
        left = { kind: "has", of: left, path: this.#path(), start, end: this.#end };
        continue;
      }
      const right = this.#operation(operator[1] === 1 ? operator[0] : operator[0] + 1);
      left = { kind: "binary", operator: symbol, left, right, start, end: this.#end };
    }
  }

  #application(): ConcreteExpression {
    const start = this.#start;
    const callee = this.#select();
    const args: ConcreteExpression[] = [];
    while (startsSimple(this.#kinds, this.#at)) args.push(this.#select());
    return args.length === 0 ? callee : { kind: "call", function: callee, arguments: args, start, end: this.#end };
  }

  #select(): ConcreteExpression {
    const start = this.#start;
    const of = this.#simple();
    if (this.#kinds[this.#at] === 46) {
      this.#at++;
      const path = this.#path();
      let fallback: ConcreteExpression | undefined;
      if (this.#kinds[this.#at] === Token.or) {
        this.#at++;
        fallback = this.#select();
      }
      return { kind: "select", of, path, default: fallback, start, end: this.#end };
    }
    if (this.#kinds[this.#at] === Token.or) {
      const name: ConcreteExpression = { kind: "variable", name: "or", start: this.#start, end: this.#tokens.ends[this.#at]! };
      this.#at++;
      return { kind: "call", function: of, arguments: [name], start, end: this.#end };
    }
    return of;
  }

  #simple(): ConcreteExpression {
    const index = this.#at++;
    const start = this.#tokens.starts[index]!;
    const end = this.#tokens.ends[index]!;
    switch (this.#kinds[index]) {
      case Token.identifier:
        return { kind: "variable", name: this.#slice(index), start, end };
      case Token.integer:
      case Token.float:
        return { kind: "number", text: this.#slice(index), isFloat: this.#kinds[index] === Token.float, start, end };
      case 34: {
        const parts = this.#parts();
        this.#at++;
        return { kind: "string", indented: false, parts, start, end: this.#end };
      }
      case Token.indentedOpen: {
        const parts = this.#indentedParts();
        return { kind: "string", indented: true, parts, start, end: this.#end };
      }
      case Token.path:
      case Token.homePath: {
        const parts = this.#parts();
        const last = parts.length === 0 ? end : this.#end;
        this.#at++;
        return { kind: "path", literal: this.#slice(index), parts, start, end: last };
      }
      case Token.searchPath:
        return { kind: "search-path", path: this.#slice(index).slice(1, -1), start, end };
      case Token.uri:
        return { kind: "string", indented: false, parts: [{ kind: "text", text: this.#slice(index) }], start, end };
      case 40: {
        const of = this.expression();
        this.#at++;
        return { kind: "parentheses", of, start, end: this.#end };
      }
      case Token.let: {
        this.#at++;
        const bindings = this.#bindings(125);
        this.#at++;
        const of: ConcreteExpression = { kind: "attributes", recursive: true, bindings, start, end: this.#end };
        return { kind: "select", of, path: [{ kind: "static", name: "body", start, end }], default: undefined, start, end: this.#end };
      }
      case Token.rec:
      case 123: {
        const recursive = this.#kinds[index] === Token.rec;
        if (recursive) this.#at++;
        const bindings = this.#bindings(125);
        this.#at++;
        return { kind: "attributes", recursive, bindings, start, end: this.#end };
      }
      case 91: {
        const elements: ConcreteExpression[] = [];
        while (this.#kinds[this.#at] !== 93) elements.push(this.#select());
        this.#at++;
        return { kind: "list", elements, start, end: this.#end };
      }
      default:
        throw new TypeError(`the token ${this.#kinds[index]} starts no expression`);
    }
  }

  #interpolation(): ConcretePart {
    this.#at++;
    const value = this.expression();
    this.#at++;
    return { kind: "expression", value };
  }

  #parts(): ConcretePart[] {
    const parts: ConcretePart[] = [];
    for (;;) {
      const kind = this.#kinds[this.#at];
      if (kind === Token.string) parts.push({ kind: "text", text: unescapeString(this.#slice(this.#at++)) });
      else if (kind === Token.dollarBrace) parts.push(this.#interpolation());
      else return parts;
    }
  }

  #indentedParts(): readonly ConcretePart[] {
    const parts: IndentedPart<ConcreteExpression>[] = [];
    for (;;) {
      const index = this.#at;
      const kind = this.#kinds[index];
      const pos = this.#tokens.starts[index]!;
      if (kind === Token.dollarBrace) {
        const part = this.#interpolation();
        if (part.kind === "expression") parts.push({ kind: "expression", pos, value: part.value });
        continue;
      }
      this.#at++;
      if (kind === Token.indentedClose) break;
      const raw = this.#slice(index);
      const escaped = raw === "$" || raw === "''$" ? "$" : raw === "'''" ? "''" : raw === "'" ? "'" : raw.startsWith("''\\") ? unescapeString(raw.slice(2)) : undefined;
      parts.push({ kind: "text", pos, text: escaped ?? raw, indentation: escaped === undefined });
    }
    return stripIndentation(parts).map((part) => (part.kind === "text" ? { kind: "text", text: part.text } : { kind: "expression", value: part.value }));
  }

  #name(): ConcreteName {
    const index = this.#at++;
    const start = this.#tokens.starts[index]!;
    switch (this.#kinds[index]) {
      case 34: {
        const parts = this.#parts();
        this.#at++;
        const [only] = parts;
        if (only === undefined) return { kind: "static", name: "", start, end: this.#end };
        if (parts.length === 1 && only.kind === "text") return { kind: "static", name: only.text, start, end: this.#end };
        return { kind: "dynamic", expression: { kind: "string", indented: false, parts, start, end: this.#end }, start, end: this.#end };
      }
      case Token.dollarBrace: {
        const expression = this.expression();
        this.#at++;
        const [only] = expression.kind === "string" ? expression.parts : [];
        if (expression.kind === "string" && (only === undefined || (expression.parts.length === 1 && only.kind === "text"))) return { kind: "static", name: only?.kind === "text" ? only.text : "", start, end: this.#end };
        return { kind: "dynamic", expression, start, end: this.#end };
      }
      default:
        return { kind: "static", name: this.#slice(index), start, end: this.#tokens.ends[index]! };
    }
  }

  #path(): ConcreteName[] {
    const path = [this.#name()];
    while (this.#kinds[this.#at] === 46) {
      this.#at++;
      path.push(this.#name());
    }
    return path;
  }

  #bindings(end: number): ConcreteBinding[] {
    const bindings: ConcreteBinding[] = [];
    while (this.#kinds[this.#at] !== end) {
      const start = this.#start;
      if (this.#kinds[this.#at] !== Token.inherit) {
        const path = this.#path();
        this.#at++;
        const value = this.expression();
        this.#at++;
        bindings.push({ kind: "attribute", path, value, start, end: this.#end });
        continue;
      }
      this.#at++;
      let from: ConcreteExpression | undefined;
      if (this.#kinds[this.#at] === 40) {
        this.#at++;
        from = this.expression();
        this.#at++;
      }
      const names: { readonly name: ByteString; readonly start: number; readonly end: number }[] = [];
      while (this.#kinds[this.#at] !== 59) {
        const name = this.#name();
        if (name.kind === "static") names.push(name);
      }
      this.#at++;
      bindings.push({ kind: "inherit", from, names, start, end: this.#end });
    }
    return bindings;
  }
}
