import * as z from "zod/mini";
import { createOptionType, describePart, madeOnce } from "../option-type.ts";
import type { OptionType } from "../option-type.ts";
import { conflict } from "../option-errors.ts";

/** The type, or null: nothing. */
export function nullOr<Value, Definition>(element: OptionType<Value, Definition>): OptionType<Value | null, Definition | null> {
  return madeOnce("nullOr", element, () => createOptionType({
    name: "nullOr",
    description: () => `null or ${describePart(element, ["noun", "conjunction"])}`,
    descriptionClass: "conjunction",
    check: (value) => value === null || element.check(value),
    merge: (place, definitions) => {
      const nulls = definitions.filter((definition) => definition.value === null).length;
      if (nulls === definitions.length) return null;
      if (nulls > 0) throw conflict(place, definitions, "some are null and some are not");
      return element.merge(place, definitions);
    },
    schema: () => z.nullable(element.schema()),
    printType: () => `${element.printType()} | null`,
    emptyValue: () => null,
    nested: [element],
    subModules: () => element.subModules,
    withSubModules: (modules) => nullOr(element.withSubModules(modules)),
    mergeType: (other) => {
      const merged = other.nested[0] === undefined ? undefined : element.mergeType(other.nested[0]);
      return merged === undefined ? undefined : nullOr(merged);
    },
  }));
}
