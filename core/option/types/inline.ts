import * as z from "zod/mini";
import { createOptionType } from "../option-type.ts";
import type { OptionType } from "../option-type.ts";
import { isPlainObject } from "../plain-object.ts";
import { mergeEqual } from "./merge-equal.ts";

/** Code of another language that a generator writes as it is, not as a string. */
export type InlineCode<Language extends string = string> = {
  readonly kind: "inline";
  readonly language: Language;
  readonly code: string;
};

/** Code that stands in a settings file as it is: `inlineCode("lua", "vim.fn.stdpath('data')")`. */
export function inlineCode<const Language extends string>(language: Language, code: string): InlineCode<Language> {
  return Object.freeze({ kind: "inline", language, code });
}

export function isInlineCode(value: unknown): value is InlineCode {
  return isPlainObject(value) && value.kind === "inline" && typeof value.language === "string" && typeof value.code === "string";
}

export function inline<const Language extends string>(language: Language): OptionType<InlineCode<Language>> {
  return createOptionType<InlineCode<Language>>({
    name: `inline ${language}`,
    description: `inline ${language}`,
    check: (value) => isInlineCode(value) && value.language === language,
    merge: mergeEqual,
    schema: () => z.object({ kind: z.literal("inline"), language: z.literal(language), code: z.string() }),
    printType: `InlineCode<${JSON.stringify(language)}>`,
  });
}

export const luaInline = inline("lua");
