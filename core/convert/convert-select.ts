import { fromByteString } from "../util/bytes.ts";
import { bare, type ConcreteExpression, type ConcreteName, staticName } from "./concrete-syntax.ts";
import { convertBuiltin } from "./convert-variable.ts";
import type { Converter, Place } from "./converter.ts";
import { isNative } from "./known-values.ts";
import { group, join, type Layout } from "./layout.ts";
import { markNix } from "./mark-nix.ts";
import { libFunction } from "./nixpkgs-library.ts";
import { at, conditional, primary, type Printed, Strength } from "./printed.ts";
import { find } from "./scope.ts";
import { propertyAccess, quote } from "./typescript-names.ts";

export function convertSelect(converter: Converter, e: ConcreteExpression & { readonly kind: "select" }, place: Place): Printed {
  const of = bare(e.of);
  const isBuiltins = of.kind === "variable" && of.name === "builtins" && find("builtins", place.scope).kind === "global";
  if (isBuiltins) {
    const name = e.path.length === 1 && e.default === undefined ? staticName(e.path[0]) : undefined;
    if (name === "true" || name === "false" || name === "null") return primary(name);
    return name === undefined ? markNix(converter, e, place, "a function that only the Nix language has") : convertBuiltin(converter, e, name, place);
  }
  const names = e.path.map((name) => accessOf(converter, name, place));
  const [first] = e.path;
  if (of.kind === "call" && e.default === undefined && e.path.length === 1 && first?.kind === "static" && place.isLazy !== true && !isNative(converter, of, place)) {
    // What it gives is not known while the module runs; the library looks into it later.
    const get = libFunction(converter, "getAttr", place);
    if (get !== undefined) return { layout: [get, "(", quote(fromByteString(first.name)), ", ", converter.convert(of, place).layout, ")"], strength: Strength.postfix };
  }
  if (e.default === undefined) return { layout: [at(Strength.postfix, converter.convert(e.of, place)), ...names], strength: Strength.postfix };
  if (isPlain(of, place)) {
    const [first, ...rest] = names as [Layout, ...Layout[]];
    const optional = (name: Layout): Layout => (typeof name === "string" && name.startsWith(".") ? `?${name}` : ["?.", name]);
    const layout = [at(Strength.postfix, converter.convert(e.of, place)), first, ...rest.map(optional)];
    return { layout: group([layout, " ?? ", at(Strength.equality, converter.convert(e.default, place))]), strength: Strength.nullish };
  }
  const value: Printed = { layout: [at(Strength.postfix, converter.convert(e.of, place)), ...names], strength: Strength.postfix };
  return conditional(convertHas(converter, e.of, e.path, place), value, converter.convert(e.default, place));
}

/** A set that is written here, so that a missing name reads as undefined. */
function isPlain(e: ConcreteExpression, place: Place): boolean {
  if (e.kind === "attributes") return true;
  if (e.kind !== "variable") return false;
  const found = find(e.name, place.scope);
  return found.kind === "variable" && found.variable.isNative && !found.variable.isLate && found.variable.role === "other" && found.variable.arity === undefined;
}

export function convertHas(converter: Converter, of: ConcreteExpression, path: readonly ConcreteName[], place: Place): Printed {
  const base = at(Strength.postfix, converter.convert(of, place));
  const tests = path.map((name, index): Layout => {
    const key = name.kind === "static" ? quote(fromByteString(name.name)) : at(Strength.relation, converter.convert(name.expression, place));
    return [key, " in ", base, ...path.slice(0, index).map((before) => accessOf(converter, before, place))];
  });
  return { layout: join(tests, " && "), strength: tests.length === 1 ? Strength.relation : Strength.and };
}

function accessOf(converter: Converter, name: ConcreteName, place: Place): Layout {
  if (name.kind === "static") return propertyAccess(name.name);
  return ["[", converter.convert(name.expression, place).layout, "]"];
}
