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
  if (!isFirstOnLine(text, last.getStart())) return [insertion(last.getEnd(), items.map((item) => `, ${item}`).join(""))];
  const indent = indentOf(text, last.getStart());
  const { hasTrailingComma } = elements;
  const end = hasTrailingComma === true ? elements.end : last.getEnd();
  const comments = ts.getTrailingCommentRanges(text, end) ?? [];
  const added = items.map((item) => `${newline}${indent}${item}`).join(",");
  return [
    ...(hasTrailingComma === true ? [] : [insertion(last.getEnd(), ",")]),
    insertion(comments.at(-1)?.end ?? end, `${added}${hasTrailingComma === true ? "," : ""}`),
  ];
}

function fillEmpty(source: ConfigSource, node: Items, items: readonly string[]): readonly TextEdit[] {
  const { ts, text, newline } = source;
  const start = node.getStart() + 1;
  const end = node.getEnd() - 1;
  const inner = text.slice(start, end);
  const padding = ts.isObjectLiteralExpression(node) ? " " : "";
  if (inner.trim() === "") return [{ start, end, text: `${padding}${items.join(", ")}${padding}` }];
  // Only comments are inside; they stay.
  const offset = start + inner.trimEnd().length;
  if (!inner.includes("\n")) return [insertion(offset, ` ${items.join(", ")}`)];
  const indent = indentOf(text, start + inner.length - inner.trimStart().length);
  return [insertion(offset, items.map((item) => `${newline}${indent}${item},`).join(""))];
}

/** Takes one item out of a list, with its comma and the line that it has for itself. */
export function removeItem(source: ConfigSource, list: TypeScript.ArrayLiteralExpression, index: number): readonly TextEdit[] {
  const { ts, text } = source;
  const { elements } = list;
  const item = elements[index]!;
  const previous = elements[index - 1];
  const next = elements[index + 1];
  const afterComma = next === undefined ? (elements.hasTrailingComma === true ? elements.end : item.getEnd()) : text.indexOf(",", skipComments(ts, text, item.getEnd())) + 1;
  const comments = ts.getTrailingCommentRanges(text, afterComma) ?? [];
  const end = comments.at(-1)?.end ?? afterComma;
  const lineEnd = text.indexOf("\n", end);
  if (isFirstOnLine(text, item.getStart()) && lineEnd !== -1 && text.slice(end, lineEnd).trim() === "") {
    const lineStart = text.lastIndexOf("\n", item.getStart()) + 1;
    const edits: TextEdit[] = [{ start: lineStart, end: lineEnd + 1, text: "" }];
    // The list's style has no comma after the last item.
    if (next === undefined && previous !== undefined && elements.hasTrailingComma !== true) {
      const comma = text.indexOf(",", skipComments(ts, text, previous.getEnd()));
      edits.unshift({ start: comma, end: comma + 1, text: "" });
    }
    return edits;
  }
  if (previous !== undefined) return [{ start: previous.getEnd(), end: item.getEnd(), text: "" }];
  if (next !== undefined) return [{ start: item.getStart(), end: next.getStart(), text: "" }];
  const inner = { start: list.getStart() + 1, end: list.getEnd() - 1 };
  const around = text.slice(inner.start, item.getStart()) + text.slice(item.getEnd(), inner.end);
  return [/^[\s,]*$/.test(around) ? { ...inner, text: "" } : { start: item.getStart(), end: afterComma, text: "" }];
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
