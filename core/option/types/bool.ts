import * as z from "zod/mini";
import { createOptionType } from "../option-type.ts";
import { mergeEqual } from "./merge-equal.ts";

const isBoolean = (value: unknown): boolean => typeof value === "boolean";

export const bool = createOptionType<boolean>({
  name: "bool",
  description: "boolean",
  check: isBoolean,
  merge: mergeEqual,
  schema: () => z.boolean(),
  printType: "boolean",
});

/** True when any definition is. */
export const boolByOr = createOptionType<boolean>({
  name: "boolByOr",
  description: "boolean (true when any definition is)",
  check: isBoolean,
  merge: (_place, definitions) => definitions.some((definition) => definition.value === true),
  schema: () => z.boolean(),
  printType: "boolean",
});
