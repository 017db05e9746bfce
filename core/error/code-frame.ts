import type { SourcePosition } from "./source-position.ts";

/**
 * The lines around a position, its own marked and the column pointed at.
 *
 * @example
 * formatCodeFrame("a\nport: 80,\nb", { file: "x.ts", line: 2, column: 7 })
 * //   1 | a
 * // > 2 | port: 80,
 * //     |       ^
 * //   3 | b
 */
export function formatCodeFrame(source: string, position: Pick<SourcePosition, "line" | "column">, context = 1): string {
  const lines = source.split(/\r?\n/);
  const first = Math.max(1, position.line - context);
  const last = Math.min(lines.length, position.line + context);
  const width = String(last).length;
  const rows: string[] = [];
  for (let number = first; number <= last; number++) {
    const text = lines[number - 1] ?? "";
    const marker = number === position.line ? ">" : " ";
    rows.push(`${marker} ${String(number).padStart(width)} | ${text}`.trimEnd());
    if (number === position.line) {
      // Tabs are kept in the padding so that the caret stands under its character at any tab width.
      const padding = text.slice(0, position.column - 1).replace(/[^\t]/g, " ");
      rows.push(`  ${" ".repeat(width)} | ${padding}^`);
    }
  }
  return rows.join("\n");
}
