import type { ByteString } from "../util/bytes.ts";
import { decodeBase16 } from "./base16.ts";
import { digestBase16 as digestInRealm } from "./engine-noble.ts";
import type { HashAlgorithm } from "./hash-algorithm.ts";
import type { IsolateDigest } from "./isolate-digest.ts";

// What the isolate's runtime is bundled with: texts are hashed by the thread outside of its realm, which has Node's own
// functions at hand; all else is as in engine-noble.ts.

export { createEngineHasher, digestBytes, formatBytes } from "./engine-noble.ts";

/** A parameter of the runtime's script. */
declare const tsosDigest: IsolateDigest;

/** The digest of the bytes that `text` stands for. */
export function digestByteString(algorithm: HashAlgorithm, text: ByteString): Uint8Array {
  return decodeBase16(digestBase16(algorithm, text));
}

/** The same in base 16. */
export function digestBase16(algorithm: HashAlgorithm, text: ByteString): string {
  let digits = "";
  try {
    digits = tsosDigest(algorithm, text);
  } catch {
    // The end of the stack at its very door is an error of its realm, which nobody in this one may see: here it is met again.
  }
  return digits === "" ? digestInRealm(algorithm, text) : digits;
}
