import type { ts as TypeScript } from "ts-morph";
import { isDeepStrictEqual } from "node:util";
import type { ValueSource } from "../../core/config/option-description.ts";
import type { ConfigSource } from "./config-source.ts";
import { appendItems, insertItems, removeItem } from "./edit-items.ts";
import { printName, printSource, type PrintStyle } from "./print-source.ts";
import { readLiteral } from "./read-literal.ts";
import type { TextEdit } from "./text-edit.ts";

/**
 * The first of the steps that make what is written at `node` spell `value`, each of which is taken on the text that the
 * last one left; none when it does. So what stays the same stays as it is written, with all that is said of it.
 * @throws TsosError where a comment would be lost
 */
export function stepTowards(source: ConfigSource, node: TypeScript.Expression, value: ValueSource, style: PrintStyle): readonly TextEdit[] {
  const { ts } = source;
  const written = source.unwrap(node);
  if (isSame(readLiteral(source, written), value)) return [];
  if (ts.isArrayLiteralExpression(written) && value.kind === "list") return stepInList(source, written, value.items, style);
  if (ts.isObjectLiteralExpression(written) && value.kind === "object") return stepInObject(source, written, value.entries, style);
  const [start, end] = [written.getStart(), written.getEnd()];
  const comment = findComment(source, start, end);
  if (comment !== undefined) throw source.refuse(written, "a comment in this value would be lost");
  const own = source.text[start];
  // A string keeps its own quotes.
  return [{ start, end, text: printSource(value, own === "'" || own === '"' ? { ...style, quote: own } : style) }];
}

function stepInList(source: ConfigSource, list: TypeScript.ArrayLiteralExpression, items: readonly ValueSource[], style: PrintStyle): readonly TextEdit[] {
  const now = list.elements.map((element) => readLiteral(source, element));
  const least = Math.min(now.length, items.length);
  let before = 0;
  while (before < least && isSame(now[before], items[before])) before++;
  let after = 0;
  while (after < least - before && isSame(now.at(-1 - after), items.at(-1 - after))) after++;
  const old = now.length - before - after;
  const wanted = items.slice(before, items.length - after);
  if (old > wanted.length) return removeItem(source, list, before + old - 1);
  if (old > 0) return stepTowards(source, list.elements[before]!, wanted[0]!, style);
  const printed = wanted.map((item) => printSource(item, style));
  return after === 0 ? appendItems(source, list, printed) : insertItems(source, list, before, printed);
}

function stepInObject(source: ConfigSource, object: TypeScript.ObjectLiteralExpression, entries: readonly (readonly [string, ValueSource])[], style: PrintStyle): readonly TextEdit[] {
  const { ts } = source;
  const present = new Set<string>();
  for (const [index, property] of object.properties.entries()) {
    if (!ts.isPropertyAssignment(property) || !("text" in property.name)) throw source.refuse(property, "a part of this value is computed here");
    const { text } = property.name;
    const wanted = entries.find(([name]) => name === text)?.[1];
    if (wanted === undefined || present.has(text)) return removeItem(source, object, index);
    present.add(text);
    const step = stepTowards(source, property.initializer, wanted, style);
    if (step.length > 0) return step;
  }
  const missing = entries.filter(([name]) => !present.has(name));
  return appendItems(source, object, missing.map(([name, value]) => `${printName(name, style.quote)}: ${printSource(value, style)}`));
}

/** Whether two values are the same, whatever the order of their names. */
function isSame(one: ValueSource | undefined, other: ValueSource | undefined): boolean {
  return one !== undefined && other !== undefined && isDeepStrictEqual(sorted(one), sorted(other));
}

function sorted(value: ValueSource): unknown {
  switch (value.kind) {
    case "list":
      return value.items.map(sorted);
    case "object":
      return new Map(value.entries.map(([name, inner]) => [name, sorted(inner)]));
    default:
      return value;
  }
}

function findComment(source: ConfigSource, start: number, end: number): number | undefined {
  const { ts, text } = source;
  const scanner = ts.createScanner(ts.ScriptTarget.Latest, false, ts.LanguageVariant.Standard, text, undefined, start, end - start);
  for (let token = scanner.scan(); token !== ts.SyntaxKind.EndOfFileToken; token = scanner.scan()) {
    if (token === ts.SyntaxKind.SingleLineCommentTrivia || token === ts.SyntaxKind.MultiLineCommentTrivia) return scanner.getTokenStart();
  }
  return undefined;
}
