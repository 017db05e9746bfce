import { fromByteString, type ByteString } from "../util/bytes.ts";
import { bare, isStatic, lambdaChain, staticName, type ConcreteExpression } from "./concrete-syntax.ts";
import type { Converter, Place } from "./converter.ts";
import { LIB_BUILTINS, LIB_NAMES, LIB_PARTS } from "./known-functions.ts";
import { printFlat } from "./layout.ts";
import { at, Strength } from "./printed.ts";
import { find, freeVariables, type Scope, type Variable } from "./scope.ts";
import { propertyAccess } from "./typescript-names.ts";

/** What is known of a value. */
export function describe(converter: Converter, e: ConcreteExpression, place: Place): Pick<Variable, "role" | "isLate" | "isNative" | "arity"> {
  const plain = bare(e);
  const isLate = dependsOnConfiguration(plain, place);
  const none = { role: "other", isLate, isNative: isNative(converter, plain, place) } as const;
  if (plain.kind === "variable") {
    const found = find(plain.name, place.scope);
    if (found.kind === "variable") return found.variable;
    if (found.kind === "global" && plain.name === "builtins") return { ...none, role: "lib" };
    if (found.kind === "with") return { ...none, role: plain.name === "lib" && found.scopes.some(({ variable }) => variable.role === "packages") ? "lib" : "other" };
    return none;
  }
  if (plain.kind === "select" && plain.path.length === 1) {
    const inner = describe(converter, plain.of, place);
    const [name] = plain.path;
    if (inner.role === "packages" && name?.kind === "static") return { ...none, role: name.name === "lib" ? "lib" : "other" };
  }
  if (plain.kind === "lambda") return { ...none, arity: lambdaChain(plain).parameters.length };
  return none;
}

export function dependsOnConfiguration(e: ConcreteExpression, place: Place): boolean {
  for (const name of freeVariables(e)) {
    const found = find(name, place.scope);
    if (found.kind === "variable" && found.variable.isLate) return true;
    if (found.kind === "with" && found.scopes[0]!.variable.isLate) return true;
  }
  return false;
}

/** Whether TypeScript can look into it at once: what a function of nixpkgs makes of packages or the configuration it cannot. */
export function isNative(converter: Converter, e: ConcreteExpression, place: Place): boolean {
  const plain = bare(e);
  switch (plain.kind) {
    case "list":
    case "lambda":
    case "string":
    case "number":
      return true;
    case "attributes":
      return true;
    case "if":
      return isNative(converter, plain.then, place) && isNative(converter, plain.else, place);
    case "variable": {
      const found = find(plain.name, place.scope);
      return found.kind === "variable" && (found.variable.isNative || !found.variable.isLate);
    }
    case "select":
      return plain.default === undefined && isNative(converter, plain.of, place) && !dependsOnConfiguration(plain, place);
    case "binary":
      return plain.operator === "++" || plain.operator === "//" ? isNative(converter, plain.left, place) && isNative(converter, plain.right, place) : true;
    case "with": {
      const inner = scopeOfWith(converter, plain, place);
      return inner !== undefined && isNative(converter, plain.body, inner);
    }
    case "call": {
      const known = knownFunction(converter, plain.function, place);
      if (known !== undefined && ["optional", "optionals", "optionalAttrs", "optionalString"].includes(known)) return true;
      if (known !== undefined && ["map", "filter", "concatMap"].includes(known)) return isNative(converter, plain.arguments.at(-1)!, place);
      return !touchesPackages(plain, place);
    }
    default:
      return false;
  }
}

/** A list that can be spread: an option's value is one, when it is looked at. */
export function isIterable(converter: Converter, e: ConcreteExpression, place: Place): boolean {
  const plain = bare(e);
  if (plain.kind === "select" && plain.default === undefined) {
    const base = bare(plain.of);
    if (base.kind === "variable") {
      const found = find(base.name, place.scope);
      return found.kind === "variable" && found.variable.role === "other";
    }
  }
  return isNative(converter, e, place);
}

function touchesPackages(e: ConcreteExpression, place: Place): boolean {
  if (dependsOnConfiguration(e, place)) return true;
  for (const name of freeVariables(e)) {
    const found = find(name, place.scope);
    if (found.kind === "variable" && found.variable.role === "packages") return true;
    if (found.kind === "with" && found.scopes[0]!.variable.role === "packages") return true;
  }
  return false;
}

/** Which function of `builtins` or nixpkgs' library an expression is, by its last name. */
export function knownFunction(converter: Converter, e: ConcreteExpression, place: Place): string | undefined {
  const plain = bare(e);
  if (plain.kind === "variable") {
    const found = find(plain.name, place.scope);
    if (found.kind === "global") return plain.name;
    if (found.kind === "variable") return found.variable.known;
    if (found.kind !== "with") return undefined;
    const owner = ownerOf(converter, plain.name, found.scopes);
    return owner.variable.role === "lib" ? plain.name : undefined;
  }
  if (plain.kind !== "select" || plain.default !== undefined || plain.path.some((name) => name.kind === "dynamic")) return undefined;
  if (describe(converter, plain.of, place).role !== "lib") {
    // pkgs.lib.x
    if (describe(converter, plain.of, place).role !== "packages" || !isStatic(plain.path[0], "lib") || plain.path.length < 2) return undefined;
    return plain.path.length === 2 ? staticName(plain.path[1]) : undefined;
  }
  if (plain.path.length === 1) return staticName(plain.path[0]);
  return plain.path.length === 2 && LIB_PARTS.has(staticName(plain.path[0]) ?? "") ? staticName(plain.path[1]) : undefined;
}

export function ownerOf(converter: Converter, name: ByteString, scopes: readonly (Scope & { readonly kind: "with" })[]): Scope & { readonly kind: "with" } {
  const [innermost] = scopes as [Scope & { readonly kind: "with" }];
  if (scopes.length === 1) return innermost;
  const library = scopes.find(({ variable }) => variable.role === "lib");
  if (library !== undefined && (LIB_NAMES.has(name) || (library !== innermost && name === "types"))) return library;
  // Of the library itself nothing else is expected.
  const owner = innermost === library && !LIB_NAMES.has(name) && !LIB_BUILTINS.has(name) ? scopes.find((scope) => scope !== library)! : innermost;
  converter.needs.assumed.add(fromByteString(name));
  return owner;
}

export function nameInWith(converter: Converter, name: ByteString, scopes: readonly (Scope & { readonly kind: "with" })[]): string {
  const { variable } = ownerOf(converter, name, scopes);
  if (variable.role === "lib") converter.needs.nixpkgsLib = true;
  return `${variable.text}${propertyAccess(name)}`;
}

/** The scope inside of a `with`; undefined where its set has no name that could stand before each of its own. */
export function scopeOfWith(converter: Converter, e: ConcreteExpression & { readonly kind: "with" }, place: Place): Place | undefined {
  const of = bare(e.of);
  if (of.kind !== "variable" && of.kind !== "select" && !(of.kind === "call" && bare(of.function).kind === "variable")) return undefined;
  const { role, isLate } = describe(converter, of, place);
  // nixpkgs' library counts as used only where a name is taken from it.
  const before = converter.needs.nixpkgsLib;
  const text = printFlat(at(Strength.postfix, converter.convert(of, place)));
  converter.needs.nixpkgsLib = before;
  if (text === undefined) return undefined;
  return { ...place, scope: { kind: "with", of, variable: { text, role, isLate, isNative: false }, parent: place.scope } };
}
