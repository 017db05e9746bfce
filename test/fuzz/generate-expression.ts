/** Expressions by a typed grammar, now and then of another type than is wanted. */
import { drvName, hash, json, literal, regex, subject, toml, version } from "./generate-text.ts";
import type { Random } from "./random.ts";

export type Type = "int" | "float" | "number" | "bool" | "string" | "path" | "null" | "list" | "set" | "function" | "any";

/** A tree of text, so that a part can be taken out of a case that differs. */
export type Expression = { readonly type: Type; readonly parts: readonly (string | Expression)[] };

export function printExpression(expression: Expression): string {
  return expression.parts.map((part) => (typeof part === "string" ? part : printExpression(part))).join("");
}

const TYPES: readonly Type[] = ["int", "float", "bool", "string", "path", "null", "list", "set", "function"];
const NAMES = ["a", "b", "c", "x", "name", "value", "type", "outPath", "d-e", "key"];

/** `files`: a folder that both sides see, with what `prepare-files.ts` puts there. */
export type GeneratorOptions = { readonly files: string; readonly wrongTypes: number };

export class ExpressionGenerator {
  readonly #r: Random;
  readonly #options: GeneratorOptions;
  #scope: { name: string; type: Type }[] = [];

  constructor(random: Random, options: GeneratorOptions) {
    this.#r = random;
    this.#options = options;
  }

  /** One of the builtins that read a text, alone. */
  generateText(kind: string): Expression {
    const r = this.#r;
    switch (kind) {
      case "toml": return this.#node("any", ["builtins.fromTOML ", ""], literal(toml(r)));
      case "json": return this.#node("any", ["builtins.fromJSON ", ""], literal(json(r)));
      case "match": return this.#node("any", ["builtins.match ", " ", ""], literal(regex(r)), literal(subject(r)));
      case "split": return this.#node("any", ["builtins.split ", " ", ""], literal(regex(r)), literal(subject(r)));
      case "hash": return this.#node("any", ["builtins.convertHash { hash = ", "; ", "toHashFormat = ", "; }"], literal(hash(r)), r.pick(["", 'hashAlgo = "sha256"; ', 'hashAlgo = "md5"; ', 'hashAlgo = "sha1"; ']), r.pick(['"base16"', '"nix32"', '"base64"', '"sri"']));
      case "version": return this.#node("any", ["[ (builtins.compareVersions ", " ", ") (builtins.splitVersion ", ") ]"], literal(version(r)), literal(version(r)), literal(version(r)));
      case "derivation": return this.#node("any", ["let d = ", "; in [ d.drvPath d.outPath (d.dev or null) ]"], this.#derivation(3));
      default: throw new RangeError(`no such kind of text: "${kind}"`);
    }
  }

