import type { PlacedDefinition } from "../definition.ts";
import { equalValues } from "../equal-values.ts";
import type { MergePlace } from "../merge-place.ts";
import { conflict, definedMoreThanOnce } from "../option-errors.ts";

/** The value that all definitions agree on. Nix: lib/options.nix, mergeEqualOption */
export function mergeEqual(place: MergePlace, definitions: readonly PlacedDefinition[]): unknown {
  const first = definitions[0]!.value;
  for (let i = 1; i < definitions.length; i++) {
    if (!equalValues(first, definitions[i]!.value)) throw conflict(place, definitions);
  }
  return first;
}

/** The value of the only definition. Nix: lib/options.nix, mergeOneOption */
export function mergeOne(place: MergePlace, definitions: readonly PlacedDefinition[]): unknown {
  if (definitions.length > 1) throw definedMoreThanOnce(place, definitions);
  return definitions[0]!.value;
}
