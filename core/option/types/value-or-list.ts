import * as z from "zod/mini";
import type { PlacedDefinition } from "../definition.ts";
import { createOptionType, describePart } from "../option-type.ts";
import type { OptionType } from "../option-type.ts";
import { listOf, mergeList } from "./list-of.ts";
import type { ListDefinition } from "./list-of.ts";

/**
 * One value, or several where a key may be given more than once, as in unit files. Definitions are put together as
 * soon as one of them is a list; else they must agree. NixOS: nixos/lib/systemd-unit-options.nix, unitOption
 *
 * @example
 * types.valueOrList(types.str)  // "a" and ["b"] of two modules are ["a", "b"]
 */
export function valueOrList<Value, Definition>(
  element: OptionType<Value, Definition>,
): OptionType<Value | readonly Value[], Definition | ListDefinition<Definition>> {
  const list = listOf(element);
  return createOptionType({
    name: "valueOrList",
    description: () => `${describePart(element, ["noun", "composite"])} or list of such`,
    descriptionClass: "conjunction",
    check: (value) => Array.isArray(value) || element.check(value),
    merge: (place, definitions) => {
      if (!definitions.some(({ value }) => Array.isArray(value))) return element.merge(place, definitions);
      const asLists = definitions.map((definition): PlacedDefinition => (Array.isArray(definition.value) ? definition : { ...definition, value: [definition.value] }));
      return mergeList(place, element, asLists);
    },
    schema: () => z.union([element.schema(), list.schema()]),
    printType: () => `${element.printType()} | ${list.printType()}`,
    nested: [element],
    mergeType: (other) => {
      const merged = other.nested[0] === undefined ? undefined : element.mergeType(other.nested[0]);
      return merged === undefined ? undefined : valueOrList(merged);
    },
  });
}
