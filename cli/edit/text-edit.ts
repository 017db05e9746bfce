/** A part of a text, by its UTF-16 offsets, and what stands there instead. */
export type TextEdit = { readonly start: number; readonly end: number; readonly text: string };

/** The text with its edits; those at the same place come in their order. Edits do not overlap. */
export function applyEdits(text: string, edits: readonly TextEdit[]): string {
  const ordered = edits.map((edit, index) => ({ ...edit, index })).sort((a, b) => b.start - a.start || b.index - a.index);
  let result = text;
  for (const { start, end, text: inserted } of ordered) result = result.slice(0, start) + inserted + result.slice(end);
  return result;
}
