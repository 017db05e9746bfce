import type { RawDefinition } from "./definition.ts";
import { equalValues } from "./equal-values.ts";

/** Whether two lists of definitions make the same value. */
export function equalDefinitions(a: readonly RawDefinition[], b: readonly RawDefinition[]): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) {
    const one = a[i]!;
    const other = b[i]!;
    if (one.priority !== other.priority || one.order !== other.order || !equalValues(one.value, other.value)) return false;
  }
  return true;
}
