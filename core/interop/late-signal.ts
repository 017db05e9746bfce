import type { Slot } from "../nix/value.ts";

/**
 * Thrown where the language asks for a value that is not there before a function of TypeScript has returned. Whoever
 * called the language from within that function gives a view instead that is evaluated later.
 */
export class LateSignal extends Error {
  /** A view of what was being asked for. */
  readonly later: (slot: Slot) => object;
  constructor(later: (slot: Slot) => object) {
    super("a value was asked for too early");
    this.later = later;
  }
}
