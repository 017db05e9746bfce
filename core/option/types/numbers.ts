import * as z from "zod/mini";
import type { ZodMiniType } from "zod/mini";
import { createOptionType } from "../option-type.ts";
import type { OptionType, OptionTypeInit } from "../option-type.ts";
import { mergeEqual } from "./merge-equal.ts";

function numeric(
  name: string,
  description: string,
  check: (value: number) => boolean,
  schema: () => ZodMiniType,
  descriptionClass: OptionTypeInit["descriptionClass"] = "noun",
): OptionType<number> {
  return createOptionType<number>({
    name,
    description,
    descriptionClass,
    check: (value) => typeof value === "number" && check(value),
    merge: mergeEqual,
    schema,
    printType: "number",
  });
}

const isInteger = Number.isSafeInteger;

function ranged(name: string, what: string, lowest: number, highest: number): OptionType<number> {
  const type = numeric(
    name,
    `${what} between ${lowest} and ${highest}`,
    (value) => isInteger(value) && value >= lowest && value <= highest,
    () => z.int().check(z.gte(lowest), z.lte(highest)),
  );
  return type;
}

/** An integer that a double holds exactly. */
export const int = numeric("int", "integer", isInteger, () => z.int());

export const ints = Object.freeze({
  /** Both ends included. */
  between(lowest: number, highest: number): OptionType<number> {
    if (!(lowest <= highest)) throw new RangeError(`ints.between: the lowest, ${lowest}, is more than the highest, ${highest}`);
    return ranged(`intBetween ${lowest} ${highest}`, "integer", lowest, highest);
  },
  positive: numeric("positiveInt", "positive integer", (value) => isInteger(value) && value > 0, () => z.int().check(z.positive())),
  unsigned: numeric("unsignedInt", "integer of at least 0", (value) => isInteger(value) && value >= 0, () => z.int().check(z.nonnegative()), "nonRestrictiveClause"),
  u8: ranged("unsignedInt8", "8 bit unsigned integer", 0, 2 ** 8 - 1),
  u16: ranged("unsignedInt16", "16 bit unsigned integer", 0, 2 ** 16 - 1),
  u32: ranged("unsignedInt32", "32 bit unsigned integer", 0, 2 ** 32 - 1),
  s8: ranged("signedInt8", "8 bit signed integer", -(2 ** 7), 2 ** 7 - 1),
  s16: ranged("signedInt16", "16 bit signed integer", -(2 ** 15), 2 ** 15 - 1),
  s32: ranged("signedInt32", "32 bit signed integer", -(2 ** 31), 2 ** 31 - 1),
});

/** A TCP or UDP port. */
export const port = ints.u16;

/** Any finite number: JavaScript has one kind. */
export const float = numeric("float", "number", Number.isFinite, () => z.number());

export const number = numeric("number", "number", Number.isFinite, () => z.number());

export const numbers = Object.freeze({
  /** Both ends included. */
  between(lowest: number, highest: number): OptionType<number> {
    if (!(lowest <= highest)) throw new RangeError(`numbers.between: the lowest, ${lowest}, is more than the highest, ${highest}`);
    return numeric(
      `numberBetween ${lowest} ${highest}`,
      `number between ${lowest} and ${highest}`,
      (value) => value >= lowest && value <= highest,
      () => z.number().check(z.gte(lowest), z.lte(highest)),
    );
  },
  nonnegative: numeric("numberNonnegative", "number of at least 0", (value) => Number.isFinite(value) && value >= 0, () => z.number().check(z.nonnegative()), "nonRestrictiveClause"),
  positive: numeric("numberPositive", "positive number", (value) => Number.isFinite(value) && value > 0, () => z.number().check(z.positive())),
});
