import type { ByteString } from "../util/bytes.ts";
import { type AttributeEntry, attributeTree, freeOfEntry, isEntries } from "./attribute-tree.ts";
import { printComment, printLeading } from "./comments.ts";
import { bare, type ConcreteBinding, type ConcreteExpression } from "./concrete-syntax.ts";
import { convertObject } from "./convert-attributes.ts";
import type { Converter, Place } from "./converter.ts";
import { describe, knownFunction } from "./known-values.ts";
import { group, ifBroken, indent, join, type Layout, line, printFlat } from "./layout.ts";
import { at, type Printed, Strength } from "./printed.ts";
import { find, freeVariables, type Scope, type Variable } from "./scope.ts";
import { propertyAccess, propertyName } from "./typescript-names.ts";

/** `const` for each binding, each behind those that it needs; they see one another. */
export function convertBindings(converter: Converter, bindings: readonly ConcreteBinding[], place: Place, into: Layout[]): Place {
  type Constant = { readonly names: readonly ByteString[]; readonly entry: AttributeEntry | undefined; readonly inherit: (ConcreteBinding & { readonly kind: "inherit" }) | undefined; readonly free: ReadonlySet<ByteString>; readonly isFunction: boolean };
  const names = new Map<ByteString, Variable>();
  const constants: Constant[] = [];
  const attributes = bindings.filter((binding) => binding.kind === "attribute");
  const tree = attributeTree(attributes);
  const placed = new Set<AttributeEntry>();
  for (const binding of bindings) {
    if (binding.kind === "inherit") {
      if (binding.from !== undefined) constants.push({ names: binding.names.map(({ name }) => name), entry: undefined, inherit: binding, free: freeVariables(binding.from), isFunction: false });
      continue;
    }
    const [first] = binding.path;
    const entry = first?.kind === "static" ? tree.find((one) => one.name.kind === "static" && one.name.name === first.name) : undefined;
    if (entry === undefined || placed.has(entry)) continue;
    placed.add(entry);
    constants.push({ names: [(first as { readonly name: ByteString }).name], entry, inherit: undefined, free: freeOfEntry(entry), isFunction: !isEntries(entry.value) && entry.value.kind !== "inherited" && bare(entry.value).kind === "lambda" });
  }
  const own = new Set(constants.flatMap((constant) => constant.names));
  // First what they are called, then, in the order in which they can be made, what is known of them.
  for (const name of own) names.set(name, { text: converter.name(name), role: "other", isLate: false, isNative: true });
  const scope: Scope = { kind: "names", names, parent: place.scope };
  const inner: Place = { ...place, scope };
  const sorted = sortConstants(constants);
  for (const constant of sorted) {
    for (const name of constant.names) {
      const { entry, inherit } = constant;
      const text = names.get(name)!.text;
      if (inherit?.from !== undefined) {
        const of = describe(converter, inherit.from, inner);
        if (of.role === "lib") {
          // A function of the library is that, and no variable of its own.
          const owner = libraryOf(converter, inherit.from, inner);
          names.set(name, { text: `${owner.text}${propertyAccess(name)}`, role: "other", isLate: false, isNative: false, known: name, owner: owner.variable });
        } else names.set(name, { text, role: of.role === "packages" && name === "lib" ? "lib" : "other", isLate: of.isLate, isNative: !of.isLate && of.role === "other" });
      } else if (entry !== undefined && !isEntries(entry.value) && entry.value.kind !== "inherited") {
        const found = describe(converter, entry.value, inner);
        const plain = bare(entry.value);
        const isPackages = plain.kind === "call" && name.startsWith("pkgs") && knownFunction(converter, plain.function, inner) === undefined;
        names.set(name, { isLate: found.isLate, isNative: found.isNative, arity: found.arity, text, role: found.role !== "other" ? found.role : isPackages || (name === "pkgs" && plain.kind === "call") ? "packages" : "other" });
      } else names.set(name, { text, role: "other", isLate: [...constant.free].some((one) => find(one, inner.scope).kind === "variable" && names.get(one)?.isLate === true), isNative: true });
    }
  }
  for (const { names: bound, entry, inherit, free } of sorted) {
    if (inherit !== undefined && names.get(bound[0] ?? "")?.known !== undefined) {
      into.push(...inherit === undefined ? [] : converter.comments.of(inherit).leading.map(printComment));
      continue;
    }
    const items = entry?.items ?? [inherit!];
    const around = items.map((item) => converter.comments.of(item));
    const trailing = around.flatMap((one) => (one.trailing === undefined ? [] : [one.trailing]));
    const { result: layout, notes } = converter.noting((): Layout => {
      if (inherit !== undefined) {
        const from = at(Strength.arrow, converter.convert(inherit.from!, inner));
        const taken = inherit.names.map(({ name }) => (propertyName(name) === names.get(name)!.text ? propertyName(name) : `${propertyName(name)}: ${names.get(name)!.text}`));
        return [group(["const {", indent([line, join(taken, [",", line])]), ifBroken(","), line, "}"]), " = ", from, ";"];
      }
      const [name] = bound as readonly [ByteString];
      const annotation = free.has(name) || converter.loose.has(name) || sorted.some((other) => other.entry !== entry && other.free.has(name) && free.has(other.names[0]!)) ? ": NixValue" : annotationOf(entry!);
      const value = isEntries(entry!.value) ? convertObject(converter, entry!.value, entry!.sets, inner).layout : entry!.value.kind === "inherited" ? "" : at(Strength.arrow, convertBound(converter, entry!.value, inner));
      return [`const ${names.get(name)!.text}${annotation} = `, value, ";"];
    });
    into.push([...around.flatMap(({ leading }) => printLeading(leading)), ...notes, layout, ...(trailing.length === 0 ? [] : [" ", join(trailing.map(printComment), " ")])]);
  }
  return inner;
}

function libraryOf(converter: Converter, from: ConcreteExpression, place: Place): { readonly text: string; readonly variable: Variable | undefined } {
  const plain = bare(from);
  const found = plain.kind === "variable" ? find(plain.name, place.scope) : undefined;
  if (found?.kind === "variable") return { text: found.variable.text, variable: found.variable };
  const library = find("lib", place.scope);
  if (library.kind === "variable" && library.variable.role === "lib") return { text: library.variable.text, variable: library.variable };
  return { text: printFlat(at(Strength.postfix, converter.convert(from, place))) ?? "lib", variable: undefined };
}

/** Functions that are bound to a name are called from here, while everything is being collected. */
function convertBound(converter: Converter, e: ConcreteExpression, place: Place): Printed {
  const plain = bare(e);
  return plain.kind === "lambda" ? converter.lambda(plain, place) : converter.convert(e, place);
}

/** In the order of the text, but for what another one needs first. Functions need what they call only when they are called. */
function sortConstants<T extends { readonly names: readonly ByteString[]; readonly free: ReadonlySet<ByteString> }>(constants: readonly T[]): readonly T[] {
  const sorted: T[] = [];
  const visiting = new Set<T>();
  const visit = (constant: T): void => {
    if (visiting.has(constant)) return;
    visiting.add(constant);
    for (const other of constants) if (other !== constant && other.names.some((name) => constant.free.has(name))) visit(other);
    sorted.push(constant);
  };
  for (const constant of constants) visit(constant);
  return sorted;
}

function annotationOf(entry: AttributeEntry): string {
  if (isEntries(entry.value) || entry.value.kind === "inherited") return "";
  const plain = bare(entry.value);
  return plain.kind === "list" && plain.elements.length === 0 ? ": readonly NixValue[]" : "";
}
