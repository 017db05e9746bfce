import { digestBase16, digestByteString, digestBytes } from "#hash-engine";
import { TsosError } from "../error/tsos-error.ts";
import { equalBytes, type ByteString } from "../util/bytes.ts";
import { unreachable } from "../util/unreachable.ts";
import { decodeBase16, encodeBase16 } from "./base16.ts";
import { decodeBase64, encodeBase64 } from "./base64.ts";
import { DIGEST_SIZES, isHashAlgorithm, parseHashAlgorithm, type HashAlgorithm } from "./hash-algorithm.ts";
import { decodeNix32, encodeNix32, nix32Length } from "./nix32.ts";

/** A digest and the function that made it. */
export type Hash = { readonly algorithm: HashAlgorithm; readonly digest: Uint8Array };

export type HashFormat = "base16" | "nix32" | "base64" | "sri";

export function hashBytes(algorithm: HashAlgorithm, bytes: Uint8Array): Hash {
  return { algorithm, digest: digestBytes(algorithm, bytes) };
}

/** The hash of the bytes that `text` stands for, one a character. */
export function hashByteString(algorithm: HashAlgorithm, text: ByteString): Hash {
  return { algorithm, digest: digestByteString(algorithm, text) };
}

/** The base-16 digits of that hash, for who needs nothing else of it. */
export function hashToBase16(algorithm: HashAlgorithm, text: ByteString): string {
  return digestBase16(algorithm, text);
}

export function equalHashes(a: Hash, b: Hash): boolean {
  return a.algorithm === b.algorithm && equalBytes(a.digest, b.digest);
}

/**
 * A hash in any of the forms that Nix writes: SRI (`sha256-…`), with its algorithm (`sha256:…`), or bare when
 * `algorithm` says which it is. All but SRI may be base-16, Nix base-32 or base-64; their length tells which.
 *
 * @throws TsosError `hash.*` naming what was expected.
 * @example
 * parseHash("sha256:0mdqa9w1p6cmli6976v4wi0sw9r4p5prkj7lzfd1877wk11c9c73")
 * parseHash("sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=")
 */
export function parseHash(text: string, algorithm?: HashAlgorithm): Hash {
  // Nix: libutil/hash.cc, getParsedTypeAndSRI. Neither `:` nor `-` is a digit of any of the bases.
  const colon = text.indexOf(":");
  const separator = colon >= 0 ? colon : text.indexOf("-");
  if (separator < 0 && algorithm === undefined) {
    throw new TsosError({
      code: "hash.no-algorithm",
      message: `hash "${text}" does not say its algorithm`,
      hint: 'write it as "sha256-…" (SRI) or "sha256:…"',
      data: { text },
    });
  }
  const own = separator < 0 ? algorithm! : parseHashAlgorithm(text.slice(0, separator));
  if (algorithm !== undefined && own !== algorithm) {
    throw new TsosError({ code: "hash.wrong-algorithm", message: `hash "${text}" is ${own}, expected ${algorithm}`, data: { text, algorithm } });
  }
  return { algorithm: own, digest: parseDigest(text, text.slice(separator + 1), own, separator >= 0 && colon < 0) };
}

/** A hash that must be in SRI form. */
export function parseSriHash(text: string): Hash {
  const dash = text.indexOf("-");
  if (dash < 0 || !isHashAlgorithm(text.slice(0, dash))) {
    throw new TsosError({ code: "hash.not-sri", message: `hash "${text}" is not in SRI form, expected "sha256-…"`, data: { text } });
  }
  return parseHash(text);
}

function parseDigest(text: string, rest: string, algorithm: HashAlgorithm, sri: boolean): Uint8Array {
  const size = DIGEST_SIZES[algorithm];
  if (!sri && rest.length === size * 2) return decodeBase16(rest);
  if (!sri && rest.length === nix32Length(size)) return decodeNix32(rest);
  if (sri || rest.length === Math.ceil(size / 3) * 4) {
    const digest = decodeBase64(rest);
    if (digest.length === size) return digest;
  }
  throw new TsosError({
    code: "hash.wrong-length",
    message: `hash "${text}" has ${rest.length} digits, which no form of ${algorithm} has`,
    hint: sri
      ? `expected ${Math.ceil(size / 3) * 4} of base-64`
      : `expected ${size * 2} of base-16, ${nix32Length(size)} of Nix base-32 or ${Math.ceil(size / 3) * 4} of base-64`,
    data: { text, algorithm },
  });
}

/** `withPrefix` puts `sha256:` before a base; SRI always carries its algorithm. */
export function formatHash(hash: Hash, format: HashFormat, withPrefix = false): string {
  if (format === "sri") return `${hash.algorithm}-${encodeBase64(hash.digest)}`;
  const digits = formatDigest(hash.digest, format);
  return withPrefix ? `${hash.algorithm}:${digits}` : digits;
}

function formatDigest(digest: Uint8Array, format: "base16" | "nix32" | "base64"): string {
  switch (format) {
    case "base16":
      return encodeBase16(digest);
    case "nix32":
      return encodeNix32(digest);
    case "base64":
      return encodeBase64(digest);
    default:
      return unreachable(format);
  }
}
