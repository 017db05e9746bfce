import type { StorePath } from "../store-path/store-path.ts";

/** Derivation → output name → path, of all outputs that were asked for. */
export type RealisedOutputs = ReadonlyMap<StorePath, ReadonlyMap<string, StorePath>>;
