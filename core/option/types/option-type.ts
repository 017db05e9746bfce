import * as z from "zod/mini";
import { conflict } from "../option-errors.ts";
import { createOptionType, isOptionType } from "../option-type.ts";
import type { OptionType } from "../option-type.ts";

/** A type as a value; several definitions are merged as several declarations of an option are. */
export const optionType = createOptionType<OptionType>({
  name: "optionType",
  description: "option type",
  check: isOptionType,
  merge: (place, definitions) => {
    let merged: OptionType | undefined;
    for (const { value } of definitions) {
      if (!isOptionType(value)) continue;
      merged = merged === undefined || merged === value ? value : merged.mergeType(value);
      if (merged === undefined) throw conflict(place, definitions, "the types cannot be merged");
    }
    return merged;
  },
  schema: () => z.custom(isOptionType),
  printType: "OptionType",
});