  /** A whole case. */
  generate(): Expression {
    this.#scope = [];
    if (this.#r.chance(0.15)) return this.#wildCall(3);
    return this.#r.chance(0.35) ? this.#call(4) : this.of("any", 4);
  }

  of(wanted: Type, depth: number): Expression {
    const r = this.#r;
    let type = wanted;
    if (type === "any") type = r.pick(TYPES);
    else if (r.chance(this.#options.wrongTypes)) type = r.pick(TYPES);
    if (type === "number") type = r.chance(0.6) ? "int" : "float";
    const known = this.#scope.filter((variable) => variable.type === type || variable.type === "any");
    if (known.length > 0 && r.chance(0.25)) return { type, parts: [r.pick(known).name] };
    if (depth <= 0 || r.chance(0.2)) return this.#leaf(type);
    if (r.chance(0.25)) return this.#structure(type, depth - 1);
    return this.#compound(type, depth - 1);
  }

  #node(type: Type, strings: readonly string[], ...values: readonly (string | Expression)[]): Expression {
    const parts: (string | Expression)[] = [];
    strings.forEach((text, index) => {
      if (text !== "") parts.push(text);
      if (index < values.length) parts.push(values[index]!);
    });
    return { type, parts };
  }

  #leaf(type: Type): Expression {
    const r = this.#r;
    const text = (): string => {
      switch (type) {
        case "int": return r.pick(["0", "1", "2", "3", "(-1)", "7", "10", "100", "9223372036854775807", "(-9223372036854775807)", "9007199254740993", "(-3)", "4294967296"]);
        case "float": return r.pick(["0.5", "1.0", "(-1.5)", "2.25", "1e10", "1e-7", "3.14159265358979", "1e308", "(1e308 * 10)", "(-0.0)", "0.1", "123456789.125", "1e15", "1.0e6", ".5", "9223372036854775807.0", "100000.0", "1234567.0"]);
        case "bool": return r.pick(["true", "false"]);
        case "string": return r.pick(['""', '"a"', '"b"', '"abc"', '"a b"', '"é"', '"x/y"', '"/a/b"', '"1.2.3"', '"1"', "\"a\\nb\"", '"\\"q\\\\"', '"name"', '"key"', "''\n  ind\n    ented\n''".replaceAll("\n", " "), '"$"', '"a.b-c"', '"/"', '"foo-1.2"', '(builtins.toFile "f" "x")', '(builtins.substring 1 1 "é")', '"${derivation { name = "n"; system = "s"; builder = "b"; }}/x"', '(derivation { name = "n"; system = "s"; builder = "b"; }).drvPath', '"\\t\\r${"$"}{"', '"-1.5e3"', '"[]"']);
        case "path": return r.pick(["/nope/a/b/c/d/e", "/nope/x/../a/b/c/d.nix", "./nope/y/z/u/v.nix", `${this.#options.files}/one`, `${this.#options.files}/folder`, `${this.#options.files}/link`, `${this.#options.files}`]);
        case "null": return "null";
        case "list": return r.pick(["[ ]", "[ 1 2 3 ]", '[ "a" "b" ]', "[ 3 1 2 ]", "[ null ]", "[ [ ] [ 1 ] ]", "[ { a = 1; } { a = 2; b = 3; } ]", "[ 1.5 1 ]", '[ "b" "a" "c" "a" ]']);
        case "set": return r.pick(["{ }", "{ a = 1; }", '{ b = "x"; a = 2; }', '{ name = "a"; value = 1; }', '{ outPath = "/o"; }', '{ __toString = self: "s"; }', '{ type = "derivation"; outPath = "/x"; }', "{ a.b.c = 1; }", '{ key = 1; }', "{ __functor = self: x: x; }", "{ c = 1; b = 2; a = 3; }"]);
        case "function": return r.pick(["(x: x)", "(x: y: x)", "({ a, b ? 1 }: a)", "({ ... }@s: s)", "(x: x + 1)", "builtins.length", "(x: y: x < y)", "builtins.add 1", "toString", "({ a ? 1, ... }: a)", "(x: [ x x ])", "(x: throw \"f\")", "(builtins.add)"]);
        default: return "null";
      }
    };
    return { type, parts: [r.chance(0.02) ? r.pick(['(throw "t")', '(abort "a")', "(assert false; 1)", '(builtins.getAttr "nope" { })']) : text()] };
  }

  /** What any type can stand in. */
  #structure(type: Type, d: number): Expression {
    const r = this.#r;
    switch (r.below(9)) {
      case 0: case 1: return this.#node(type, ["(if ", " then ", " else ", ")"], this.of("bool", d), this.of(type, d), this.of(type, d));
      case 2: {
        const name = `v${this.#scope.length}`;
        const variable = r.pick(TYPES);
        const bound = this.of(variable, d);
        this.#scope.push({ name, type: variable });
        const body = this.of(type, d);
        this.#scope.pop();
        return this.#node(type, ["(let ", " = ", "; in ", ")"], name, bound, body);
      }
      case 3: return this.#node(type, ["(", ").", ""], this.#setWith("a", type, d), "a");
      case 4: return this.#node(type, ["(", ".", " or ", ")"], this.of("set", d), r.pick(NAMES.slice(0, 4)), this.of(type, d));
      case 5: return this.#node(type, ["(builtins.elemAt [ ", " ", " ] ", ")"], this.of(type, d), this.of(type, d), r.pick(["0", "1", "1", "2"]));
      case 6: return this.#apply(type, d);
      case 7: return this.#node(type, ["(with ", "; ", ")"], this.of("set", d), this.of(type, d));
      default: return this.#node(type, ["(builtins.head [ ", " ", " ])"], this.of(type, d), this.of("any", d - 1));
    }
  }

