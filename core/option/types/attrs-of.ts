import * as z from "zod/mini";
import type { TsosError } from "../../error/tsos-error.ts";
import { compareUtf8 } from "../../util/ordering.ts";
import type { PlacedDefinition, RawDefinition } from "../definition.ts";
import { joinErrors, keepError, partOf, withPart } from "../join-errors.ts";
import { childPlace } from "../merge-place.ts";
import type { MergePlace } from "../merge-place.ts";
import { innerDefinition, mergeDefinitions } from "../merge-definitions.ts";
import type { Definable } from "../modifier.ts";
import { MAX_DEPTH } from "../equal-values.ts";
import { nestedTooDeep, notDefined } from "../option-errors.ts";
import { createOptionType, describePart, madeOnce } from "../option-type.ts";
import type { OptionType } from "../option-type.ts";
import { isPlainObject, setProperty } from "../plain-object.ts";
import { isSetLike } from "./set-like.ts";

/** Definitions by name, each list in the definitions' order; the names in byte order. */
export function groupByName(definitions: readonly PlacedDefinition[]): ReadonlyMap<string, readonly RawDefinition[]> {
  const groups = new Map<string, RawDefinition[]>();
  for (const definition of definitions) {
    if (!isPlainObject(definition.value)) continue;
    for (const name of Object.keys(definition.value)) {
      const value = definition.value[name];
      if (value === undefined) continue;
      const group = groups.get(name);
      if (group === undefined) groups.set(name, [innerDefinition(definition, name, value)]);
      else group.push(innerDefinition(definition, name, value));
    }
  }
  return new Map([...groups].sort(([a], [b]) => compareUtf8(a, b)));
}

export function mergeAttrs(
  place: MergePlace,
  element: OptionType,
  definitions: readonly PlacedDefinition[],
  lazy: boolean,
): Readonly<Record<string, unknown>> {
  // Before the stack ends: by then the places of so many levels, each longer than the last, would fill the memory.
  if (place.path.length > MAX_DEPTH) throw nestedTooDeep(place, definitions);
  const result: Record<string, unknown> = {};
  let errors: readonly TsosError[] | undefined;
  for (const [name, group] of groupByName(definitions)) {
    const child = childPlace(place, name);
    try {
      const merged = mergeDefinitions(child, element, group);
      if (merged.isDefined) {
        setProperty(result, name, merged.value);
      } else if (lazy) {
        // The name is there, whatever the conditions of its definitions say.
        if (element.emptyValue === undefined) throw notDefined(child);
        setProperty(result, name, element.emptyValue(child));
      }
    } catch (error) {
      errors = keepError(errors, error);
      const part = partOf(error);
      if (part !== undefined) setProperty(result, name, part.value);
    }
  }
  if (errors !== undefined) throw withPart(joinErrors(errors), Object.freeze(result));
  return Object.freeze(result);
}

const EMPTY = Object.freeze({});

export type AttrsDefinition<D> = { readonly [name: string]: Definable<D> | undefined };

function attrsType<Value, Definition>(
  name: "attrsOf" | "lazyAttrsOf",
  element: OptionType<Value, Definition>,
): OptionType<{ readonly [name: string]: Value }, AttrsDefinition<Definition>> {
  return madeOnce(name, element, () => createOptionType({
    name,
    description: () => `attribute set of ${describePart(element, ["noun", "composite"])}`,
    descriptionClass: "composite",
    check: isSetLike,
    merge: (place, definitions) => mergeAttrs(place, element, definitions, name === "lazyAttrsOf"),
    schema: () => z.record(z.string(), element.schema()),
    printType: () => `{ readonly [name: string]: ${element.printType()} }`,
    emptyValue: () => EMPTY,
    nested: [element],
    subModules: () => element.subModules,
    withSubModules: (modules) => attrsType(name, element.withSubModules(modules)),
    mergeType: (other) => {
      const merged = other.nested[0] === undefined ? undefined : element.mergeType(other.nested[0]);
      return merged === undefined ? undefined : attrsType(name, merged);
    },
  }));
}

/** Values of one type by name. A name whose definitions all have a false condition is absent. */
export function attrsOf<Value, Definition>(
  element: OptionType<Value, Definition>,
): OptionType<{ readonly [name: string]: Value }, AttrsDefinition<Definition>> {
  return attrsType("attrsOf", element);
}

/** As `attrsOf`, but a name whose definitions all have a false condition is there, with the type's empty value. */
export function lazyAttrsOf<Value, Definition>(
  element: OptionType<Value, Definition>,
): OptionType<{ readonly [name: string]: Value }, AttrsDefinition<Definition>> {
  return attrsType("lazyAttrsOf", element);
}

/** An object of whatever; definitions are laid over one another by name, the last wins. Prefer `attrsOf`. */
export const attrs = createOptionType<{ readonly [name: string]: unknown }>({
  name: "attrs",
  description: "attribute set",
  check: isSetLike,
  merge: (_place, definitions) => {
    const result: Record<string, unknown> = {};
    for (const { value } of definitions) {
      if (isPlainObject(value)) for (const name of Object.keys(value)) setProperty(result, name, value[name]);
    }
    return Object.freeze(result);
  },
  schema: () => z.record(z.string(), z.unknown()),
  printType: "{ readonly [name: string]: unknown }",
  emptyValue: () => EMPTY,
});
