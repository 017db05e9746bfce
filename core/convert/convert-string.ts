import { fromByteString } from "../util/bytes.ts";
import type { ConcretePart } from "./concrete-syntax.ts";
import { hard, indent, printFlat, printLayout, type Layout } from "./layout.ts";
import { quote } from "./typescript-names.ts";
import { primary, type Printed } from "./printed.ts";

function escapeTemplate(text: string): string {
  return text
    .replace(/[\\`]/g, "\\$&")
    .replace(/\$(?=\{)/g, "\\$")
    .replace(/\r/g, "\\r")
    .replace(/[\u0000-\u0008\u000b-\u001f\u007f]/g, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, "0")}`);
}

/**
 * A string with what is put into it: a plain string, a template, or for a block of lines `dedent` with its lines at the
 * indentation of the code around it.
 *
 * @param useDedent says that the file needs the function
 */
export function convertString(written: readonly ConcretePart[], isBlock: boolean, convert: (part: ConcretePart & { readonly kind: "expression" }) => Layout, useDedent: () => void): Printed {
  const parts = joinTexts(written);
  const texts = parts.map((part) => (part.kind === "text" ? fromByteString(part.text) : undefined));
  const whole = texts.some((text) => text === undefined) ? undefined : texts.join("");
  const isLong = texts.some((text) => text?.includes("\n"));
  if (whole !== undefined && !(isBlock && isLong)) return primary(quote(whole));
  const holes = parts.map((part) => (part.kind === "expression" ? inTemplate(convert(part)) : undefined));
  if (isBlock && isLong && canDedent(texts)) {
    useDedent();
    const lines: string[] = [""];
    texts.forEach((text, index) => {
      const pieces = (text === undefined ? `\${${holes[index]!}}` : escapeTemplate(text)).split("\n");
      if (text === undefined) lines[lines.length - 1] += pieces.join("\n");
      else pieces.forEach((piece, i) => (i === 0 ? (lines[lines.length - 1] += piece) : lines.push(piece)));
    });
    const endsLine = lines.at(-1) === "";
    const body = endsLine ? lines.slice(0, -1) : lines;
    return primary(["dedent`", indent(body.flatMap((one): Layout[] => [hard, one])), endsLine ? hard : "", "`"]);
  }
  return primary(["`", ...texts.map((text, index) => (text === undefined ? `\${${holes[index]!}}` : escapeTemplate(text).replace(/\n/g, isBlock && isLong ? "\n" : "\\n"))), "`"]);
}

/** Lines keep their indentation only if one of them has none: the smallest is what `dedent` takes off. */
function canDedent(texts: readonly (string | undefined)[]): boolean {
  // A hole at the start of a line counts as one without indentation.
  const text = texts.map((one) => one ?? "x").join("");
  const lines = text.split("\n");
  if (/^ +$/.test(lines.at(-1)!) || lines.slice(0, -1).some((one) => / $/.test(one) && one.trim() === "")) return false;
  return lines.some((one) => one !== "" && !one.startsWith(" "));
}

/** An escape is a piece of its own in the language, and none in a template. */
function joinTexts(parts: readonly ConcretePart[]): readonly ConcretePart[] {
  const joined: ConcretePart[] = [];
  for (const part of parts) {
    const last = joined.at(-1);
    if (part.kind === "text" && last?.kind === "text") joined[joined.length - 1] = { kind: "text", text: last.text + part.text };
    else joined.push(part);
  }
  return joined;
}

function inTemplate(layout: Layout): string {
  return printFlat(layout) ?? printLayout(layout);
}
