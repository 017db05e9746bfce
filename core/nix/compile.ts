import type { ByteString } from "../util/bytes.ts";
import { unreachable } from "../util/unreachable.ts";
import { formatIdentifier } from "./format-literal.ts";
import { formatSyntax } from "./format-syntax.ts";
import { NixError } from "./nix-error.ts";
import type { ParsedNix } from "./parse.ts";
import * as Op from "./opcode.ts";
import { BOUND_FROM, BOUND_HERE, BOUND_OUTSIDE, RECURSIVE } from "./opcode.ts";
import { FIRST_RANKS } from "./symbol-order.ts";
import { positionAt, type NixSource } from "./source.ts";
import type { AttributeName, AttributeSet, BinaryOperator, Expression, Lambda } from "./syntax.ts";

/**
 * A file's tree, ready to be written to disk as it is. `relocations` are the words that hold an index into `strings`.
 * The root is at word 0.
 */
export type CompiledFile = {
  readonly code: Int32Array;
  readonly strings: StringTable;
  /** The file's own strings, names first, as they were met: the order of an evaluation's names depends on it. */
  readonly order: Int32Array;
  readonly relocations: Int32Array;
};

/** An array of texts, or what files share and decodes each of its texts when it is asked for. */
export type StringTable = { readonly length: number; at(index: number): ByteString | undefined };

/** What names mean at a place: the argument or the slots of one run-time environment, or a `with`. */
export type Scope = {
  readonly up: Scope | undefined;
  readonly kind: "argument" | "slots" | "with";
  readonly slots: ReadonlyMap<ByteString, number>;
};

const OPERATORS: Readonly<Record<BinaryOperator, number>> = {
  "==": Op.equal, "!=": Op.notEqual, "&&": Op.and, "||": Op.or, "->": Op.implies, "//": Op.update, "++": Op.concatLists,
};
const ARITHMETIC: ReadonlyMap<string, number> = new Map([["__lessThan", Op.lessThan], ["__sub", Op.subtract], ["__mul", Op.multiply], ["__div", Op.divide]]);

/**
 * Resolves every variable and lays the tree out flat.
 *
 * @throws NixError of kind `undefined` for a name that is bound nowhere.
 */
export function compileNix({ expression, source, symbols }: ParsedNix, globals: ReadonlySet<ByteString>, scope?: Scope): CompiledFile {
  const compiler = new Compiler(source, globals, symbols);
  compiler.emit(expression, scope);
  return compiler.finish();
}

class Compiler {
  readonly #source: NixSource;
  readonly #globals: ReadonlySet<ByteString>;
  #code = new Int32Array(1024);
  #length = 0;
  readonly #strings: Map<ByteString, number>;
  readonly #relocations: number[] = [];

  constructor(source: NixSource, globals: ReadonlySet<ByteString>, symbols: Iterable<ByteString>) {
    this.#source = source;
    this.#globals = globals;
    // First the names, as they are met: their order is that of the evaluation (`Evaluator.link`).
    this.#strings = new Map([...symbols].map((name, index) => [name, index]));
  }

  finish(): CompiledFile {
    return { code: this.#code.slice(0, this.#length), strings: [...this.#strings.keys()], relocations: Int32Array.from(this.#relocations), order: Int32Array.from({ length: this.#strings.size }, (_, index) => index) };
  }

  /** Room for a node whose words are filled in later. */
  #reserve(size: number): number {
    const at = this.#length;
    this.#length += size;
    if (this.#length > this.#code.length) {
      const larger = new Int32Array(Math.max(this.#length, this.#code.length * 2));
      larger.set(this.#code);
      this.#code = larger;
    }
    return at;
  }

  #string(at: number, text: ByteString): void {
    let index = this.#strings.get(text);
    if (index === undefined) {
      index = this.#strings.size;
      this.#strings.set(text, index);
    }
    this.#code[at] = index;
    this.#relocations.push(at);
  }

  #child(parent: number, word: number, expression: Expression, scope: Scope | undefined): number {
    const at = this.emit(expression, scope);
    this.#code[parent + word] = at - parent;
    return at;
  }

  /** The place that a node names as its own in messages. */
  #positionOf(at: number): number {
    return this.#code[at]! <= Op.path ? -1 : this.#code[at + 1]!;
  }

