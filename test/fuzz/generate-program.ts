/**
 * Whole programs: every construct of the language with names in scope, operators without parentheses, odd white space,
 * all forms of strings and attributes. Mostly well-typed: the fields of sets and the arguments of functions are known.
 */
import type { Expression } from "./generate-expression.ts";
import type { Random } from "./random.ts";

type Kind =
  | { readonly kind: "int" | "float" | "bool" | "string" | "null" | "path" }
  | { readonly kind: "list"; readonly of: Kind }
  | { readonly kind: "set"; readonly fields: Readonly<Record<string, Kind>> }
  | { readonly kind: "function"; readonly argument: Kind; readonly formals: boolean; readonly result: Kind };

type Part = string | Expression;

const INT: Kind = { kind: "int" };
const STRING: Kind = { kind: "string" };
const BOOL: Kind = { kind: "bool" };
const NAMES = ["a", "b", "c", "d", "e", "x", "y", "foo-bar", "x'", "_u", "name", "value", "or1", "self", "Let", "inherit1"];
/** Need quotes as names of attributes. */
const ODD_NAMES = ["a b", "", "if", "1", "é", "a.b", "${", "or", "\"", "rec"];

export class ProgramGenerator {
  readonly #r: Random;
  /** How often something of another type stands where it does not belong. */
  readonly #wrong: number;
  #scope: (readonly [name: string, kind: Kind])[] = [];
  #names = 0;

  constructor(random: Random, wrong: number) {
    this.#r = random;
    this.#wrong = wrong;
  }

  generate(): Expression {
    this.#scope = [];
    this.#names = 0;
    return this.#of(this.#kind(2), 5);
  }

