import * as z from "zod/mini";
import { createOptionType } from "../option-type.ts";
import type { OptionType } from "../option-type.ts";
import { mergeEqual } from "./merge-equal.ts";

type Literal = string | number | boolean | null;

/**
 * One of some values.
 * @example
 * types.enum(["start", "stop"])  // config reads "start" | "stop"
 */
export function enumOf<const T extends Literal>(values: readonly T[]): OptionType<T> {
  let known: ReadonlySet<unknown> | undefined;
  return createOptionType<T>({
    name: "enum",
    payload: values,
    description: () => describe([...new Set(values)]),
    descriptionClass: values.length < 2 ? "noun" : "conjunction",
    check: (value) => (known ??= new Set<unknown>(values)).has(value),
    merge: mergeEqual,
    schema: () => z.literal([...values]),
    printType: () => [...new Set(values)].map((value) => JSON.stringify(value)).join(" | ") || "never",
    // Two declarations of one option may each add values.
    // Types of this name carry this payload.
    mergeType: (other) => enumOf([...values, ...(other.payload as readonly Literal[])]),
  });
}

function describe(values: readonly Literal[]): string {
  if (values.length === 0) return "impossible (an empty enum)";
  const shown = values.map((value) => JSON.stringify(value));
  return shown.length === 1 ? `value ${shown[0]} (the only possible one)` : `one of ${shown.join(", ")}`;
}
