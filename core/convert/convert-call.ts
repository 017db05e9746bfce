import { fromByteString } from "../util/bytes.ts";
import { bare, staticName, type ConcreteBinding, type ConcreteExpression } from "./concrete-syntax.ts";
import { convertInherited } from "./convert-attributes.ts";
import type { Converter, Place } from "./converter.ts";
import { COMBINATORS, KNOWN_INPUTS, LIB_BUILTINS, SYSTEM } from "./known-functions.ts";
import { describe, isIterable, knownFunction } from "./known-values.ts";
import { group, ifBroken, indent, join, line, soft, type Layout } from "./layout.ts";
import { markNix } from "./mark-nix.ts";
import { combinatorLib, libFunction } from "./nixpkgs-library.ts";
import { at, primary, Strength, type Printed } from "./printed.ts";
import { find } from "./scope.ts";
import { quote } from "./typescript-names.ts";

type Call = ConcreteExpression & { readonly kind: "call" };

/** A call: of a function that TypeScript has itself, of nixpkgs' library, of anything else. */
export function convertCall(converter: Converter, e: Call, place: Place): Printed {
  const known = knownFunction(converter, e.function, place);
  if (known !== undefined) {
    const found = convertKnown(converter, e, known, place);
    if (found !== undefined) return found;
  }
  const callee = bare(e.function);
  const args = e.arguments.map((argument) => at(Strength.arrow, converter.convert(argument, { ...place, inImports: false })));
  if (callee.kind === "lambda") return call([["(", converter.lambda(callee, place).layout, ")"]], args);
  const arity = describe(converter, callee, place).arity;
  const base = at(Strength.postfix, converter.convert(callee, place));
  if (arity !== undefined && arity > args.length) {
    const names = Array.from({ length: arity - args.length }, (_, index) => `rest${arity - args.length === 1 ? "" : index + 1}`);
    return { layout: [`(${names.map((name) => `${name}: NixValue`).join(", ")}) => `, call([base], [...args, ...names]).layout], strength: Strength.arrow };
  }
  if (arity !== undefined && arity > 0 && arity < args.length) return call([call([base], args.slice(0, arity)).layout], args.slice(arity));
  return call([base], args);
}

export function call(callee: readonly Layout[], args: readonly Layout[]): Printed {
  // One argument that opens a brace stays on the line; so does the last one of several.
  const layout: Layout = args.length === 1 || hugs(args) ? [...callee, "(", join(args, ", "), ")"] : [...callee, group(["(", indent([soft, join(args, [",", line])]), ifBroken(","), soft, ")"])];
  return { layout, strength: Strength.postfix };
}

function hugs(args: readonly Layout[]): boolean {
  const short = (layout: Layout): boolean => typeof layout === "string" || (Array.isArray(layout) && layout.every(short)) || (typeof layout === "object" && "of" in layout && short(layout.of)) || (typeof layout === "object" && "kind" in layout && ["line", "soft", "broken"].includes((layout as { readonly kind: string }).kind));
  return args.slice(0, -1).every(short);
}

/** A function as an argument of a method of TypeScript, which passes more than one argument. */
function convertCallback(converter: Converter, e: ConcreteExpression, place: Place): Layout {
  const plain = bare(e);
  if (plain.kind === "lambda") return at(Strength.arrow, converter.lambda(plain, place));
  const known = knownFunction(converter, plain, place);
  if (known === "toString") return "String";
  if (known === "import" || (known !== undefined && plain.kind === "variable" && find(plain.name, place.scope).kind === "global" && !LIB_BUILTINS.has(known))) return ["(one: NixValue) => ", at(Strength.postfix, markNix(converter, e, place, `"${known}" is a function that only the Nix language has`)), "(one)"];
  return ["(one: NixValue) => ", convertCall(converter, { kind: "call", function: e, arguments: [{ kind: "variable", name: "\0one", start: e.start, end: e.end }], start: e.start, end: e.end }, { ...place, scope: { kind: "names", names: new Map([["\0one", { text: "one", role: "other", isLate: false, isNative: false }]]), parent: place.scope } }).layout];
}

