import { createEngineHasher } from "#hash-engine";
import type { HashAlgorithm } from "./hash-algorithm.ts";

/** A hash in progress. `digest` ends it; neither may be called after that. */
export type Hasher = {
  update(bytes: Uint8Array): void;
  digest(): Uint8Array;
};

/** With the host's native code, or with plain JavaScript in the evaluation isolate: the digests are the same. */
export function createHasher(algorithm: HashAlgorithm): Hasher {
  return createEngineHasher(algorithm);
}