  #node(op: number, size: number, pos: number): number {
    const at = this.#reserve(size);
    this.#code[at] = op;
    this.#code[at + 1] = pos;
    return at;
  }

  emit(e: Expression, scope: Scope | undefined): number {
    switch (e.kind) {
      case "int": {
        const at = this.#reserve(2);
        if (typeof e.value === "number" && (e.value | 0) === e.value) {
          this.#code[at] = Op.int;
          this.#code[at + 1] = e.value;
        } else {
          this.#code[at] = Op.bigInt;
          this.#string(at + 1, String(e.value));
        }
        return at;
      }
      case "float":
        return this.#text(Op.float, String(e.value));
      case "string":
        return this.#text(Op.string, e.value);
      case "path":
        return this.#text(Op.path, e.value);
      case "var":
        return this.#variable(e.name, e.pos, scope);
      case "inherit-from":
        throw new TypeError("an inherited attribute outside its set");
      case "select": {
        const at = this.#node(Op.select, 5 + e.path.length * 3, e.pos);
        this.#code[at + 4] = e.path.length;
        this.#child(at, 2, e.of, scope);
        if (e.default !== undefined) this.#child(at, 3, e.default, scope);
        this.#path(at, 5, e.path, scope);
        return at;
      }
      case "has": {
        const at = this.#node(Op.has, 4 + e.path.length * 3, -1);
        this.#code[at + 3] = e.path.length;
        this.#code[at + 1] = this.#positionOf(this.#child(at, 2, e.of, scope));
        this.#path(at, 4, e.path, scope);
        return at;
      }
      case "attrs":
        return this.#attributes(e, scope);
      case "let": {
        const { at, inner } = this.#bindings(Op.let, e.attributes, scope, true);
        this.#child(at, 3, e.body, inner);
        return at;
      }
      case "list": {
        const at = this.#node(Op.list, 3 + e.elements.length, -1);
        this.#code[at + 2] = e.elements.length;
        e.elements.forEach((element, index) => {
          const child = this.#child(at, 3 + index, element, scope);
          if (index === 0) this.#code[at + 1] = this.#positionOf(child);
        });
        return at;
      }
      case "lambda":
        return this.#lambda(e, scope);
      case "call": {
        const [first, second] = e.arguments;
        if (e.function.kind === "var" && e.arguments.length === 2 && first !== undefined && second !== undefined) {
          const op = ARITHMETIC.get(e.function.name);
          if (op !== undefined && !isBound(e.function.name, scope)) {
            const at = this.#node(op, 4, e.pos);
            this.#child(at, 2, first, scope);
            this.#child(at, 3, second, scope);
            return at;
          }
        }
        const at = this.#node(Op.call, 4 + e.arguments.length, e.pos);
        this.#code[at + 3] = e.arguments.length;
        this.#child(at, 2, e.function, scope);
        e.arguments.forEach((argument, index) => this.#child(at, 4 + index, argument, scope));
        return at;
      }
      case "with": {
        const at = this.#node(Op.with, 4, e.pos);
        this.#child(at, 2, e.attributes, scope);
        this.#child(at, 3, e.body, { up: scope, kind: "with", slots: new Map() });
        return at;
      }
      case "if": {
        const at = this.#node(Op.if, 5, e.pos);
        this.#child(at, 2, e.condition, scope);
        this.#child(at, 3, e.then, scope);
        this.#child(at, 4, e.else, scope);
        return at;
      }
      case "assert": {
        const at = this.#node(Op.assert, 5, e.pos);
        this.#string(at + 4, formatSyntax(e.condition));
        this.#child(at, 2, e.condition, scope);
        this.#child(at, 3, e.body, scope);
        return at;
      }
      case "not": {
        const at = this.#node(Op.not, 3, -1);
        this.#code[at + 1] = this.#positionOf(this.#child(at, 2, e.of, scope));
        return at;
      }
      case "binary": {
        const at = this.#node(OPERATORS[e.operator], 4, e.pos);
        this.#child(at, 2, e.left, scope);
        this.#child(at, 3, e.right, scope);
        return at;
      }
      case "concat": {
        const at = this.#node(Op.concatStrings, 4 + e.parts.length * 2, e.pos);
        this.#code[at + 2] = e.forceString ? 1 : 0;
        this.#code[at + 3] = e.parts.length;
        e.parts.forEach((part, index) => {
          this.#code[at + 4 + index * 2] = part.pos;
          this.#child(at, 5 + index * 2, part.value, scope);
        });
        return at;
      }
      case "current-position":
        return this.#node(Op.currentPosition, 2, e.pos);
      default:
        return unreachable(e);
    }
  }

  #text(op: number, text: ByteString): number {
    const at = this.#reserve(2);
    this.#code[at] = op;
    this.#string(at + 1, text);
    return at;
  }

  #variable(name: ByteString, pos: number, scope: Scope | undefined): number {
    let level = 0;
    const withs: number[] = [];
    for (let s = scope; s !== undefined; s = s.up, level++) {
      if (s.kind === "with") {
        withs.push(level);
        continue;
      }
      const slot = s.slots.get(name);
      if (slot === undefined) continue;
      if (s.kind === "argument") {
        if (level < 2) return this.#node(level === 0 ? Op.argument0 : Op.argument1, 2, pos);
        const at = this.#node(Op.argument, 3, pos);
        this.#code[at + 2] = level;
        return at;
      }
      if (level < 2) {
        const at = this.#node(level === 0 ? Op.variable0 : Op.variable1, 3, pos);
        this.#code[at + 2] = slot;
        return at;
      }
      const at = this.#node(Op.variable, 4, pos);
      this.#code[at + 2] = level;
      this.#code[at + 3] = slot;
      return at;
    }
    if (this.#globals.has(name)) {
      const at = this.#node(Op.global, 3, pos);
      this.#string(at + 2, name);
      return at;
    }
    if (withs.length === 0) throw new NixError("undefined", `undefined variable '${formatIdentifier(name)}'`, pos < 0 ? undefined : positionAt(this.#source, pos));
    const at = this.#node(Op.withVariable, 4 + withs.length * 3, pos);
    this.#string(at + 2, name);
    this.#code[at + 3] = withs.length;
    withs.forEach((value, index) => {
      this.#code[at + 4 + index * 3] = value;
      this.#code[at + 5 + index * 3] = -1;
    });
    return at;
  }

  #path(at: number, word: number, path: readonly AttributeName[], scope: Scope | undefined): void {
    path.forEach((part, index) => {
      const cell = word + index * 3;
      if (part.kind === "static") {
        this.#string(at + cell, part.name);
        // No shape has this number.
        this.#code[at + cell + 1] = -1;
      } else {
        this.#code[at + cell] = -1;
        this.#child(at, cell + 1, part.expression, scope);
        this.#string(at + cell + 2, formatSyntax(part.expression));
      }
    });
  }

  /** When the reference met a name: before any file, or somewhere in this one. */
  #rank(name: ByteString): number {
    return FIRST_RANKS.get(name) ?? FIRST_RANKS.size + this.#strings.get(name)!;
  }

  #attributes(e: AttributeSet, scope: Scope | undefined): number {
    return this.#bindings(Op.attributes, e, scope, e.recursive).at;
  }

  /** The common part of sets and `let`: bindings in the order of their names, slot i of the environment if recursive. */
  #bindings(op: number, e: AttributeSet, scope: Scope | undefined, recursive: boolean): { readonly at: number; readonly inner: Scope | undefined } {
    const names = [...e.attributes.keys()].sort();
    const met = [...e.attributes].sort((a, b) => this.#rank(a[0]) - this.#rank(b[0]));
    const froms = e.inheritFrom.length;
    const at = this.#node(op, 7 + names.length * 4 + froms + e.dynamic.length * 3, op === Op.let ? -1 : e.pos);
    const code = this.#code;
    code[at + 2] = recursive ? RECURSIVE : 0;
    if (op === Op.attributes) code[at + 3] = -1;
    code[at + 4] = names.length;
    code[at + 5] = froms;
    code[at + 6] = e.dynamic.length;
    const inner: Scope | undefined = recursive ? { up: scope, kind: "slots", slots: new Map(names.map((name, index) => [name, index])) } : scope;
    const slotOf = new Map(names.map((name, index) => [name, index]));
    const from: Scope | undefined = froms > 0 ? { up: inner, kind: "slots", slots: new Map() } : undefined;
    // In the reference's order, so that the first undefined variable is the one that is told.
    e.inheritFrom.forEach((expression, index) => this.#child(at, 7 + names.length * 4 + index, expression, inner));
    for (const [name, definition] of met) {
      const cell = 7 + slotOf.get(name)! * 4;
      this.#string(at + cell, name);
      this.#code[at + cell + 1] = definition.pos;
      switch (definition.kind) {
        case "plain":
          this.#code[at + cell + 2] = BOUND_HERE;
          this.#child(at, cell + 3, definition.value, inner);
          break;
        case "inherited":
          this.#code[at + cell + 2] = BOUND_OUTSIDE;
          this.#child(at, cell + 3, definition.value, scope);
          break;
        case "inherited-from": {
          this.#code[at + cell + 2] = BOUND_FROM;
          const select = this.#node(Op.select, 8, definition.pos);
          this.#code[at + cell + 3] = select - at;
          this.#code[select + 4] = 1;
          const variable = this.#node(Op.variable0, 3, definition.value.kind === "select" && definition.value.of.kind === "inherit-from" ? definition.value.of.pos : definition.pos);
          this.#code[variable + 2] = definition.from;
          this.#code[select + 2] = variable - select;
          this.#path(select, 5, [{ kind: "static", name }], from);
          break;
        }
        default:
          unreachable(definition.kind);
      }
    }
    e.dynamic.forEach((attribute, index) => {
      const cell = 7 + names.length * 4 + froms + index * 3;
      this.#code[at + cell] = attribute.pos;
      this.#child(at, cell + 1, attribute.name, inner);
      this.#child(at, cell + 2, attribute.value, inner);
    });
    return { at, inner };
  }

  #lambda(e: Lambda, scope: Scope | undefined): number {
    const formals = e.formals === undefined ? undefined : [...e.formals.list].sort((a, b) => this.#rank(a.name) - this.#rank(b.name));
    const at = this.#node(Op.lambda, 9 + (formals?.length ?? 0) * 3, e.pos);
    if (e.name === undefined) this.#code[at + 2] = -1;
    else this.#string(at + 2, e.name);
    const slots = new Map<ByteString, number>();
    if (e.argument === undefined) this.#code[at + 3] = -1;
    else {
      this.#string(at + 3, e.argument);
      slots.set(e.argument, 0);
    }
    this.#code[at + 4] = formals?.length ?? -1;
    this.#code[at + 5] = e.formals?.ellipsis === true ? 1 : 0;
    this.#code[at + 7] = -1;
    const inner: Scope = { up: scope, kind: formals === undefined ? "argument" : "slots", slots };
    for (const formal of formals ?? []) slots.set(formal.name, slots.size);
    formals?.forEach((formal, index) => {
      const cell = 9 + index * 3;
      this.#string(at + cell, formal.name);
      this.#code[at + cell + 1] = formal.pos;
      if (formal.default !== undefined) this.#child(at, cell + 2, formal.default, inner);
    });
    this.#child(at, 6, e.body, inner);
    return at;
  }
}

function isBound(name: ByteString, scope: Scope | undefined): boolean {
  for (let s = scope; s !== undefined; s = s.up) if (s.slots.has(name)) return true;
  return false;
}