/** @returns undefined where it is to be called as any function */
function convertKnown(converter: Converter, e: Call, name: string, place: Place): Printed | undefined {
  const args = e.arguments;
  const [first, second, third] = args;
  const value = (argument: ConcreteExpression, strength: number = Strength.arrow): Layout => at(strength, converter.convert(argument, place));
  const method = (of: ConcreteExpression, text: Layout): Printed => ({ layout: [value(of, Strength.postfix), text], strength: Strength.postfix });
  const combinator = COMBINATORS.get(name);
  if (combinator === args.length) {
    return call([`${combinatorLib(converter, place)}.${name}`], args.map((argument) => at(Strength.arrow, converter.convert(argument, place))));
  }
  switch (`${name}/${args.length}`) {
    case "import/1":
    case "import/2": {
      const found = convertImport(converter, first!);
      if (found === undefined) return markNix(converter, e, place, "an import of what is no file of the project");
      return second === undefined ? found : call([at(Strength.postfix, found)], [value(isNixpkgs(first!) ? withSystem(second) : second)]);
    }
    case "optional/2":
      return choose(value(first!, Strength.nullish), ["[", value(second!), "]"], "[]");
    case "optionals/2":
      return choose(value(first!, Strength.nullish), value(second!, Strength.conditional), "[]");
    case "optionalString/2":
      return choose(value(first!, Strength.nullish), value(second!, Strength.conditional), '""');
    case "optionalAttrs/2":
      return choose(value(first!, Strength.nullish), value(second!, Strength.conditional), "{}");
    case "map/2":
    case "filter/2":
    case "concatMap/2":
    case "any/2":
    case "all/2": {
      if (!isIterable(converter, second!, place)) return undefined;
      const methods: Readonly<Record<string, string>> = { map: "map", filter: "filter", concatMap: "flatMap", any: "some", all: "every" };
      return method(second!, [`.${methods[name]}(`, convertCallback(converter, first!, place), ")"]);
    }
    case "forEach/2":
      return isIterable(converter, first!, place) ? method(first!, [".map(", convertCallback(converter, second!, place), ")"]) : undefined;
    case "concatStringsSep/2":
      return isIterable(converter, second!, place) ? method(second!, [".join(", value(first!), ")"]) : undefined;
    case "concatStrings/1":
      return isIterable(converter, first!, place) ? method(first!, '.join("")') : undefined;
    case "concatMapStrings/2":
      return isIterable(converter, second!, place) ? method(second!, [".map(", convertCallback(converter, first!, place), ').join("")']) : undefined;
    case "concatMapStringsSep/3":
      return isIterable(converter, third!, place) ? method(third!, [".map(", convertCallback(converter, second!, place), ").join(", value(first!), ")"]) : undefined;
    case "length/1":
      return isIterable(converter, first!, place) ? method(first!, ".length") : undefined;
    case "elem/2": {
      const isScalar = ["string", "number", "variable", "select"].includes(bare(first!).kind);
      return isScalar && isIterable(converter, second!, place) ? method(second!, [".includes(", value(first!), ")"]) : undefined;
    }
    case "head/1":
      return isIterable(converter, first!, place) ? method(first!, "[0]!") : undefined;
    case "isNull/1":
      return { layout: [value(first!, Strength.equality), " === null"], strength: Strength.equality };
    case "hasAttr/2":
      return { layout: [value(first!, Strength.relation), " in ", value(second!, Strength.relation + 1)], strength: Strength.relation };
    case "getAttr/2":
      return method(second!, ["[", value(first!), "]"]);
    case "attrValues/1":
      return sortedValues(converter, first!, place);
    case "toString/1":
      return convertToString(converter, e, first!, place);
    case "throw/1":
    case "abort/1":
      return { layout: ["(() => { throw new Error(", value(first!), "); })()"], strength: Strength.postfix };
    case "readFile/1":
    case "fileContents/1": {
      const file = bare(first!);
      if (file.kind !== "path" || file.parts.length > 0 || file.literal.startsWith("/") || file.literal.startsWith("~")) break;
      const path = fromByteString(file.literal);
      converter.context.keep(path.startsWith(".") ? path : `./${path}`);
      converter.needs.imports.add("readFile");
      return { layout: `readFile(${quote(path.startsWith(".") ? path : `./${path}`)})${name === "fileContents" ? '.replace(/\\n$/, "")' : ""}`, strength: Strength.postfix };
    }
    default:
  }
  const plain = bare(e.function);
  const isGlobal = plain.kind === "variable" || (plain.kind === "select" && bare(plain.of).kind === "variable" && (bare(plain.of) as { readonly name?: string }).name === "builtins");
  // What the library lacks is the language's own.
  if (isGlobal && !LIB_BUILTINS.has(name) && (plain.kind === "select" || find(plain.name, place.scope).kind === "global")) return markNix(converter, e, place, `"${name}" is a function that only the Nix language has`);
  return undefined;
}

