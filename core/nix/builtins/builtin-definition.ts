import type { Slot, Value } from "../value.ts";

/** `pos` is the word that holds the place of the call. */
export type BuiltinDefinition = readonly [name: string, arity: number, run: (args: readonly Slot[], pos: number) => Value];
