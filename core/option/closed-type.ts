import type { OptionType } from "./option-type.ts";

const closedTypes = new WeakMap<OptionType, boolean>();

/** Whether values of the type are the same wherever they stand: no submodule inside, which has a name. */
export function isClosed(type: OptionType): boolean {
  let known = closedTypes.get(type);
  if (known === undefined) {
    known = type.name !== "submodule" && type.nested.every(isClosed);
    closedTypes.set(type, known);
  }
  return known;
}
