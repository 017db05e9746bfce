/**
 * Rows in aligned columns; a column whose cells all look like numbers is aligned to the right.
 *
 * @example
 * formatTable(["stage", "ms"], [["evaluate", "120"], ["build", "4"]])
 * // stage      ms
 * // evaluate  120
 * // build       4
 */
export function formatTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((title, column) => Math.max(title.length, ...rows.map((row) => (row[column] ?? "").length)));
  const right = header.map((_, column) => rows.length > 0 && rows.every((row) => /^[\d.,\s×%-]*( ?(ms|s|B|KiB|MiB|GiB))?$/.test(row[column] ?? "")));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => (right[column] ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!)))
      .join("  ")
      .trimEnd();
  return [header, ...rows].map(line).join("\n");
}