  #setWith(name: string, type: Type, d: number): Expression {
    return this.#node("set", ["", "{ ", " = ", "; ", " = ", "; }"], this.#r.chance(0.3) ? "rec " : "", name, this.of(type, d), this.#r.pick(["b", "c", "x"]), this.of("any", d - 1));
  }

  #apply(type: Type, d: number): Expression {
    const argument = this.#r.pick(TYPES);
    return this.#node(type, ["(", " ", ")"], this.#lambda([argument], type, d), this.of(argument, d));
  }

  /** `(p0: p1: …)` over the scope. */
  #lambda(parameters: readonly Type[], result: Type, d: number): Expression {
    const before = this.#scope.length;
    const names = parameters.map((type, index) => {
      const name = `p${before + index}`;
      this.#scope.push({ name, type });
      return name;
    });
    const body = this.of(result, d);
    this.#scope.length = before;
    return { type: "function", parts: ["(", ...names.map((name) => `${name}: `), body, ")"] };
  }

  #list(type: Type, d: number, most = 4): Expression {
    const items = this.#r.times(most, () => this.of(type, d));
    return { type: "list", parts: ["[ ", ...items.flatMap((item) => [item, " "]), "]"] };
  }

  #set(type: Type, d: number): Expression {
    const r = this.#r;
    const names = [...new Set(r.times(4, () => r.pick(NAMES.slice(0, 5))))];
    return { type: "set", parts: ["{ ", ...names.flatMap((name) => [`${name} = `, this.of(type, d), "; "]), "}"] };
  }

  #compound(type: Type, d: number): Expression {
    const r = this.#r;
    const n = (strings: readonly string[], ...values: readonly (string | Expression)[]): Expression => this.#node(type, strings, ...values);
    const of = (t: Type): Expression => this.of(t, d);
    switch (type) {
      case "int":
        return r.pick([
          () => n(["(", " ", " ", ")"], of("int"), r.pick(["+", "-", "*", "/"]), of("int")),
          () => n(["(-", ")"], of("int")),
          () => n(["(builtins.length ", ")"], of("list")),
          () => n(["(builtins.stringLength ", ")"], of("string")),
          () => n(["(builtins.", " ", " ", ")"], r.pick(["add", "sub", "mul", "div", "bitAnd", "bitOr", "bitXor"]), of("int"), of("int")),
          () => n(["(builtins.", " ", ")"], r.pick(["ceil", "floor"]), of("number")),
          () => n(["(builtins.compareVersions ", " ", ")"], literal(version(r)), literal(version(r))),
          () => n(["(builtins.foldl' ", " ", " ", ")"], this.#lambda(["int", "int"], "int", d), of("int"), this.#list("int", d)),
        ])();
      case "float":
        return r.pick([
          () => n(["(", " ", " ", ")"], of("float"), r.pick(["+", "-", "*", "/"]), of("number")),
          () => n(["(", " ", " ", ")"], of("int"), r.pick(["+", "-", "*", "/"]), of("float")),
          () => n(["(builtins.fromJSON ", ")"], literal(`${r.below(1000)}.${r.below(10000)}e${r.below(30) - 15}`)),
          () => n(["(-", ")"], of("float")),
        ])();
      case "bool":
        return r.pick([
          () => { const t = r.pick<Type>(["number", "string", "list", "path", "any"]); return n(["(", " ", " ", ")"], of(t), r.pick(["<", "<=", ">", ">="]), of(t)); },
          () => { const t = r.pick(TYPES); return n(["(", " ", " ", ")"], of(t), r.pick(["==", "!="]), of(t)); },
          () => n(["(", " ", " ", ")"], of("bool"), r.pick(["&&", "||", "->"]), of("bool")),
          () => n(["(!", ")"], of("bool")),
          () => n(["(", " ? ", ")"], of("set"), r.pick([...NAMES, "a.b", '"a"', '${"b"}'])),
          () => n(["(builtins.", " ", ")"], r.pick(["isNull", "isBool", "isInt", "isFloat", "isString", "isPath", "isList", "isAttrs", "isFunction"]), of("any")),
          () => n(["(builtins.", " ", " ", ")"], r.pick(["any", "all"]), this.#lambda(["any"], "bool", d), of("list")),
          () => n(["(builtins.elem ", " ", ")"], of("any"), of("list")),
          () => n(["(builtins.hasAttr ", " ", ")"], of("string"), of("set")),
          () => n(["(builtins.lessThan ", " ", ")"], of("any"), of("any")),
          () => n(["(builtins.tryEval ", ").success"], of("any")),
          () => n(["(builtins.pathExists ", ")"], r.chance(0.6) ? of("path") : of("string")),
          () => n(["(builtins.hasContext ", ")"], of("string")),
        ])();
      case "string":
        return r.pick([
          () => n(["(", " + ", ")"], of("string"), of("string")),
          () => n(['"${', '}-${', '}"'], of("string"), of("string")),
          () => n(["(toString ", ")"], of("any")),
          () => n(["(builtins.substring ", " ", " ", ")"], of("int"), of("int"), of("string")),
          () => n(["(builtins.concatStringsSep ", " ", ")"], of("string"), this.#list("string", d)),
          () => n(["(builtins.replaceStrings ", " ", " ", ")"], this.#list("string", d, 3), this.#list("string", d, 3), of("string")),
          () => n(["(builtins.toJSON ", ")"], of("any")),
          () => n(["(builtins.toXML ", ")"], of("any")),
          () => n(["(builtins.typeOf ", ")"], of("any")),
          () => n(["(builtins.hashString ", " ", ")"], r.pick(['"md5"', '"sha1"', '"sha256"', '"sha512"', '"blake3"', '"sha3"']), of("string")),
          () => n(["(baseNameOf ", ")"], r.pick([of("path"), of("string"), this.#leafPathText()])),
          () => n(["(dirOf ", ")"], r.pick([of("string"), this.#leafPathText()])),
          () => n(["(builtins.readFile ", ")"], r.chance(0.5) ? { type: "path", parts: [`${this.#options.files}/${r.pick(["one", "two", "folder/three", "link", "nul", "bytes", "nothing", "folder", "empty"])}`] } : of("path")),
          () => n(["(builtins.readFileType ", ")"], of("path")),
          () => n(["(builtins.toPath ", ")"], r.pick([of("string"), of("path"), this.#leafPathText()])),
          () => n(["(builtins.unsafeDiscardStringContext ", ")"], of("string")),
          () => n(["(builtins.getEnv ", ")"], of("string")),
          () => n(["(placeholder ", ")"], of("string")),
          () => n(["(builtins.toFile ", " ", ")"], r.pick(['"f"', '"a.txt"', '"a b"', '""', '".x"', '"é"', '"."', '".."', '"x-1?=+_"']), of("string")),
          () => n(["(builtins.convertHash { hash = ", "; ", "toHashFormat = ", "; })"], literal(hash(r)), r.pick(["", 'hashAlgo = "sha256"; ', 'hashAlgo = "md5"; ', 'hashAlgo = "sha1"; ', 'hashAlgo = "sha512"; ']), r.pick(['"base16"', '"nix32"', '"base32"', '"base64"', '"sri"', '"base8"'])),
          () => n(["", ".", ""], this.#derivation(d), r.pick(["outPath", "drvPath", "name", "out", "dev", "outputName", "type"])),
        ])();
      case "path":
        return r.pick([
          () => n(["(", " + ", ")"], of("path"), r.chance(0.7) ? this.#leafPathText() : of("string")),
          () => n(["(dirOf ", ")"], { type: "path", parts: [r.pick(["/nope/a/b/c", `${this.#options.files}/one`, `${this.#options.files}/folder/three`])] }),
          () => n(["(/a/${", "})"], of("string")),
          () => n(["(builtins.findFile [ { prefix = ", "; path = ", "; } ] ", ")"], r.pick(['""', '"x"', '"one"', '"folder"', '"fo"']), r.chance(0.8) ? { type: "string", parts: [`"${this.#options.files}"`] } : of("path"), r.pick(['"one"', '"x/one"', '"folder/three"', '"x"', '"nope"', '"one/two"'])),
        ])();
      case "list":
        return r.pick([
          () => this.#list("any", d),
          () => n(["(", " ++ ", ")"], of("list"), of("list")),
          () => n(["(map ", " ", ")"], this.#lambda(["any"], "any", d), of("list")),
          () => n(["(builtins.filter ", " ", ")"], this.#lambda(["any"], "bool", d), of("list")),
          () => n(["(builtins.sort ", " ", ")"], r.chance(0.5) ? { type: "function", parts: [r.pick(["builtins.lessThan", "(a: b: a < b)", "(a: b: a > b)", "(a: b: true)", "(a: b: false)", "(a: b: builtins.trace [ a b ] (a < b))"])] } : this.#lambda(["any", "any"], "bool", d), r.chance(0.6) ? this.#list(r.pick<Type>(["int", "string", "number", "list"]), d, 24) : of("list")),
          () => n(["(builtins.genList ", " ", ")"], this.#lambda(["int"], "any", d), r.pick(["0", "1", "3", "(-1)", "5"])),
          () => n(["(builtins.concatLists ", ")"], this.#list("list", d)),
          () => n(["(builtins.concatMap ", " ", ")"], this.#lambda(["any"], "list", d), of("list")),
          () => n(["(builtins.attrNames ", ")"], of("set")),
          () => n(["(builtins.attrValues ", ")"], of("set")),
          () => n(["(builtins.catAttrs ", " ", ")"], of("string"), this.#list("set", d)),
          () => n(["(builtins.tail ", ")"], of("list")),
          () => n(["(builtins.splitVersion ", ")"], literal(version(r))),
          () => n(["(builtins.match ", " ", ")"], literal(regex(r)), r.chance(0.8) ? literal(subject(r)) : of("string")),
          () => n(["(builtins.split ", " ", ")"], literal(regex(r)), r.chance(0.8) ? literal(subject(r)) : of("string")),
          () => n(["(builtins.genericClosure { startSet = ", "; operator = ", "; })"], this.#closureItems(d), { type: "function", parts: [r.pick(["(i: [ ])", "(i: if builtins.isInt i.key && i.key < 4 && i.key > 0 then [ { key = i.key + 1; } { key = i.key * 2; } ] else [ ])", '(i: [ { key = 1; from = i.key; } ])', '(i: [ (throw "x") ])', "(i: [ { } ])", "(i: 1)"])] }),
          () => n(["(builtins.foldl' ", " ", " ", ")"], this.#lambda(["list", "any"], "list", d), of("list"), of("list")),
        ])();
      case "set":
        return r.pick([
          () => this.#set("any", d),
          () => n(["(", " // ", ")"], of("set"), of("set")),
          () => n(["(builtins.mapAttrs ", " ", ")"], this.#lambda(["string", "any"], "any", d), of("set")),
          () => n(["(builtins.listToAttrs ", ")"], this.#pairs(d)),
          () => n(["(removeAttrs ", " ", ")"], of("set"), this.#list("string", d)),
          () => n(["(builtins.intersectAttrs ", " ", ")"], of("set"), of("set")),
          () => n(["(builtins.groupBy ", " ", ")"], this.#lambda(["any"], "string", d), of("list")),
          () => n(["(builtins.partition ", " ", ")"], this.#lambda(["any"], "bool", d), of("list")),
          () => n(["(builtins.zipAttrsWith ", " ", ")"], this.#lambda(["string", "list"], "any", d), this.#list("set", d)),
          () => n(["(builtins.functionArgs ", ")"], of("function")),
          () => n(["(builtins.parseDrvName ", ")"], literal(drvName(r))),
          () => n(["(builtins.tryEval ", ")"], of("any")),
          () => n(["(builtins.fromJSON ", ")"], literal(json(r))),
          () => n(["(builtins.fromTOML ", ")"], literal(toml(r))),
          () => n(["(builtins.getContext ", ")"], of("string")),
          () => n(["(builtins.readDir ", ")"], of("path")),
          () => n(["{ ${", "} = ", "; }"], of("string"), of("any")),
          () => this.#derivation(d),
        ])();
      case "function":
        return r.pick([
          () => this.#lambda([r.pick(TYPES)], "any", d),
          () => this.#lambda([r.pick(TYPES), r.pick(TYPES)], "any", d),
          () => n(["({ a ? ", ", ... }: a)"], of("any")),
          () => n(["(builtins.", " ", ")"], r.pick(["add", "elem", "map", "filter", "seq", "hasAttr", "lessThan"]), of("any")),
        ])();
      default:
        return this.#leaf(type);
    }
  }

  #leafPathText(): Expression {
    return { type: "string", parts: [this.#r.pick(['"/a/b"', '"/a/b/"', '"/"', '"//"', '"a/b"', '"a"', '""', '"/a//b/../c/."', '"/a/b/../c"', '"."', '"/x"', '"a/"', '"/a//"', `"${this.#options.files}/one"`, `"${this.#options.files}/folder/"`, `"${this.#options.files}/one/"`, `"${this.#options.files}/dangling"`])] };
  }

  #pairs(d: number): Expression {
    const items = this.#r.times(4, (): Expression => this.#node("set", ["{ name = ", "; value = ", "; }"], this.of("string", d - 1), this.of("any", d - 1)));
    return { type: "list", parts: ["[ ", ...items.flatMap((item) => [item, " "]), "]"] };
  }

  #closureItems(d: number): Expression {
    const items = this.#r.times(4, (): Expression => this.#node("set", ["{ key = ", "; }"], this.of(this.#r.pick<Type>(["int", "int", "string", "any", "number"]), d - 1)));
    return { type: "list", parts: ["[ ", ...items.flatMap((item) => [item, " "]), "]"] };
  }

  #derivation(d: number): Expression {
    const r = this.#r;
    const of = (t: Type): Expression => this.of(t, d - 1);
    const parts: (string | Expression)[] = ["(derivation { "];
    if (r.chance(0.97)) parts.push("name = ", r.chance(0.9) ? r.pick(['"n"', '"foo-1.2"', '"a b"', '"x.drv"', '""', '".x"']) : of("string"), "; ");
    if (r.chance(0.97)) parts.push("system = ", r.chance(0.9) ? '"x86_64-linux"' : of("any"), "; ");
    if (r.chance(0.97)) parts.push("builder = ", r.chance(0.8) ? '"/bin/sh"' : of("any"), "; ");
    if (r.chance(0.3)) parts.push("args = ", this.#list("any", d - 1, 3), "; ");
    if (r.chance(0.3)) parts.push("outputs = ", r.pick<() => string | Expression>([() => '[ "out" ]', () => '[ "out" "dev" ]', () => '[ "dev" ]', () => '[ "out" "out" ]', () => "[ ]", () => '[ "drvPath" ]', () => '[ "a b" ]', () => '[ "drv" ]', () => of("list"), () => '"out dev"'])(), "; ");
    if (r.chance(0.2)) {
      parts.push("outputHash = ", r.chance(0.8) ? literal(hash(r)) : of("any"), "; ");
      if (r.chance(0.6)) parts.push("outputHashAlgo = ", r.pick(['"sha256"', '"sha1"', '"md5"', '"sha512"', "null", '""', '"foo"']), "; ");
      if (r.chance(0.6)) parts.push("outputHashMode = ", r.pick(['"flat"', '"recursive"', '"nar"', '"text"', '"git"', '"foo"', "null"]), "; ");
    }
    if (r.chance(0.15)) parts.push("__structuredAttrs = ", r.pick(["true", "true", "false", "null"]), "; ");
    if (r.chance(0.1)) parts.push("__ignoreNulls = ", r.pick(["true", "false"]), "; ");
    if (r.chance(0.05)) parts.push("__contentAddressed = ", r.pick(["true", "false"]), "; ");
    if (r.chance(0.05)) parts.push("__impure = ", r.pick(["true", "false"]), "; ");
    for (const name of ["a", "b", "passthru", "allowedReferences", "__json", "_x", "out", "meta"]) if (r.chance(0.12)) parts.push(`${name} = `, of("any"), "; ");
    parts.push("})");
    return { type: "set", parts };
  }

  /** Any builtin with any number of arguments of any kind. */
  #wildCall(d: number): Expression {
    const r = this.#r;
    const parts: (string | Expression)[] = [`(builtins.${r.pick(WILD)}`];
    for (let count = r.pick([0, 1, 1, 1, 2, 2, 2, 2, 3, 3, 4]); count > 0; count--) parts.push(" ", r.chance(0.15) ? this.#wildCall(d - 1) : this.of(r.pick(TYPES), r.below(d + 1)));
    parts.push(")");
    return { type: "any", parts };
  }

  /** Any builtin with arguments that mostly fit. */
  #call(d: number): Expression {
    const r = this.#r;
    const [name, ...types] = r.pick(SIGNATURES);
    const parts: (string | Expression)[] = [`(builtins.${name}`];
    for (const type of types) parts.push(" ", this.of(type, d - 1));
    parts.push(")");
    return { type: "any", parts };
  }
}

const SIGNATURES: readonly (readonly [string, ...Type[]])[] = [
  ["abort", "string"], ["add", "number", "number"], ["addDrvOutputDependencies", "string"], ["addErrorContext", "string", "any"], ["all", "function", "list"], ["any", "function", "list"],
  ["appendContext", "string", "set"], ["attrNames", "set"], ["attrValues", "set"], ["baseNameOf", "string"], ["bitAnd", "int", "int"], ["catAttrs", "string", "list"], ["ceil", "number"],
  ["compareVersions", "string", "string"], ["concatLists", "list"], ["concatMap", "function", "list"], ["concatStringsSep", "string", "list"], ["convertHash", "set"], ["deepSeq", "any", "any"], ["derivation", "set"],
  ["derivationStrict", "set"], ["dirOf", "path"], ["div", "number", "number"], ["elem", "any", "list"], ["elemAt", "list", "int"], ["filter", "function", "list"], ["filterSource", "function", "path"], ["findFile", "list", "string"], ["floor", "number"],
  ["foldl'", "function", "any", "list"], ["fromJSON", "string"], ["fromTOML", "string"], ["functionArgs", "function"], ["genList", "function", "int"], ["genericClosure", "set"], ["getAttr", "string", "set"],
  ["getContext", "string"], ["getEnv", "string"], ["groupBy", "function", "list"], ["hasAttr", "string", "set"], ["hasContext", "string"], ["hashFile", "string", "path"], ["hashString", "string", "string"], ["head", "list"],
  ["import", "path"], ["intersectAttrs", "set", "set"], ["isAttrs", "any"], ["length", "list"], ["lessThan", "any", "any"], ["listToAttrs", "list"], ["map", "function", "list"], ["mapAttrs", "function", "set"], ["match", "string", "string"], ["mul", "number", "number"],
  ["parseDrvName", "string"], ["partition", "function", "list"], ["path", "set"], ["pathExists", "path"], ["placeholder", "string"], ["readDir", "path"], ["readFile", "path"], ["readFileType", "path"], ["removeAttrs", "set", "list"],
  ["replaceStrings", "list", "list", "string"], ["scopedImport", "set", "path"], ["seq", "any", "any"], ["sort", "function", "list"], ["split", "string", "string"], ["splitVersion", "string"], ["storePath", "path"], ["stringLength", "string"], ["sub", "number", "number"],
  ["substring", "int", "int", "string"], ["tail", "list"], ["throw", "string"], ["toFile", "string", "string"], ["toJSON", "any"], ["toPath", "string"], ["toString", "any"], ["toXML", "any"], ["trace", "any", "any"], ["traceVerbose", "any", "any"], ["tryEval", "any"], ["typeOf", "any"],
  ["unsafeDiscardOutputDependency", "string"], ["unsafeDiscardStringContext", "string"], ["unsafeGetAttrPos", "string", "set"], ["warn", "string", "any"], ["zipAttrsWith", "function", "list"], ["isFunction", "any"], ["isPath", "any"], ["isString", "any"],
];

/** All but what asks for the time, fetches, or sees the evaluation's own settings. */
const WILD: readonly string[] = [...new Set([...SIGNATURES.map(([name]) => name), "bitOr", "bitXor", "ceil", "convertHash", "floor", "isBool", "isFloat", "isInt", "isList", "isNull", "toString", "derivation", "unsafeGetAttrPos", "true", "null", "nixVersion", "langVersion", "storeDir"])];
