/**
 * A text that is not yet broken into lines. `line` is a space where its group fits on one line; `soft` nothing; `hard`
 * always a break; `text` with line breaks of its own stands as it is.
 */
export type Layout =
  | string
  | readonly Layout[]
  | { readonly kind: "line" | "soft" | "hard" | "empty" }
  | { readonly kind: "indent" | "group"; readonly of: Layout }
  | { readonly kind: "broken"; readonly text: string };

export const line: Layout = { kind: "line" };
export const soft: Layout = { kind: "soft" };
export const hard: Layout = { kind: "hard" };
/** An empty line before the next one. */
export const empty: Layout = { kind: "empty" };
/** Only where the group is broken. */
export const ifBroken = (text: string): Layout => ({ kind: "broken", text });
export const indent = (of: Layout): Layout => ({ kind: "indent", of });
export const group = (of: Layout): Layout => ({ kind: "group", of });

/** `items` with `separator` between them. */
export function join(items: readonly Layout[], separator: Layout): Layout {
  return items.flatMap((item, index) => (index === 0 ? [item] : [separator, item]));
}

const WIDTH = 110;

/** Whether it can never be on one line. */
function mustBreak(layout: Layout): boolean {
  if (typeof layout === "string") return layout.includes("\n");
  if (isList(layout)) return layout.some(mustBreak);
  return layout.kind === "hard" || layout.kind === "empty" || ("of" in layout && mustBreak(layout.of));
}

function isList(layout: Layout): layout is readonly Layout[] {
  return Array.isArray(layout);
}

/** On one line, however long; undefined when it cannot be. */
export function printFlat(layout: Layout): string | undefined {
  return mustBreak(layout) ? undefined : flat(layout);
}

function flat(layout: Layout): string {
  if (typeof layout === "string") return layout;
  if (isList(layout)) return layout.map(flat).join("");
  return layout.kind === "line" ? " " : "of" in layout ? flat(layout.of) : "";
}

/** Breaks it into lines of at most 110 characters where it can. Follows Wadler's "A prettier printer", without looking back. */
export function printLayout(layout: Layout, start = 0): string {
  let out = "";
  let column = start;
  const work: (readonly [level: number, isFlat: boolean, layout: Layout])[] = [[start, false, layout]];
  // Indentation is written only where something follows on the line.
  let indentation = "";
  const newline = (level: number): void => {
    out += "\n";
    indentation = " ".repeat(level);
    column = level;
  };
  const put = (text: string): void => {
    if (text === "") return;
    out += indentation + text;
    indentation = "";
    const last = text.lastIndexOf("\n");
    column = last < 0 ? column + text.length : text.length - last - 1;
  };
  for (let next = work.pop(); next !== undefined; next = work.pop()) {
    const [level, isFlat, now] = next;
    if (typeof now === "string") put(now);
    else if (isList(now)) for (let i = now.length - 1; i >= 0; i--) work.push([level, isFlat, now[i]!]);
    else if (now.kind === "hard") newline(level);
    else if (now.kind === "empty") {
      if (!out.endsWith("\n\n") && !/[[{(]\n?$/.test(out.slice(-2))) out += "\n";
    } else if (now.kind === "line" || now.kind === "soft") {
      if (!isFlat) newline(level);
      else if (now.kind === "line") put(" ");
    } else if (now.kind === "broken") {
      if (!isFlat) put(now.text);
    } else if (!("of" in now)) continue;
    else if (now.kind === "indent") work.push([level + 2, isFlat, now.of]);
    else work.push([level, isFlat || (!mustBreak(now.of) && column + flat(now.of).length + restOfLine(work) <= WIDTH), now.of]);
  }
  return out;
}

/** The width of what must follow on the same line. */
function restOfLine(work: readonly (readonly [level: number, isFlat: boolean, layout: Layout])[]): number {
  let width = 0;
  for (let i = work.length - 1; i >= 0; i--) {
    const [, , layout] = work[i]!;
    const [text, ends] = head(layout);
    width += text;
    if (ends || width > WIDTH) break;
  }
  return width;
}

function head(layout: Layout): readonly [width: number, ends: boolean] {
  if (typeof layout === "string") {
    const end = layout.indexOf("\n");
    return end < 0 ? [layout.length, false] : [end, true];
  }
  if (isList(layout)) {
    let width = 0;
    for (const part of layout) {
      const [more, ends] = head(part);
      width += more;
      if (ends) return [width, true];
    }
    return [width, false];
  }
  if ("of" in layout) return head(layout.of);
  return layout.kind === "broken" ? [0, false] : [0, true];
}
