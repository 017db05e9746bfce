import type { ByteString } from "../util/bytes.ts";

/** A part of the text, and what is said of it. */
export type TomlSpot = { readonly start: number; /** Default: one character. */ readonly end?: number; readonly note: ByteString };

export const INTEGER_HINTS: readonly ByteString[] = ["valid  : -42, 1_000, 1_2_3_4_5, 0xC0FFEE, 0b0010, 0o755", "invalid: _42, 1__000, 0123"];
export const FLOAT_HINTS: readonly ByteString[] = ["valid  : +1.0, -2e-2, 3.141_592_653_589, inf, nan", "invalid: .0, 1., _1.0, 1.0_, 1_.0, 1.0__0"];

/** A mistake in a text of TOML as toml11 4 tells it, which the reference reads with: the message, and the lines it is about. */
export function describeTomlMistake(text: ByteString, message: ByteString, spots: readonly TomlSpot[], hints: readonly ByteString[] = []): ByteString {
  const lines = spots.map(({ start }) => String(text.slice(0, start).split("\n").length));
  const width = Math.max(...lines.map((line) => line.length));
  const margin = " ".repeat(width);
  const parts = spots.map(({ start, end = start + 1, note }, index) => {
    const lineStart = text.lastIndexOf("\n", start - 1) + 1;
    const line = /[^\r\n]*/y;
    line.lastIndex = lineStart;
    const shown = line.exec(text)![0].replace(/[\x80-\xff]|[\x00-\x08\x0b-\x1f\x7f]/g, (c) => `0x${c.charCodeAt(0).toString(16).padStart(2, "0")}`);
    return ` ${lines[index]!.padStart(width)} | ${shown}\n ${margin} | ${" ".repeat(start - lineStart)}${"^".repeat(Math.max(1, end - start))}-- ${note}\n`;
  });
  // Its last line is empty and coloured, which keeps the spaces before it.
  return `while parsing TOML: [error] ${message}\n${margin}--> fromTOML\n ${margin} |\n${parts.join(` ${margin} | ...\n ${margin} |\n`)}${hints.map((hint) => `Hint: ${hint}\n`).join("")}\x1b[0m`;
}
