import { randomInt } from "node:crypto";

/** Numbers that come again with the same seed. */
export type SeededRandom = {
  readonly seed: number;
  /** From 0 up to 1. */
  next(): number;
};

/** With `TSOS_TEST_SEED`, the numbers of the run that printed it. */
export function createRandom(seed = Number(process.env["TSOS_TEST_SEED"] ?? randomInt(2 ** 31))): SeededRandom {
  let state = seed >>> 0;
  return {
    seed,
    // Mulberry32: small, and even enough for delays.
    next() {
      state = (state + 0x6d2b79f5) >>> 0;
      let mixed = Math.imul(state ^ (state >>> 15), state | 1);
      mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
    },
  };
}
