import * as z from "zod/mini";
import { isPackageValue } from "../foreign-types.ts";
import type { PackageValue } from "../foreign-types.ts";
import type { AnyModified } from "../modifier.ts";
import { conflict } from "../option-errors.ts";
import { createOptionType } from "../option-type.ts";
import type { OptionType } from "../option-type.ts";
import { mergeAttrs } from "./attrs-of.ts";
import { mergeList } from "./list-of.ts";
import { mergeEqual } from "./merge-equal.ts";
import { isSetLike } from "./set-like.ts";

// Interfaces, since these keep their names in every union that they are part of: else an editor, and the declarations of
// options, would write out a type that holds itself.
/** A list of a settings file. */
export interface JsonList extends ReadonlyArray<JsonValue> {}
/** An object of a settings file. */
export interface JsonObject {
  readonly [name: string]: JsonValue;
}
/** What a settings file may hold. */
export type JsonValue = null | boolean | number | string | JsonList | JsonObject;

// What is modified in it is not said to be JSON: where a submodule takes JSON beside options of its own, modified
// definitions of those would have to be it too.
export interface JsonListDefinition extends ReadonlyArray<JsonDefinition | AnyModified> {}
export interface JsonObjectDefinition {
  readonly [name: string]: JsonDefinition | AnyModified | undefined;
}
/** What a module may write where a settings file is defined. */
export type JsonDefinition = null | boolean | number | string | PackageValue | JsonListDefinition | JsonObjectDefinition;

function isScalar(value: unknown): boolean {
  return value === null || typeof value === "string" || typeof value === "boolean" || Number.isFinite(value) || isPackageValue(value);
}

/** The values of a settings file: objects are merged by name, lists put together, all else must be equal. */
export const json: OptionType<JsonValue, JsonDefinition> = createOptionType<JsonValue, JsonDefinition>({
  name: "json",
  description: "JSON value",
  check: (value) => isScalar(value) || Array.isArray(value) || isSetLike(value),
  merge: (place, definitions) => {
    if (definitions.every((definition) => isSetLike(definition.value))) return mergeAttrs(place, json, definitions, false);
    if (definitions.every((definition) => Array.isArray(definition.value))) return mergeList(place, json, definitions);
    if (!definitions.every((definition) => isScalar(definition.value))) throw conflict(place, definitions, "they are of different kinds");
    const value = mergeEqual(place, definitions);
    // A package in a file is the path of its output.
    return isPackageValue(value) ? String(value) : value;
  },
  emptyValue: () => null,
  schema: () => z.json(),
  printType: "JsonValue",
});
