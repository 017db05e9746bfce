import type { ByteString } from "../util/bytes.ts";
import { attributeTree, firstItem, isEntries, type AttributeEntry } from "./attribute-tree.ts";
import { printComment, printLeading } from "./comments.ts";
import { bare, childrenOf, type ConcreteAttributes, type ConcreteExpression, type ConcreteName } from "./concrete-syntax.ts";
import { convertInBlock } from "./convert-in-block.ts";
import { convertPath } from "./convert-path.ts";
import type { Converter, Place } from "./converter.ts";
import { dependsOnConfiguration, isNative, scopeOfWith } from "./known-values.ts";
import { empty, group, hard, ifBroken, indent, join, line, type Layout } from "./layout.ts";
import { at, primary, Strength, type Printed } from "./printed.ts";
import { refersToItself } from "./scope.ts";
import { propertyName } from "./typescript-names.ts";

export function convertAttributes(converter: Converter, e: ConcreteAttributes, place: Place): Printed {
  if (e.recursive && refersToItself(e)) return convertInBlock(converter, e, place);
  return convertObject(converter, attributeTree(e.bindings), [e], place);
}

export function convertObject(converter: Converter, entries: readonly AttributeEntry[], sets: readonly ConcreteAttributes[], place: Place): Printed {
  const dangling = sets.flatMap((set) => converter.comments.dangling(set));
  if (entries.length === 0 && dangling.length === 0) return { ...primary("{}"), isObject: true };
  const isMultiline = sets.some((set) => converter.file.text.slice(set.start, set.bindings[0]?.start ?? set.end).includes("\n"));
  const parts = entries.map((entry) => convertEntry(converter, entry, place));
  const simple = !isMultiline && dangling.length === 0 && parts.every(({ before, after }) => before.length === 0 && after.length === 0);
  if (simple) return { ...primary(group(["{", indent([line, join(parts.map(({ layout }) => layout), [",", line])]), ifBroken(","), line, "}"])), isObject: true };
  const body: Layout[] = [];
  parts.forEach(({ before, layout, after, isSpaced }, index) => {
    if (isSpaced && index > 0) body.push(empty);
    body.push(hard, ...before, layout, ",", ...after);
  });
  for (const comment of dangling) body.push(hard, printComment(comment));
  return { ...primary(["{", indent(body), hard, "}"]), isObject: true };
}

export function convertEntry(converter: Converter, entry: AttributeEntry, place: Place): { readonly before: Layout[]; readonly layout: Layout; readonly after: Layout[]; readonly isSpaced: boolean } {
  const around = entry.items.map((item) => converter.comments.of(item));
  const first = firstItem(entry);
  const { result: layout, notes } = converter.noting(() => convertProperty(converter, entry, place));
  const trailing = around.flatMap(({ trailing }) => (trailing === undefined ? [] : [trailing]));
  return {
    before: [...around.flatMap(({ leading }) => printLeading(leading)), ...notes],
    layout,
    after: trailing.length === 0 ? [] : [" ", join(trailing.map(printComment), " ")],
    isSpaced: first !== undefined && converter.comments.of(first).emptyBefore,
  };
}

function convertProperty(converter: Converter, entry: AttributeEntry, place: Place): Layout {
  const { name, value } = entry;
  const key: Layout = name.kind === "static" ? propertyName(name.name) : ["[", converter.convert(name.expression, place).layout, "]"];
  const staticKey = name.kind === "static" ? name.name : undefined;
  if (isEntries(value)) return [key, ": ", convertObject(converter, value, entry.sets, place).layout];
  if (value.kind === "inherited") {
    const nameOf: ConcreteName = name;
    const found = convertInherited(converter, nameOf.kind === "static" ? nameOf.name : "", value.from, name, place);
    return found === key ? key : [key, ": ", found];
  }
  const inner: Place = { ...place, inImports: staticKey === "imports" || (staticKey === "modules" && place.inImports === true) };
  const plain = bare(value);
  if (plain.kind === "let" || plain.kind === "assert" || (plain.kind === "attributes" && plain.recursive && refersToItself(plain)) || asksLate(converter, plain, place)) {
    const { layout } = converter.block(value, { ...inner, isLazy: true });
    return ["get ", key, "() ", layout];
  }
  // What a home links to has a name made of its path, which a path of the store has no more.
  if (plain.kind === "path" && staticKey === "source" && converter.context.isHome) return [key, ": ", convertPath(converter, plain, inner, "file").layout];
  return [key, ": ", at(Strength.arrow, converter.convert(value, inner))];
}

function asksLate(converter: Converter, e: ConcreteExpression, place: Place): boolean {
  if (e.kind === "attributes" || e.kind === "lambda") return false;
  return (place.isDeferred && dependsOnConfiguration(e, place)) || (place.inImports !== true && looksIntoCall(converter, e, place));
}

/** What a function of packages gives is not known while a module runs, so it cannot be looked into. */
function looksIntoCall(converter: Converter, e: ConcreteExpression, place: Place): boolean {
  if (e.kind === "attributes" || e.kind === "lambda" || e.kind === "let") return false;
  if (e.kind === "select" && bare(e.of).kind === "call" && !isNative(converter, e.of, place)) return true;
  if (e.kind === "with") {
    const inner = scopeOfWith(converter, e, place);
    return inner !== undefined && looksIntoCall(converter, e.body, inner);
  }
  return [...childrenOf(e)].some((child) => looksIntoCall(converter, child, place));
}

/** What `inherit name` or `inherit (from) name` gives. */
export function convertInherited(converter: Converter, name: ByteString, from: ConcreteExpression | undefined, span: { readonly start: number; readonly end: number }, place: Place): Layout {
  if (from === undefined) return converter.convert({ kind: "variable", name, start: span.start, end: span.end }, place).layout;
  return converter.convert({ kind: "select", of: from, path: [{ kind: "static", name, start: span.start, end: span.end }], default: undefined, start: span.start, end: span.end }, place).layout;
}

export function hasComments(converter: Converter, entry: AttributeEntry): boolean {
  return entry.items.some((item) => converter.comments.of(item).leading.length > 0 || converter.comments.of(item).trailing !== undefined) || (isEntries(entry.value) && entry.value.some((inner) => hasComments(converter, inner)));
}