  #kind(d: number): Kind {
    const r = this.#r;
    switch (r.below(d > 0 ? 12 : 7)) {
      case 0: case 1: return INT;
      case 2: return { kind: "float" };
      case 3: return BOOL;
      case 4: case 5: return STRING;
      case 6: return { kind: r.pick(["null", "path", "int", "string"]) };
      case 7: case 8: return { kind: "list", of: this.#kind(d - 1) };
      case 9: case 10: return { kind: "set", fields: this.#fields(d - 1) };
      default: {
        const formals = r.chance(0.5);
        return { kind: "function", argument: formals ? { kind: "set", fields: this.#fields(d - 1, true) } : this.#kind(d - 1), formals, result: this.#kind(d - 1) };
      }
    }
  }

  #fields(d: number, plain = false): Record<string, Kind> {
    const r = this.#r;
    return Object.fromEntries(r.times(4, () => [!plain && r.chance(0.1) ? r.pick(ODD_NAMES) : r.pick(NAMES), this.#kind(d)]));
  }

  #node(...parts: Part[]): Expression {
    return { type: "any", parts };
  }

  /** White space, where there must be some. */
  #s(): string {
    return this.#r.chance(0.93) ? " " : this.#r.pick(["\n", "\t", "  ", " # c\n", " /* c */ ", "\r\n", "/**/ ", " /** d */ ", "\n\n"]);
  }

  #paren(inner: Expression): Expression {
    return this.#node("(", inner, ")");
  }

  #same(a: Kind, b: Kind): boolean {
    if (a.kind !== b.kind) return false;
    if (a.kind === "list" && b.kind === "list") return this.#same(a.of, b.of);
    if (a.kind === "set" && b.kind === "set") return Object.entries(b.fields).every(([name, kind]) => a.fields[name] !== undefined && this.#same(a.fields[name], kind));
    if (a.kind === "function" && b.kind === "function") return a.formals === b.formals && this.#same(b.argument, a.argument) && this.#same(a.result, b.result);
    return true;
  }

  /** Ways to what is in scope of this kind. */
  #known(wanted: Kind): string[] {
    const found: string[] = [];
    for (const [name, kind] of this.#scope) {
      if (this.#same(kind, wanted)) found.push(name);
      if (kind.kind === "set") for (const [field, inner] of Object.entries(kind.fields)) if (this.#same(inner, wanted)) found.push(`${name}.${this.#attributeName(field, false)}`);
    }
    return found;
  }

  #attributeName(name: string, dynamic = true): string {
    const r = this.#r;
    const quoted = `"${name.replace(/["\\]/g, "\\$&").replace(/\$\{/g, "\\${")}"`;
    const isPlain = /^[a-zA-Z_][a-zA-Z0-9_'-]*$/.test(name) && name !== "if" && name !== "rec";
    if (isPlain && r.chance(0.85)) return name;
    return dynamic && r.chance(0.3) ? `\${${quoted}}` : quoted;
  }

  /** Anything of this kind; `atom`: what may stand as an argument. */
  #of(wanted: Kind, d: number, atom = false): Expression {
    const r = this.#r;
    const kind = r.chance(this.#wrong) ? this.#kind(1) : wanted;
    if (r.chance(0.3)) {
      const known = this.#known(kind);
      if (known.length > 0) return this.#node(r.pick(known));
    }
    if (d <= 0) return this.#simple(kind);
    if (r.chance(0.12)) return this.#simple(kind);
    const made = r.chance(0.45) ? this.#structure(kind, d - 1) : this.#compound(kind, d - 1);
    return atom || r.chance(0.25) ? this.#paren(made) : made;
  }

  #atom(kind: Kind, d: number): Expression {
    return this.#of(kind, d, true);
  }

  #simple(kind: Kind): Expression {
    const r = this.#r;
    switch (kind.kind) {
      case "int": return this.#node(r.pick(["0", "1", "2", "3", "7", "42", "007", "10", "9223372036854775807", "1000000"]));
      case "float": return this.#node(r.pick(["0.5", "1.", "2.50", ".5", "1.5e3", "0.1", "1e3", "1.e2", "100.25", "3.0"]));
      case "bool": return this.#node(r.pick(["true", "false"]));
      case "null": return this.#node("null");
      case "string": return this.#node(r.pick(['"a"', '""', '"x y"', "''a''", "''\n  a\n    b\n''", '"\\n\\t\\$\\q"', '"$"', '"$$"', '"é"', "''''", "''$''", "'' ''\\t''\\${'''''", '"a\nb"', '"a\r\nb"', "''\n\n   x\n  \n''", "''  a\n  b''", '"$a"', "''\n\ta\n  b''", "x:y", "http://a.b/c?d=e"]));
      case "path": return this.#node(r.pick(["/nope/d/e/f/g/h/a", "/nope/d/e/f/g/a/../b", "./nope/d/e/f/g", "../nope/d/e/f/./x", "/nope/d/e/f/g/a+b", "~/nope/d/e/f/x"]));
      case "list": return this.#node("[", ...r.times(2, (): Part[] => [" ", this.#paren(this.#simple(kind.of))]).flat(), " ]");
      case "set": return this.#node("{ ", ...Object.entries(kind.fields).flatMap(([name, field]): Part[] => [this.#attributeName(name), " = ", this.#simple(field), "; "]), "}");
      case "function": return this.#lambda(kind, 0);
    }
  }

  #bind<T>(names: readonly (readonly [string, Kind])[], body: () => T): T {
    const before = this.#scope;
    this.#scope = [...before.filter(([name]) => !names.some(([other]) => other === name)), ...names];
    const result = body();
    this.#scope = before;
    return result;
  }