function choose(condition: Layout, then: Layout, otherwise: string): Printed {
  return { layout: group([condition, indent([line, "? ", then, line, ": ", otherwise])]), strength: Strength.conditional };
}

function convertImport(converter: Converter, e: ConcreteExpression): Printed | undefined {
  const file = bare(e);
  if (file.kind === "path" && file.parts.length === 0) {
    const literal = fromByteString(file.literal);
    const name = converter.context.importOf(literal.startsWith(".") ? literal : `./${literal}`, "value");
    return name === undefined ? undefined : primary(name);
  }
  if (file.kind === "search-path") {
    const [name, ...rest] = fromByteString(file.path).split("/") as [string, ...string[]];
    const input = converter.context.input(name);
    return input === undefined ? undefined : { layout: `${input}.nix<NixValue>(${rest.length === 0 ? "" : quote(rest.join("/"))})`, strength: Strength.postfix };
  }
  return undefined;
}

function isNixpkgs(e: ConcreteExpression): boolean {
  const file = bare(e);
  return file.kind === "search-path" && KNOWN_INPUTS[fromByteString(file.path)]?.[0] === "NixOS/nixpkgs";
}

/** A pure evaluation has no `builtins.currentSystem`, which nixpkgs' packages are for where nothing says otherwise. */
function withSystem(e: ConcreteExpression): ConcreteExpression {
  const set = bare(e);
  if (set.kind !== "attributes") return e;
  const names = set.bindings.flatMap((binding) => (binding.kind === "inherit" ? binding.names.map(({ name }) => name) : staticName(binding.path[0]) ?? []));
  if (names.some((name) => ["system", "localSystem", "hostPlatform", "buildPlatform"].includes(name))) return e;
  const place = { start: set.start, end: set.start };
  const system: ConcreteBinding = { kind: "attribute", path: [{ kind: "static", name: "system", ...place }], value: { kind: "string", indented: false, parts: [{ kind: "text", text: SYSTEM }], ...place }, ...place };
  return { ...set, bindings: [system, ...set.bindings] };
}

/** `attrValues { inherit (pkgs) b a; }` is a list of packages, in the order of their names. */
function sortedValues(converter: Converter, e: ConcreteExpression, place: Place): Printed | undefined {
  const set = bare(e);
  if (set.kind !== "attributes" || set.recursive || !set.bindings.every((binding) => binding.kind === "inherit")) return undefined;
  const values = set.bindings.flatMap((binding) => (binding.kind === "inherit" ? binding.names.map((name) => ({ name: name.name, layout: convertInherited(converter, name.name, binding.from, name, place) })) : []));
  values.sort((a, b) => (a.name < b.name ? -1 : 1));
  return primary(group(["[", indent([soft, join(values.map(({ layout }) => layout), [",", line])]), ifBroken(","), soft, "]"]));
}

/** `String` writes numbers and texts as Nix does; truth values, lists and paths it does not. */
function convertToString(converter: Converter, e: Call, argument: ConcreteExpression, place: Place): Printed {
  const plain = bare(argument);
  if (plain.kind === "number" || plain.kind === "binary" || plain.kind === "string") return { layout: ["String(", converter.convert(argument, place).layout, ")"], strength: Strength.postfix };
  const last = plain.kind === "select" ? plain.path.at(-1) : undefined;
  const name = plain.kind === "variable" ? plain.name : last?.kind === "static" ? last.name : "";
  if (name !== "" && !/^(?:is|has|enable|allow|use|with)|(?:Enable|enable|Enabled)$/.test(name)) return { layout: ["String(", converter.convert(argument, place).layout, ")"], strength: Strength.postfix };
  const lib = libFunction(converter, "toString", place);
  if (lib === undefined || plain.kind === "path") return markNix(converter, e, place, "`toString` of what may be no number or text");
  return { layout: [lib, "(", converter.convert(argument, place).layout, ")"], strength: Strength.postfix };
}
