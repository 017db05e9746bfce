import { TsosError } from "../error/tsos-error.ts";

// Nix: libutil/base-nix-32.cc. The letters e, o, u and t are left out.
const ALPHABET = "0123456789abcdfghijklmnpqrsvwxyz";

const VALUES = new Int8Array(128).fill(-1);
for (let i = 0; i < ALPHABET.length; i++) VALUES[ALPHABET.charCodeAt(i)] = i;

/** How many characters `size` bytes take. */
export function nix32Length(size: number): number {
  return size === 0 ? 0 : Math.floor((size * 8 - 1) / 5) + 1;
}

/** Whether each character of `text` is one of Nix's base-32. */
export function isNix32(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 127 || VALUES[code]! < 0) return false;
  }
  return true;
}

/**
 * Nix's base-32: the bytes are a little-endian number, written with its most significant digit first.
 *
 * @example
 * encodeNix32(new Uint8Array([1, 0])) // "0001"
 */
export function encodeNix32(bytes: Uint8Array): string {
  const length = nix32Length(bytes.length);
  const codes = new Array<number>(length);
  for (let n = length - 1; n >= 0; n--) {
    const bit = n * 5;
    const index = bit >>> 3;
    const shift = bit & 7;
    // Bits beyond the last byte count as zero.
    const pair = bytes[index]! | ((bytes[index + 1] ?? 0) << 8);
    codes[length - 1 - n] = ALPHABET.charCodeAt((pair >>> shift) & 0x1f);
  }
  return String.fromCharCode.apply(null, codes);
}

/** @throws TsosError `hash.bad-nix32` when a character is none of the alphabet or the length or last bits fit no bytes. */
export function decodeNix32(text: string): Uint8Array {
  const size = Math.floor((text.length * 5) / 8);
  if (nix32Length(size) !== text.length) {
    throw new TsosError({ code: "hash.bad-nix32", message: `"${text}" has ${text.length} characters, which no whole number of bytes takes in Nix base-32`, data: { text } });
  }
  const bytes = new Uint8Array(size);
  for (let n = 0; n < text.length; n++) {
    const code = text.charCodeAt(text.length - 1 - n);
    const digit = code < 128 ? VALUES[code]! : -1;
    if (digit < 0) {
      const position = text.length - 1 - n;
      throw new TsosError({
        code: "hash.bad-nix32",
        message: `"${text}" has "${text[position]}" at ${position}, which is no character of Nix base-32`,
        hint: "its alphabet is 0-9 and a-z without e, o, t, u",
        data: { text, position },
      });
    }
    const bit = n * 5;
    const index = bit >>> 3;
    const shifted = digit << (bit & 7);
    bytes[index]! |= shifted & 0xff;
    const carry = shifted >>> 8;
    if (carry === 0) continue;
    if (index + 1 >= size) {
      throw new TsosError({ code: "hash.bad-nix32", message: `"${text}" stands for more than ${size} bytes in Nix base-32`, data: { text } });
    }
    bytes[index + 1]! |= carry;
  }
  return bytes;
}