  #fresh(): string {
    return this.#r.chance(0.3) ? this.#r.pick(NAMES) : `v${this.#names++}`;
  }

  #lambda(kind: Kind & { readonly kind: "function" }, d: number): Expression {
    const r = this.#r;
    if (!kind.formals || kind.argument.kind !== "set") {
      const name = this.#fresh();
      return this.#bind([[name, kind.argument]], () => this.#paren(this.#node(name, ":", this.#s(), this.#of(kind.result, d))));
    }
    const given = Object.entries(kind.argument.fields);
    const all = r.chance(0.3) ? this.#fresh() : undefined;
    const missing = given.length > 0 && r.chance(0.2);
    const listed = missing ? given.slice(1) : given;
    const extra = r.times(2, () => [this.#fresh(), this.#kind(1)] as const).filter(([name], index, every) => name !== all && !given.some(([other]) => other === name) && every.findIndex(([other]) => other === name) === index);
    const rest = missing ? r.chance(0.95) : r.chance(0.3);
    const named = listed.filter(([name]) => name !== all);
    const bound: (readonly [string, Kind])[] = [...named, ...extra, ...(all === undefined ? [] : [[all, kind.argument] as const])];
    return this.#bind(bound, () => {
      const formals: Part[] = [
        ...named.map(([name, field]): Part => (r.chance(0.3) ? this.#node(name, " ? ", this.#of(field, d)) : name)),
        ...extra.map(([name, field]): Part => this.#node(name, this.#s(), "?", this.#s(), this.#of(field, d))),
        ...(rest ? ["..."] : []),
      ];
      const pattern: Part[] = ["{", this.#s(), ...formals.flatMap((formal, index) => (index === 0 ? [formal] : [r.pick([", ", ",", "\n, "]), formal])), this.#s(), "}"];
      const body = this.#of(kind.result, d);
      return this.#paren(this.#node(...(all === undefined ? pattern : r.chance(0.5) ? [all, "@", ...pattern] : [...pattern, "@", all]), ":", this.#s(), body));
    });
  }

  /** Bindings of a `let` or a set: `[name, kind]` with all forms of definitions. */
  #bindings(names: readonly (readonly [string, Kind])[], d: number, recursive: boolean): Part[] {
    const r = this.#r;
    const parts: Part[] = [];
    names.forEach(([name, kind], index) => {
      // What comes later is seldom needed, or hardly anything would end.
      const visible = recursive ? (r.chance(0.06) ? names : names.slice(0, index)) : [];
      const hidden = recursive ? names.filter((entry) => !visible.includes(entry)).map(([other]) => other) : [];
      const make = (): void => {
        const before = this.#scope;
        this.#scope = before.filter(([other]) => !hidden.includes(other));
        const whole = (): void => void parts.push(this.#attributeName(name), this.#s(), "=", this.#s(), this.#of(kind, d), ";", this.#s());
        if (kind.kind === "set" && Object.keys(kind.fields).length > 0 && r.chance(0.35)) {
          for (const [field, inner] of Object.entries(kind.fields)) parts.push(this.#attributeName(name, false), r.pick([".", ".", " . "]), this.#attributeName(field), " = ", this.#of(inner, d), ";", this.#s());
        } else if (r.chance(0.12) && this.#isPlain(name)) {
          const source: Kind = { kind: "set", fields: { [name]: kind } };
          parts.push("inherit", this.#s(), "(", this.#of(source, d - 1), ") ", r.chance(0.8) ? name : `"${name}"`, ";", this.#s());
        } else if (r.chance(0.1) && !hidden.includes(name) && before.some(([other, known]) => other === name && this.#same(known, kind))) {
          parts.push("inherit ", name, ";", this.#s());
        } else whole();
        this.#scope = before;
      };
      if (recursive) this.#bind(visible, make);
      else make();
    });
    return parts;
  }

  #isPlain(name: string): boolean {
    return NAMES.includes(name) || /^v\d+$/.test(name);
  }

  /** Constructs that any kind can stand in. */
  #structure(kind: Kind, d: number): Expression {
    const r = this.#r;
    const s = (): string => this.#s();
    switch (r.below(12)) {
      case 0: return this.#paren(this.#node("if", s(), this.#of(BOOL, d), s(), "then", s(), this.#of(kind, d), s(), "else", s(), this.#of(kind, d)));
      case 1: case 2: case 3: {
        const names = this.#distinct(r.times(3, () => [this.#fresh(), this.#kind(2)] as const));
        const parts = this.#bindings(names, d, true);
        return this.#paren(this.#bind(names, () => this.#node("let", s(), ...parts, "in", s(), this.#of(kind, d))));
      }
      case 4: {
        const name = r.pick(NAMES);
        const fields = this.#distinct([...r.times(2, () => [r.pick(NAMES), this.#kind(1)] as const), [name, kind] as const]);
        const recursive = r.chance(0.6);
        const set = this.#node(recursive ? `rec${s()}` : "", "{ ", ...this.#bindings(fields, d, recursive), "}");
        return this.#node(this.#paren(set), ".", this.#attributeName(name), ...(r.chance(0.2) ? [" or ", this.#atom(kind, d - 1)] : []));
      }
      case 5: {
        const set: Kind = { kind: "set", fields: this.#fields(1, true) };
        const source = this.#of(set, d);
        const inner = Object.entries(set.fields).filter(([name]) => !this.#scope.some(([other]) => other === name));
        return this.#paren(this.#bind(inner, () => this.#node("with", s(), source, ";", s(), this.#of(kind, d))));
      }
      case 6: {
        const argument = this.#kind(1);
        return this.#node(this.#lambda({ kind: "function", argument, formals: false, result: kind }, d), s(), this.#atom(argument, d));
      }
      case 7: {
        const argument: Kind = { kind: "set", fields: this.#fields(1, true) };
        return this.#node(this.#lambda({ kind: "function", argument, formals: true, result: kind }, d), s(), this.#atom(argument, d));
      }
      case 8: return this.#paren(this.#node("assert", s(), this.#of(BOOL, d), ";", s(), this.#of(kind, d)));
      case 9: return this.#node(r.pick(["builtins.seq ", "builtins.deepSeq ", "builtins.trace "]), this.#atom(this.#kind(1), d), s(), this.#atom(kind, d));
      case 10: {
        const argument = this.#kind(1);
        const functor = this.#node("{ __functor = self: ", this.#lambda({ kind: "function", argument, formals: false, result: kind }, d), "; }");
        return this.#paren(this.#node(functor, " ", this.#atom(argument, d)));
      }
      default: return this.#node(this.#atom({ kind: "set", fields: this.#fields(1) }, d), r.pick([".a", ".b.c", '."x y"', ".${\"a\"}"]), s(), "or", s(), this.#atom(kind, d));
    }
  }

  #distinct(names: readonly (readonly [string, Kind])[]): (readonly [string, Kind])[] {
    return [...new Map(names)].map(([name, kind]) => [name, kind] as const);
  }

  #compound(kind: Kind, d: number): Expression {
    const r = this.#r;
    const s = (): string => this.#s();
    const call = (name: string, ...args: readonly Kind[]): Expression => this.#node(name, ...args.flatMap((argument): Part[] => [s(), this.#atom(argument, d)]));
    const list = (of: Kind): Kind => ({ kind: "list", of });
    const fn = (argument: Kind, result: Kind): Kind => ({ kind: "function", argument, formals: false, result });
    switch (kind.kind) {
      case "int":
        return r.pick([
          () => this.#node(this.#of(INT, d), r.pick([" + ", " - ", "*", " * ", "-", " / ", "+"]), this.#of(INT, d)),
          () => this.#node("-", this.#of(INT, d)),
          () => this.#node(this.#of(INT, d), " + ", this.#of(INT, d), r.pick([" - ", " * "]), this.#of(INT, d)),
          () => call("builtins.length", list(this.#kind(1))),
          () => call("builtins.stringLength", STRING),
          () => call(`builtins.foldl'`, fn(INT, fn(INT, INT)), INT, list(INT)),
          () => call("builtins.bitXor", INT, INT),
        ])();
      case "float":
        return this.#node(this.#of(r.pick([INT, kind]), d), r.pick([" + ", " - ", " * ", " / "]), this.#of(kind, d));
      case "bool":
        return r.pick([
          () => { const of = r.pick([INT, STRING, { kind: "float" } as const, list(INT)]); return this.#node(this.#of(of, d), r.pick([" < ", " <= ", ">", " >= ", "<"]), this.#of(of, d)); },
          () => { const of = this.#kind(2); return this.#node(this.#of(of, d), r.pick([" == ", " != ", "=="]), this.#of(of, d)); },
          () => this.#node(this.#of(BOOL, d), r.pick([" && ", " || ", " -> ", "||"]), this.#of(BOOL, d)),
          () => this.#node(this.#of(BOOL, d), " && ", this.#of(BOOL, d), r.pick([" || ", " -> ", " == "]), this.#of(BOOL, d)),
          () => this.#node("!", this.#of(BOOL, d)),
          () => this.#node(this.#of({ kind: "set", fields: this.#fields(2) }, d), r.pick([" ? ", "?"]), r.pick(["a", "a.b", '"x"', '${"a"}', "b.${\"c\"}.d", "or", "\"\""])),
          () => this.#node("(builtins.tryEval ", this.#atom(this.#kind(1), d), ").success"),
          () => call("builtins.all", fn(INT, BOOL), list(INT)),
          () => call("builtins.elem", INT, list(INT)),
          () => call("builtins.isAttrs", this.#kind(2)),
        ])();
      case "string":
        return r.pick([
          () => this.#interpolated(d),
          () => this.#interpolated(d),
          () => this.#node(this.#of(STRING, d), " + ", this.#of(STRING, d)),
          () => call("toString", this.#kind(2)),
          () => call("builtins.toJSON", this.#kind(2)),
          () => call("builtins.concatStringsSep", STRING, list(STRING)),
          () => call("builtins.typeOf", this.#kind(2)),
          () => call("builtins.substring", INT, INT, STRING),
          () => call("builtins.toXML", this.#kind(2)),
          () => this.#node("(builtins.", r.pick(["readFile", "toString", "unsafeDiscardStringContext"]), ' (builtins.toFile "n" ', this.#atom(STRING, d), "))"),
          () => this.#node('(derivation { name = "n"; system = "s"; builder = ', this.#atom(STRING, d), "; ", r.pick(["x", "args", "outputs", "e"]), " = ", this.#of(this.#kind(2), d), "; })", r.pick([".drvPath", ".outPath", ".x", ".name"])),
        ])();
      case "path":
        return r.pick([
          () => this.#node("/nope/d/e/f/g", this.#interpolation(d), r.pick(["", "/x", ".y"])),
          () => this.#node(this.#of(kind, d), " + ", this.#of(STRING, d)),
          () => call("dirOf", kind),
          () => this.#node("./", r.pick(["a", "b-"]), this.#interpolation(d)),
        ])();
      case "list":
        return r.pick([
          () => this.#node("[", ...r.times(4, (): Part[] => [s(), this.#atom(kind.of, d)]).flat(), r.pick([" ]", "]"])),
          () => this.#node(this.#of(kind, d), r.pick([" ++ ", "++"]), this.#of(kind, d)),
          () => { const from = this.#kind(1); return call("map", fn(from, kind.of), list(from)); },
          () => call("builtins.filter", fn(kind.of, BOOL), kind),
          () => this.#node("builtins.genList ", this.#atom(fn(INT, kind.of), d), " ", r.pick(["0", "1", "3"])),
          () => call("builtins.concatLists", list(kind)),
          () => call("builtins.sort", fn(kind.of, fn(kind.of, BOOL)), kind),
          () => call("builtins.concatMap", fn(INT, kind), list(INT)),
          () => call("builtins.attrValues", { kind: "set", fields: { a: kind.of, b: kind.of } }),
        ])();
      case "set":
        return r.pick([
          () => { const recursive = r.chance(0.4); return this.#node(recursive ? "rec " : "", "{", s(), ...this.#bindings(Object.entries(kind.fields), d, recursive), "}"); },
          () => this.#node(this.#of({ kind: "set", fields: this.#fields(1) }, d), r.pick([" // ", "//"]), this.#of(kind, d)),
          () => this.#node("let", " { ", ...this.#bindings([...this.#distinct(r.times(2, () => [this.#fresh(), this.#kind(1)] as const)).filter(([name]) => name !== "body"), ["body", kind]], d, true), "}"),
          () => call("builtins.mapAttrs", fn(STRING, fn(INT, INT)), { kind: "set", fields: { a: INT, b: INT } }),
          () => this.#node("builtins.listToAttrs [ ", ...Object.entries(kind.fields).flatMap(([name, field]): Part[] => ["{ name = ", this.#name(name), "; value = ", this.#of(field, d), "; } "]), "]"),
          () => this.#node("removeAttrs ", this.#atom(kind, d), r.pick([' [ "zz" ]', ' [ "a" ]', " [ ]"])),
          () => this.#node("rec { ", ...this.#bindings(Object.entries(kind.fields), d, true), "__overrides = ", this.#of({ kind: "set", fields: this.#fields(1) }, d), "; }"),
        ])();
      case "function": return this.#lambda(kind, d);
      default: return this.#simple(kind);
    }
  }

  #name(name: string): string {
    return `"${name.replace(/["\\]/g, "\\$&").replace(/\$\{/g, "\\${")}"`;
  }

  #interpolation(d: number): Expression {
    return this.#node("${", this.#of(STRING, d - 1), "}");
  }

  #interpolated(d: number): Expression {
    const r = this.#r;
    const pieces = r.times(4, (): Part => (r.chance(0.5) ? this.#interpolation(d) : r.pick(["a", " ", "$", "\\n", "x y", "é", "\\${", "$$", "#", "/*", "'"])));
    if (r.chance(0.6)) return this.#node('"', ...pieces, '"');
    const lines = r.times(4, (): Part => this.#node(r.pick(["", "  ", "    ", "\t", " "]), ...r.times(3, (): Part => (r.chance(0.4) ? this.#interpolation(d) : r.pick(["a", "b ", "''${", "''$", "'''", "''\\n", "$", "\\", '"', "' "]))), r.pick(["\n", "\n", "", "\r\n", "  \n"])));
    return this.#node("''", r.pick(["", "\n", "  \n"]), ...lines, r.pick(["", "  "]), "''");
  }
}
