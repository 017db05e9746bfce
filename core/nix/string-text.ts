import type { ByteString } from "../util/bytes.ts";

/** A piece of an indented string: text as it stands, text that was an escape, or an expression. */
export type IndentedPart<E> =
  | { readonly kind: "text"; readonly pos: number; readonly text: ByteString; readonly indentation: boolean }
  | { readonly kind: "expression"; readonly pos: number; readonly value: E };

/** Takes the common indentation off the lines of an indented string. Nix: libexpr/parser-state.hh. */
export function stripIndentation<E>(parts: readonly IndentedPart<E>[]): readonly IndentedPart<E>[] {
  let atStart = true;
  let minimum = 1_000_000;
  let current = 0;
  for (const part of parts) {
    if (part.kind === "expression" || !part.indentation) {
      if (atStart) {
        atStart = false;
        minimum = Math.min(minimum, current);
      }
      continue;
    }
    for (let i = 0; i < part.text.length; i++) {
      const c = part.text.charCodeAt(i);
      if (atStart) {
        if (c === 32) current++;
        else if (c === 10) current = 0;
        else {
          atStart = false;
          minimum = Math.min(minimum, current);
        }
      } else if (c === 10) {
        atStart = true;
        current = 0;
      }
    }
  }
  const result: IndentedPart<E>[] = [];
  atStart = true;
  let dropped = 0;
  parts.forEach((part, index) => {
    if (part.kind === "expression") {
      atStart = false;
      dropped = 0;
      result.push(part);
      return;
    }
    let text = "";
    let from = 0;
    // Only runs of spaces at the start of a line are cut out of the text.
    for (let i = 0; i < part.text.length; i++) {
      const c = part.text.charCodeAt(i);
      if (atStart) {
        if (c === 32) {
          if (dropped++ < minimum) {
            text += part.text.slice(from, i);
            from = i + 1;
          }
        } else if (c === 10) dropped = 0;
        else {
          atStart = false;
          dropped = 0;
        }
      } else if (c === 10) atStart = true;
    }
    text += part.text.slice(from);
    if (index === parts.length - 1) {
      const newline = text.lastIndexOf("\n");
      if (newline >= 0 && /^ *$/.test(text.slice(newline + 1))) text = text.slice(0, newline + 1);
    }
    if (text !== "") result.push({ ...part, text });
  });
  return result;
}

/** What a piece of a string means: its escapes, and its line ends. */
export function unescapeString(raw: ByteString): ByteString {
  if (!/[\\\r]/.test(raw)) return raw;
  return raw.replace(/\\([^])|\r\n?/g, (_, escaped: string | undefined) =>
    escaped === undefined ? "\n" : escaped === "n" ? "\n" : escaped === "r" ? "\r" : escaped === "t" ? "\t" : escaped);
}
