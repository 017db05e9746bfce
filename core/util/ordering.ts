import { compareBytes, encodeUtf8 } from "./bytes.ts";

/** Order of two byte strings (one character a byte), or of two ASCII strings, by bytes. */
export function compareByteStrings(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

const SURROGATE = /[\ud800-\udfff]/;

/** Order of two JavaScript strings by their UTF-8 bytes; never by locale. */
export function compareUtf8(a: string, b: string): number {
  // UTF-16 and UTF-8 order differ only where surrogates meet the last part of the basic plane.
  if (SURROGATE.test(a) || SURROGATE.test(b)) return compareBytes(encodeUtf8(a), encodeUtf8(b));
  return a < b ? -1 : a > b ? 1 : 0;
}
