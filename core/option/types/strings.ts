import * as z from "zod/mini";
import { createOptionType } from "../option-type.ts";
import type { OptionType } from "../option-type.ts";
import { mergeEqual } from "./merge-equal.ts";

const isString = (value: unknown): value is string => typeof value === "string";

export const str = createOptionType<string>({
  name: "str",
  description: "string",
  check: isString,
  merge: mergeEqual,
  schema: () => z.string(),
  printType: "string",
});

/** Something beside white space. */
export const nonEmptyStr = createOptionType<string>({
  name: "nonEmptyStr",
  description: "non-empty string",
  check: (value) => isString(value) && /[^ \t\n]/.test(value),
  merge: mergeEqual,
  schema: () => z.string().check(z.regex(/[^ \t\n]/)),
  printType: "string",
});

/** One line; a newline at its end is dropped. */
export const singleLineStr = createOptionType<string>({
  name: "singleLineStr",
  description: "single-line string",
  check: (value) => isString(value) && /^[^\n\r]*\n?$/.test(value),
  merge: (place, definitions) => String(mergeEqual(place, definitions)).replace(/\n$/, ""),
  schema: () => z.string().check(z.regex(/^[^\n\r]*$/)),
  printType: "string",
});

/** A string that `pattern` matches as a whole; `description` says for people what such a string is. */
export function strMatching(pattern: RegExp | string, description?: string): OptionType<string> {
  const source = typeof pattern === "string" ? pattern : pattern.source;
  const flags = typeof pattern === "string" ? "" : pattern.flags.replace(/[gy]/g, "");
  const whole = new RegExp(`^(?:${source})$`, flags);
  return createOptionType<string>({
    name: `strMatching ${JSON.stringify(source)}`,
    description: description ?? `string matching the pattern ${source}`,
    check: (value) => isString(value) && whole.test(value),
    merge: mergeEqual,
    schema: () => z.string().check(z.regex(whole)),
    printType: "string",
  });
}

/** Definitions are put together, `separator` between them. */
export function separatedString(separator: string): OptionType<string> {
  return createOptionType<string>({
    name: `separatedString ${JSON.stringify(separator)}`,
    description: separator === "\n" ? "lines of text" : `strings joined by ${JSON.stringify(separator)}`,
    check: isString,
    merge: (_place, definitions) => definitions.map((definition) => definition.value).join(separator),
    schema: () => z.string(),
    printType: "string",
  });
}

export const lines = separatedString("\n");
export const commas = separatedString(",");
export const envVar = separatedString(":");

/** A string that may stand in a line of `/etc/passwd`. */
export function passwdEntry(entry: OptionType<string, string>): OptionType<string> {
  return createOptionType<string>({
    name: `passwdEntry ${entry.name}`,
    description: `${entry.description} without newlines and colons`,
    descriptionClass: "nonRestrictiveClause",
    check: (value) => entry.check(value) && isString(value) && !/[:\n]/.test(value),
    merge: entry.merge,
    schema: () => z.string().check(z.regex(/^[^:\n]*$/)),
    printType: "string",
  });
}
