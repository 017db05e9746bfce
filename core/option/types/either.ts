import * as z from "zod/mini";
import { createOptionType, describePart } from "../option-type.ts";
import type { OptionType, ValueOf, DefinitionOf } from "../option-type.ts";
import { mergeOne } from "./merge-equal.ts";

/** One type or another; where definitions are of both, there can be only one. */
export function either<A, DA, B, DB>(first: OptionType<A, DA>, second: OptionType<B, DB>): OptionType<A | B, DA | DB> {
  return createOptionType({
    name: "either",
    description: () => `${describePart(first, ["noun", "conjunction", "composite"])} or ${describePart(second, ["noun", "conjunction", "composite"])}`,
    descriptionClass: "conjunction",
    check: (value) => first.check(value) || second.check(value),
    merge: (place, definitions) => {
      const inner = { ...place, isAlternative: true };
      if (definitions.every((definition) => first.check(definition.value))) return first.merge(inner, definitions);
      if (definitions.every((definition) => second.check(definition.value))) return second.merge(inner, definitions);
      return mergeOne(place, definitions);
    },
    schema: () => z.union([first.schema(), second.schema()]),
    printType: () => `${first.printType()} | ${second.printType()}`,
    nested: [first, second],
    mergeType: (other) => {
      const [otherFirst, otherSecond] = other.nested;
      if (otherFirst === undefined || otherSecond === undefined) return undefined;
      const mergedFirst = first.mergeType(otherFirst);
      const mergedSecond = second.mergeType(otherSecond);
      return mergedFirst === undefined || mergedSecond === undefined ? undefined : either(mergedFirst, mergedSecond);
    },
  });
}

/** One of several types, tried in their order. */
export function oneOf<const T extends readonly OptionType[]>(types: T): OptionType<ValueOf<T[number]>, DefinitionOf<T[number]>> {
  const [first, ...others] = types;
  if (first === undefined) throw new RangeError("oneOf takes at least one type");
  const result: OptionType = others.reduce((left, right) => either(left, right), first);
  // The type checker cannot follow the fold.
  return result as OptionType<ValueOf<T[number]>, DefinitionOf<T[number]>>;
}
