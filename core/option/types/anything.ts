import * as z from "zod/mini";
import type { PlacedDefinition } from "../definition.ts";
import { definedValue, mergeDefinitions } from "../merge-definitions.ts";
import { childPlace } from "../merge-place.ts";
import type { MergePlace } from "../merge-place.ts";
import { conflict } from "../option-errors.ts";
import { createOptionType } from "../option-type.ts";
import type { OptionType } from "../option-type.ts";
import { setProperty } from "../plain-object.ts";
import { isPackageValue, isSecretValue } from "../foreign-types.ts";
import { mergeAttrs } from "./attrs-of.ts";
import { mergeEqual, mergeOne } from "./merge-equal.ts";
import { isSetLike } from "./set-like.ts";

const always = (): boolean => true;

/** Whatever, unchecked, from one definition. */
export const raw = createOptionType<unknown>({
  name: "raw",
  description: "raw value",
  check: always,
  merge: mergeOne,
  schema: () => z.unknown(),
  printType: "unknown",
});

type Kind = "set" | "value" | "function" | "list" | "scalar";

function kindOf(value: unknown): Kind {
  if (isPackageValue(value) || isSecretValue(value)) return "value";
  if (typeof value === "function") return "function";
  if (Array.isArray(value)) return "list";
  return isSetLike(value) ? "set" : "scalar";
}

function commonKind(place: MergePlace, definitions: readonly PlacedDefinition[]): Kind {
  const kind = kindOf(definitions[0]!.value);
  for (const { value } of definitions) {
    const same = kind === "scalar" ? typeof value === typeof definitions[0]!.value : kindOf(value) === kind;
    if (!same) throw conflict(place, definitions, "they are of different kinds");
  }
  return kind;
}

function mergeAnything(place: MergePlace, definitions: readonly PlacedDefinition[]): unknown {
  switch (commonKind(place, definitions)) {
    case "set":
      return mergeAttrs(place, anything, definitions, false);
    case "value":
      return mergeOne(place, definitions);
    case "function":
      if (definitions.length === 1) return definitions[0]!.value;
      return (argument: unknown): unknown =>
        mergeAnything(childPlace(place, "<function>"), definitions.map((definition) => ({
          ...definition,
          value: (definition.value as (argument: unknown) => unknown)(argument),
        })));
    default:
      return freezeData(mergeEqual(place, definitions));
  }
}

// Lists of a definition are the module's own until they are part of the configuration.
function freezeData(value: unknown): unknown {
  return Array.isArray(value) ? Object.freeze(value.map(freezeData)) : value;
}

/** Anything: objects are merged by name, at every depth; all else must be equal. */
export const anything: OptionType<unknown> = createOptionType<unknown>({
  name: "anything",
  description: "anything",
  check: always,
  merge: mergeAnything,
  schema: () => z.unknown(),
  printType: "unknown",
});

/** No type was thought of: lists and strings are put together, objects laid over one another. Prefer `anything`. */
export const unspecified: OptionType<unknown> = createOptionType<unknown>({
  name: "unspecified",
  description: "unspecified value",
  check: always,
  merge: (place, definitions) => {
    const values = definitions.map((definition) => definition.value);
    if (values.length === 1) return values[0];
    if (values.every(Array.isArray)) return Object.freeze(values.flat());
    if (values.every(isSetLike)) {
      const result: Record<string, unknown> = {};
      for (const value of values) for (const name of Object.keys(value)) setProperty(result, name, value[name]);
      return Object.freeze(result);
    }
    if (values.every((value) => typeof value === "boolean")) return values.some((value) => value);
    if (values.every((value) => typeof value === "string")) return values.join("");
    if (values.every((value) => kindOf(value) === "function")) {
      return (argument: unknown): unknown =>
        unspecified.merge(childPlace(place, "<function>"), definitions.map((definition) => ({
          ...definition,
          value: (definition.value as (argument: unknown) => unknown)(argument),
        })));
    }
    // Nix: lib/options.nix, mergeDefaultOption, which knows equal integers, but not equal nulls.
    if (values.some((value) => value === null || (typeof value === "number" && !Number.isInteger(value)))) throw conflict(place, definitions);
    return mergeEqual(place, definitions);
  },
  schema: () => z.unknown(),
  printType: "unknown",
});

/** A function; what it returns is of the given type, merged when it is called. */
export function functionTo<Value, Definition, Argument = unknown>(
  result: OptionType<Value, Definition>,
  _argument?: FunctionArgument<Argument>,
): OptionType<(argument: Argument) => Value, (argument: Argument) => Definition> {
  return createOptionType({
    name: "functionTo",
    description: () => `function that returns ${result.description}`,
    descriptionClass: "composite",
    check: (value) => typeof value === "function" && !isPackageValue(value),
    merge: (place, definitions) => {
      const body = childPlace(place, "<function>");
      return (argument: Argument): unknown => {
        const merged = mergeDefinitions(body, result, definitions.map((definition) => ({
          ...definition,
          // `check` is the proof.
          value: (definition.value as (argument: Argument) => unknown)(argument),
        })));
        return definedValue(body, result, merged);
      };
    },
    schema: () => z.custom((value) => typeof value === "function"),
    printType: () => `(argument: unknown) => ${result.printType()}`,
    nested: [result],
    subModules: () => result.subModules,
    withSubModules: (modules) => functionTo(result.withSubModules(modules)),
    mergeType: (other) => {
      const merged = other.nested[0] === undefined ? undefined : result.mergeType(other.nested[0]);
      return merged === undefined ? undefined : functionTo(merged);
    },
  });
}

declare const ARGUMENT: unique symbol;
/** Says the type of a function's argument: `types.functionTo(types.str, types.argument<number>())`. */
export type FunctionArgument<A> = { readonly [ARGUMENT]?: A };

export function argument<A>(): FunctionArgument<A> {
  return {};
}
