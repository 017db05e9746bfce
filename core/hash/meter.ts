import type { HashAlgorithm } from "./hash-algorithm.ts";
import type { Hash } from "./hash.ts";
import { createHasher } from "./hasher.ts";

/** Hashes and counts what passes through; `result` is of what did so far. */
export type Meter = {
  pass(source: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array>;
  result(): { readonly hash: Hash; readonly size: number };
};

/** @param signal ends the passing with its reason */
export function createMeter(algorithm: HashAlgorithm, signal?: AbortSignal): Meter {
  const hasher = createHasher(algorithm);
  let size = 0;
  return {
    async *pass(source) {
      for await (const chunk of source) {
        signal?.throwIfAborted();
        hasher.update(chunk);
        size += chunk.length;
        yield chunk;
      }
    },
    result: () => ({ hash: { algorithm, digest: hasher.digest() }, size }),
  };
}
