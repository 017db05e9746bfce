import type { Slot } from "../nix/value.ts";

/**
 * Thrown where the language asks for a value that is not there before a function of TypeScript has returned. Whoever
 * called the language from within that function gives a view instead that is evaluated later.
 */
export class LateSignal extends Error {
  /** A view of what was being asked for; a plain value, where it is known what would have come out in the round before. */
  readonly later: (slot: Slot, before?: () => Slot | undefined) => unknown;
  constructor(later: (slot: Slot, before?: () => Slot | undefined) => unknown) {
    super("a value was asked for too early");
    this.later = later;
  }
}
