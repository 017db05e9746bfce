import { concatBytes } from "../util/bytes.ts";

// A NAR is a sequence of strings: a length of 8 bytes, little-endian, the bytes, zeros up to a multiple of 8.

/** The first string of each archive. */
export const NAR_MAGIC = "nix-archive-1";

/**
 * Longest entry name: what Linux allows. It bounds what a reader keeps of a hostile archive, as do the two
 * limits below.
 */
export const MAX_NAR_NAME = 255;

/** Longest target of a symbolic link, PATH_MAX without its NUL. */
export const MAX_NAR_TARGET = 4095;

/** Files and directories may be nested less deep than this below the root. Nix 2.34 has the same limit, both ways. */
export const MAX_NAR_DEPTH = 64;

/** A length with the zeros that follow. */
export function paddedLength(length: number): number {
  const rest = length % 8;
  return rest === 0 ? length : length + 8 - rest;
}

/** The bytes of ASCII `tokens`, one after the other. */
export function encodeNarTokens(...tokens: readonly string[]): Uint8Array {
  return concatBytes(tokens.map((token) => encodeNarToken(Uint8Array.from(token, (character) => character.charCodeAt(0)))));
}

export function encodeNarToken(bytes: Uint8Array): Uint8Array {
  const token = new Uint8Array(8 + paddedLength(bytes.length));
  writeNarLength(token, 0, bytes.length);
  token.set(bytes, 8);
  return token;
}

/** `length` as 8 bytes; below 2^53. */
export function writeNarLength(target: Uint8Array, offset: number, length: number): void {
  const high = Math.floor(length / 2 ** 32);
  target[offset] = length;
  target[offset + 1] = length >>> 8;
  target[offset + 2] = length >>> 16;
  target[offset + 3] = length >>> 24;
  target[offset + 4] = high;
  target[offset + 5] = high >>> 8;
  target[offset + 6] = high >>> 16;
  target[offset + 7] = high >>> 24;
}
