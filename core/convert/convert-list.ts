import { printComment, printLeading } from "./comments.ts";
import { bare, type ConcreteExpression } from "./concrete-syntax.ts";
import type { Converter, Place } from "./converter.ts";
import { scopeOfWith } from "./known-values.ts";
import { empty, group, hard, ifBroken, indent, join, line, soft, type Layout } from "./layout.ts";
import { at, primary, Strength, type Printed } from "./printed.ts";

export function convertList(converter: Converter, e: ConcreteExpression & { readonly kind: "list" }, place: Place): Printed {
  const dangling = converter.comments.dangling(e);
  if (e.elements.length === 0 && dangling.length === 0) return primary("[]");
  if (e.elements.length === 1 && ["attributes", "lambda"].includes(bare(e.elements[0]!).kind) && dangling.length === 0) {
    const [item] = listItems(converter, e, place);
    if (item!.before.length === 0 && item!.after === undefined) return primary(["[", item!.layout, "]"]);
  }
  const isMultiline = converter.file.text.slice(e.start, e.elements[0]?.start ?? e.end).includes("\n") && e.elements.length > 1;
  return primary(brackets(listItems(converter, e, place), dangling.map(printComment), isMultiline));
}

/** The modules of a system. */
export function convertModules(converter: Converter, e: ConcreteExpression & { readonly kind: "list" }, place: Place): Layout {
  return convertList(converter, e, { ...place, inImports: true }).layout;
}

function listItems(converter: Converter, e: ConcreteExpression & { readonly kind: "list" }, place: Place): ListItem[] {
  return e.elements.map((element, index): ListItem => {
    const { result, notes } = converter.noting(() => at(Strength.arrow, converter.convert(element, place)));
    const { leading, trailing, emptyBefore } = converter.comments.of(element);
    return { before: [...printLeading(leading), ...notes], layout: result, after: trailing === undefined ? undefined : printComment(trailing), isSpaced: emptyBefore && index > 0 };
  });
}

/** The elements of a list, as they stand in another one. */
export function spreadList(converter: Converter, e: ConcreteExpression, place: Place): Layout[] {
  return spreadItems(converter, e, place).map(({ before, layout, after }) => [...before, layout, after === undefined ? "" : [" ", after]]);
}

export function spreadItems(converter: Converter, e: ConcreteExpression, place: Place): ListItem[] {
  const plain = bare(e);
  if (plain.kind === "list" && converter.comments.dangling(plain).length === 0) return listItems(converter, plain, place);
  if (plain.kind === "with") {
    const inner = scopeOfWith(converter, plain, place);
    if (inner !== undefined) return spreadItems(converter, plain.body, inner);
  }
  return [plainItem(["...", at(Strength.unary, converter.convert(e, place))])];
}

/** An element of a list with the comments around it. */
export type ListItem = { readonly before: readonly Layout[]; readonly layout: Layout; readonly after: Layout | undefined; readonly isSpaced: boolean };

export function plainItem(layout: Layout): ListItem {
  return { before: [], layout, after: undefined, isSpaced: false };
}

export function brackets(items: readonly ListItem[], dangling: readonly Layout[], isMultiline: boolean): Layout {
  if (!isMultiline && dangling.length === 0 && items.every(({ before, after }) => before.length === 0 && after === undefined)) {
    return group(["[", indent([soft, join(items.map(({ layout }) => layout), [",", line])]), ifBroken(","), soft, "]"]);
  }
  const body = items.flatMap(({ before, layout, after, isSpaced }): Layout[] => [isSpaced ? empty : "", hard, ...before, layout, ",", after === undefined ? "" : [" ", after]]);
  return ["[", indent([...body, ...dangling.flatMap((comment): Layout[] => [hard, comment])]), hard, "]"];
}
