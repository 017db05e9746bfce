import * as z from "zod/mini";
import type { TsosError } from "../../error/tsos-error.ts";
import type { PlacedDefinition } from "../definition.ts";
import { joinErrors, keepError } from "../join-errors.ts";
import { childPlace } from "../merge-place.ts";
import type { MergePlace } from "../merge-place.ts";
import { innerDefinition, mergeDefinitions } from "../merge-definitions.ts";
import type { Definable } from "../modifier.ts";
import { wrongType } from "../option-errors.ts";
import { createOptionType, describePart, madeOnce } from "../option-type.ts";
import type { OptionType } from "../option-type.ts";

const EMPTY: readonly never[] = Object.freeze([]);

export function mergeList(place: MergePlace, element: OptionType, definitions: readonly PlacedDefinition[]): readonly unknown[] {
  const result: unknown[] = [];
  let errors: readonly TsosError[] | undefined;
  for (const definition of definitions) {
    if (!Array.isArray(definition.value)) continue;
    const items: readonly unknown[] = definition.value;
    for (const [index, value] of items.entries()) {
      const name = `[${index}]`;
      try {
        // A comma too many, or a name that is not there: left out, it would be missed by nobody.
        if (value === undefined) throw wrongType(childPlace(place, name), element, innerDefinition(definition, name, undefined));
        const merged = mergeDefinitions(childPlace(place, name), element, [innerDefinition(definition, name, value)]);
        // An element under a false condition is left out.
        if (merged.isDefined) result.push(merged.value);
      } catch (error) {
        errors = keepError(errors, error);
      }
    }
  }
  if (errors !== undefined) throw joinErrors(errors);
  return Object.freeze(result);
}

export type ListDefinition<D> = readonly Definable<D>[];

/** A list; definitions are put together in the modules' order. */
export function listOf<Value, Definition>(element: OptionType<Value, Definition>): OptionType<readonly Value[], ListDefinition<Definition>> {
  return madeOnce("listOf", element, () => createOptionType({
    name: "listOf",
    description: () => `list of ${describePart(element, ["noun", "composite"])}`,
    descriptionClass: "composite",
    check: Array.isArray,
    merge: (place, definitions) => mergeList(place, element, definitions),
    schema: () => z.array(element.schema()),
    printType: () => `readonly ${bracket(element.printType())}[]`,
    emptyValue: () => EMPTY,
    nested: [element],
    subModules: () => element.subModules,
    withSubModules: (modules) => listOf(element.withSubModules(modules)),
    mergeType: (other) => {
      const merged = other.nested[0] === undefined ? undefined : element.mergeType(other.nested[0]);
      return merged === undefined ? undefined : listOf(merged);
    },
  }));
}

/** A list of at least one. */
export function nonEmptyListOf<Value, Definition>(element: OptionType<Value, Definition>): OptionType<readonly [Value, ...Value[]], ListDefinition<Definition>> {
  return createOptionType({
    name: "nonEmptyListOf",
    description: () => `non-empty list of ${describePart(element, ["noun", "composite"])}`,
    descriptionClass: "composite",
    check: (value) => Array.isArray(value) && value.length > 0,
    merge: (place, definitions) => mergeList(place, element, definitions),
    schema: () => z.array(element.schema()).check(z.minLength(1)),
    printType: () => `readonly [${element.printType()}, ...${bracket(element.printType())}[]]`,
    nested: [element],
    subModules: () => element.subModules,
    withSubModules: (modules) => nonEmptyListOf(element.withSubModules(modules)),
    mergeType: (other) => {
      const merged = other.nested[0] === undefined ? undefined : element.mergeType(other.nested[0]);
      return merged === undefined ? undefined : nonEmptyListOf(merged);
    },
  });
}

function bracket(type: string): string {
  return /[ |&=]/.test(type) && !type.startsWith("{") ? `(${type})` : type;
}
