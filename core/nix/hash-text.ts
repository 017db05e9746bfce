/** Hashes as texts of the language, refused in the reference's words. Nix: libutil/hash.cc. */
import { DIGEST_SIZES, isHashAlgorithm, type HashAlgorithm } from "../hash/hash-algorithm.ts";
import { decodeBase16 } from "../hash/base16.ts";
import { decodeNix32, nix32Length } from "../hash/nix32.ts";
import { formatHash, type Hash } from "../hash/hash.ts";
import type { ByteString } from "../util/bytes.ts";
import { NixError } from "./nix-error.ts";
import type { NixSettings } from "./nix-settings.ts";

/** @throws NixError where there is no such function, or the feature that has it is not on */
export function parseAlgorithm(name: ByteString, settings: NixSettings | undefined): HashAlgorithm {
  const found = findAlgorithm(name, settings);
  if (found === undefined) throw new NixError("usage", `unknown hash algorithm '${name}', expect 'blake3', 'md5', 'sha1', 'sha256', or 'sha512'`);
  return found;
}

/** @throws NixError where the feature that has it is not on */
export function findAlgorithm(name: ByteString, settings: NixSettings | undefined): HashAlgorithm | undefined {
  if (!isHashAlgorithm(name)) return undefined;
  if (name === "blake3" && settings?.blake3Hashes !== true) throw featureDisabled("blake3-hashes");
  return name;
}

export function featureDisabled(feature: string, reason = ""): NixError {
  return new NixError("eval", `experimental Nix feature '${feature}' is disabled${reason}; add '--extra-experimental-features ${feature}' to enable it`);
}

/**
 * `sha256:…`, `sha256-…` or bare digits.
 *
 * @throws NixError
 */
export function parseHashText(text: ByteString, algorithm: HashAlgorithm | undefined, settings: NixSettings | undefined): Hash {
  const colon = text.indexOf(":");
  const separator = colon >= 0 ? colon : text.indexOf("-");
  const own = separator < 0 ? undefined : parseAlgorithm(text.slice(0, separator), settings);
  const rest = text.slice(separator + 1);
  if (own === undefined && algorithm === undefined) {
    throw new NixError("eval", `hash '${text}' does not include a type, nor is the type otherwise known from context`);
  }
  if (own !== undefined && algorithm !== undefined && own !== algorithm) throw new NixError("eval", `hash '${text}' should have type '${algorithm}'`);
  const kind = (own ?? algorithm)!;
  const size = DIGEST_SIZES[kind];
  const [form, decode] = separator >= 0 && colon < 0 ? (["SRI", decodeBase64] as const) : formOf(rest, kind);
  let digest: Uint8Array;
  try {
    digest = decode(rest);
  } catch {
    digest = new Uint8Array(0);
  }
  if (digest.length !== size) throw new NixError("eval", `invalid ${form} hash '${rest}', length ${digest.length} != expected length ${size}`);
  return { algorithm: kind, digest };
}

/**
 * The same, with nothing but zeros for an empty text, of which `warn` hears.
 *
 * @throws NixError
 */
export function parseHashOrEmpty(text: ByteString, algorithm: HashAlgorithm | undefined, settings: NixSettings | undefined, warn: (message: string) => void): Hash {
  if (text !== "") return parseHashText(text, algorithm, settings);
  if (algorithm === undefined) throw new NixError("eval", "empty hash requires explicit hash algorithm");
  const hash: Hash = { algorithm, digest: new Uint8Array(DIGEST_SIZES[algorithm]) };
  warn(`warning: found empty hash, assuming '${formatHash(hash, "sri")}'`);
  return hash;
}

function formOf(rest: ByteString, algorithm: HashAlgorithm): readonly [string, (text: string) => Uint8Array] {
  const size = DIGEST_SIZES[algorithm];
  if (rest.length === size * 2) return ["base16", decodeBase16];
  if (rest.length === nix32Length(size)) return ["nix32", decodeNix32];
  if (rest.length === Math.ceil(size / 3) * 4) return ["Base64", decodeBase64];
  throw new NixError("eval", `hash '${rest}' has wrong length for hash algorithm '${algorithm}'`);
}

const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/** Ends at the first `=`, ignores line breaks and what is left of a byte. */
function decodeBase64(text: string): Uint8Array {
  const bytes: number[] = [];
  let value = 0;
  let bits = 0;
  for (const c of text) {
    if (c === "=") break;
    if (c === "\n") continue;
    const digit = DIGITS.indexOf(c);
    if (digit < 0) throw new RangeError(`"${c}" is no digit of base 64`);
    value = ((value << 6) | digit) & 0xffff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes.push((value >> bits) & 0xff);
    }
  }
  return Uint8Array.from(bytes);
}
