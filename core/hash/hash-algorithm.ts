import { TsosError } from "../error/tsos-error.ts";
import { findNearestName } from "../util/suggest.ts";

/** The hash functions that Nix's formats name. md5 and sha1 are there for old fixed outputs and git only. */
export type HashAlgorithm = "md5" | "sha1" | "sha256" | "sha512" | "blake3";

/** Bytes of a digest. */
export const DIGEST_SIZES: Readonly<Record<HashAlgorithm, number>> = { md5: 16, sha1: 20, sha256: 32, sha512: 64, blake3: 32 };

export const HASH_ALGORITHMS: readonly HashAlgorithm[] = ["md5", "sha1", "sha256", "sha512", "blake3"];

export function isHashAlgorithm(text: string): text is HashAlgorithm {
  return Object.hasOwn(DIGEST_SIZES, text);
}

/** @throws TsosError `hash.unknown-algorithm`. */
export function parseHashAlgorithm(text: string): HashAlgorithm {
  if (isHashAlgorithm(text)) return text;
  const nearest = findNearestName(text, HASH_ALGORITHMS);
  throw new TsosError({
    code: "hash.unknown-algorithm",
    message: `unknown hash algorithm "${text}", expected one of ${HASH_ALGORITHMS.join(", ")}`,
    hint: nearest === undefined ? undefined : `did you mean ${nearest}?`,
    data: { algorithm: text },
  });
}
