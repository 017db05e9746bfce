import { setFlagsFromString } from "node:v8";

/** Most of what an evaluation makes at first lives on: from the engine's first megabyte the room for it grows in large steps. */
const MEMORY = ["--semi-space-growth-factor=8"];

/**
 * Most functions of the evaluator are called a few times, in many ways. Optimising them later, with less of each other in
 * them, takes half of the compiler's time off, and what it makes need not be thrown away so often.
 */
const COMPILER = ["--interrupt-budget=150000", "--max-inlined-bytecode-size-cumulative=300"];

/** The first version of the engine that has a compiler between the slow and the optimising one, and other numbers. */
const OTHER_COMPILERS = 12;

/**
 * Sets the engine up for evaluations of the Nix language, all threads of the process alike. A code cache fits only an
 * engine that is set up as it was when the cache was made.
 */
export function tuneEngine(): void {
  const flags = Number.parseInt(process.versions.v8, 10) < OTHER_COMPILERS ? [...MEMORY, ...COMPILER] : MEMORY;
  for (const flag of flags) setFlagsFromString(flag);
}
