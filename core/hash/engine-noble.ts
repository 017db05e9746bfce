import { blake3 } from "@noble/hashes/blake3.js";
import { md5, sha1 } from "@noble/hashes/legacy.js";
import { sha256, sha512 } from "@noble/hashes/sha2.js";
import { byteStringToBytes, type ByteString } from "../util/bytes.ts";
import type { HashAlgorithm } from "./hash-algorithm.ts";
import type { Hasher } from "./hasher.ts";

// The isolate's half of `#hash-engine`: no Node builtin may be reached from here.

const FUNCTIONS = { md5, sha1, sha256, sha512, blake3 };

export function createEngineHasher(algorithm: HashAlgorithm): Hasher {
  const hasher = FUNCTIONS[algorithm].create();
  return {
    update(bytes) {
      hasher.update(bytes);
    },
    digest: () => hasher.digest(),
  };
}

export function digestBytes(algorithm: HashAlgorithm, bytes: Uint8Array): Uint8Array {
  return FUNCTIONS[algorithm](bytes);
}

/** The digest of the bytes that `text` stands for. */
export function digestByteString(algorithm: HashAlgorithm, text: ByteString): Uint8Array {
  return FUNCTIONS[algorithm](byteStringToBytes(text));
}

/** The same in base 16. */
export function digestBase16(algorithm: HashAlgorithm, text: ByteString): string {
  return formatBytes(digestByteString(algorithm, text));
}

const DIGITS: readonly number[] = [...new TextEncoder().encode("0123456789abcdef")];

/** Two hexadecimal digits a byte. */
export function formatBytes(bytes: Uint8Array): string {
  const codes = new Array<number>(bytes.length * 2);
  for (let i = 0; i < bytes.length; i++) {
    codes[2 * i] = DIGITS[bytes[i]! >> 4]!;
    codes[2 * i + 1] = DIGITS[bytes[i]! & 15]!;
  }
  // One flat text: a text made of pieces is put together anew wherever it is hashed.
  return String.fromCharCode.apply(null, codes);
}
