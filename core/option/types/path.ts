import * as z from "zod/mini";
import { isPackageValue } from "../foreign-types.ts";
import type { PackageValue } from "../foreign-types.ts";
import { createOptionType } from "../option-type.ts";
import type { MergePlace } from "../merge-place.ts";
import type { PlacedDefinition } from "../definition.ts";
import { mergeEqual } from "./merge-equal.ts";

// A package stands for its path; as a path it becomes the string, and what uses the string depends on it.
function mergePath(place: MergePlace, definitions: readonly PlacedDefinition[]): string {
  return String(mergeEqual(place, definitions));
}

/** An absolute path: a string, or a package, which is read as the path of its output. */
export const path = createOptionType<string, string | PackageValue>({
  name: "path",
  description: "absolute path",
  check: (value) => (typeof value === "string" ? value.startsWith("/") : isPackageValue(value)),
  merge: mergePath,
  schema: () => z.string().check(z.startsWith("/")),
  printType: "string",
});

const IN_STORE = /^\/.+\/[0-9abcdfghijklmnpqrsvwxyz]{32}-[^/]+(?:\/|$)/;

/** A path in the store, or a package. */
export const pathInStore = createOptionType<string, string | PackageValue>({
  name: "pathInStore",
  description: "path in the store",
  check: (value) => (typeof value === "string" ? IN_STORE.test(value) : isPackageValue(value)),
  merge: mergePath,
  schema: () => z.string().check(z.regex(IN_STORE)),
  printType: "string",
});
