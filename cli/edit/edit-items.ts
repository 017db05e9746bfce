import type { ts as TypeScript } from "ts-morph";
import type { ConfigSource } from "./config-source.ts";
import type { TextEdit } from "./text-edit.ts";

type Items = TypeScript.ObjectLiteralExpression | TypeScript.ArrayLiteralExpression;

/** Puts items after the last of an object or a list, written as the others are: one a line, or behind one another. */
export function appendItems(source: ConfigSource, node: Items, items: readonly string[]): readonly TextEdit[] {
  const { ts, text, newline } = source;
  const elements = elementsOf(ts, node);
  const last = elements.at(-1);
  if (last === undefined) return fillEmpty(source, node, items);
  const isTrailed = elements.hasTrailingComma === true;
  const end = isTrailed ? elements.end : last.getEnd();
  // What is said of the last item stays with it.
  const said = ts.getTrailingCommentRanges(text, end)?.at(-1);
  const at = said?.end ?? end;
  const isOnOwnLine = isFirstOnLine(text, last.getStart());
  if (!isOnOwnLine && said?.kind !== ts.SyntaxKind.SingleLineCommentTrivia) {
    return [insertion(at, isTrailed ? items.map((item) => ` ${item},`).join("") : items.map((item) => `, ${item}`).join(""))];
  }
  const indent = indentOf(text, last.getStart()) + (isOnOwnLine ? "" : source.indentation);
  const added = items.map((item) => `${newline}${indent}${item}`).join(",");
  return [...(isTrailed ? [] : [insertion(last.getEnd(), ",")]), insertion(at, `${added}${isTrailed ? "," : ""}`)];
}

/** Puts items before the one at `index`, which is there. */
export function insertItems(source: ConfigSource, node: Items, index: number, items: readonly string[]): readonly TextEdit[] {
  const { ts, text, newline } = source;
  const elements = elementsOf(ts, node);
  const next = elements[index]!;
  const previous = elements[index - 1];
  const open = previous === undefined ? node.getStart() + 1 : afterComma(ts, text, previous);
  const at = skipComments(ts, text, open);
  if (isFirstOnLine(text, next.getStart())) {
    const indent = indentOf(text, next.getStart());
    return [insertion(at, items.map((item) => `${newline}${indent}${item},`).join(""))];
  }
  return [insertion(leadingStart(ts, text, next), items.map((item) => `${item}, `).join(""))];
}

function fillEmpty(source: ConfigSource, node: Items, items: readonly string[]): readonly TextEdit[] {
  const { ts, text, newline } = source;
  const start = node.getStart() + 1;
  const end = node.getEnd() - 1;
  const inner = text.slice(start, end);
  const padding = ts.isObjectLiteralExpression(node) ? " " : "";
  if (inner.trim() === "" && inner.includes("\n")) {
    const indent = indentOf(text, node.getStart()) + source.indentation;
    return [insertion(start, items.map((item) => `${newline}${indent}${item},`).join(""))];
  }
  if (inner.trim() === "") return inner === "" ? [insertion(start, `${padding}${items.join(", ")}${padding}`)] : [insertion(start, `${inner}${items.join(", ")}`)];
  // Only comments are inside; they stay.
  const offset = start + inner.trimEnd().length;
  if (!inner.includes("\n")) return [insertion(offset, ` ${items.join(", ")}`)];
  const indent = indentOf(text, start + inner.length - inner.trimStart().length);
  return [insertion(offset, items.map((item) => `${newline}${indent}${item},`).join(""))];
}

/** Takes one item out of a list or an object, with its comma, what is said of it behind it, and the line that it has for itself. */
export function removeItem(source: ConfigSource, node: Items, index: number): readonly TextEdit[] {
  const { ts, text } = source;
  const elements = elementsOf(ts, node);
  const item = elements[index]!;
  const previous = elements[index - 1];
  const next = elements[index + 1];
  const isTrailed = elements.hasTrailingComma === true;
  const itemEnd = next !== undefined ? afterComma(ts, text, item) : isTrailed ? elements.end : item.getEnd();
  const end = skipComments(ts, text, itemEnd);
  const lineEnd = text.indexOf("\n", end);
  if (isFirstOnLine(text, item.getStart()) && lineEnd !== -1 && text.slice(end, lineEnd).trim() === "") {
    const lineStart = text.lastIndexOf("\n", item.getStart()) + 1;
    const edits: TextEdit[] = [{ start: lineStart, end: lineEnd + 1, text: "" }];
    // The style has no comma after the last item.
    if (next === undefined && previous !== undefined && !isTrailed) {
      const comma = afterComma(ts, text, previous) - 1;
      edits.unshift({ start: comma, end: comma + 1, text: "" });
    }
    return edits;
  }
  if (next !== undefined) return [{ start: leadingStart(ts, text, item), end: leadingStart(ts, text, next), text: "" }];
  if (previous !== undefined) {
    const comma = afterComma(ts, text, previous) - 1;
    return isTrailed ? [{ start: comma + 1, end, text: "" }] : [{ start: comma, end, text: "" }];
  }
  const inner = { start: node.getStart() + 1, end: node.getEnd() - 1 };
  const around = [text.slice(inner.start, item.getStart()), text.slice(item.getEnd(), inner.end)] as const;
  if (!/^[\s,]*$/.test(around.join(""))) return [{ start: item.getStart(), end: itemEnd, text: "" }];
  // A list is filled as `[ x ]` where it was `[ ]`; an object always.
  return [{ ...inner, text: ts.isObjectLiteralExpression(node) ? "" : around[0] }];
}

/** Behind the comma that follows an item. */
function afterComma(ts: typeof TypeScript, text: string, item: TypeScript.Node): number {
  return text.indexOf(",", skipComments(ts, text, item.getEnd())) + 1;
}

/** Where an item begins, with what is said of it before it, on its line. */
function leadingStart(ts: typeof TypeScript, text: string, item: TypeScript.Node): number {
  return ts.getLeadingCommentRanges(text, item.getFullStart())?.[0]?.pos ?? item.getStart();
}

function skipComments(ts: typeof TypeScript, text: string, offset: number): number {
  return ts.getTrailingCommentRanges(text, offset)?.at(-1)?.end ?? offset;
}

function elementsOf(ts: typeof TypeScript, node: Items): TypeScript.NodeArray<TypeScript.Node> {
  return ts.isObjectLiteralExpression(node) ? node.properties : node.elements;
}

function isFirstOnLine(text: string, offset: number): boolean {
  const lineStart = text.lastIndexOf("\n", offset - 1) + 1;
  return lineStart > 0 && text.slice(lineStart, offset).replace(/\/\*.*?\*\//g, "").trim() === "";
}

function indentOf(text: string, offset: number): string {
  const lineStart = text.lastIndexOf("\n", offset - 1) + 1;
  return /^[ \t]*/.exec(text.slice(lineStart))![0];
}

function insertion(offset: number, text: string): TextEdit {
  return { start: offset, end: offset, text };
}
