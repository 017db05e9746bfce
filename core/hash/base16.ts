import { formatBytes } from "#hash-engine";
import { TsosError } from "../error/tsos-error.ts";

/** Lower-case hexadecimal. */
export function encodeBase16(bytes: Uint8Array): string {
  return formatBytes(bytes);
}

/** Either case. @throws TsosError `hash.bad-base16`. */
export function decodeBase16(text: string): Uint8Array {
  if (text.length % 2 !== 0) {
    throw new TsosError({ code: "hash.bad-base16", message: `"${text}" has an odd number of hexadecimal digits`, data: { text } });
  }
  const bytes = new Uint8Array(text.length / 2);
  for (let i = 0; i < text.length; i++) {
    const digit = hexValue(text.charCodeAt(i));
    if (digit < 0) {
      throw new TsosError({ code: "hash.bad-base16", message: `"${text}" has "${text[i]}" at ${i}, expected a hexadecimal digit`, data: { text, position: i } });
    }
    bytes[i >> 1] = (bytes[i >> 1]! << 4) | digit;
  }
  return bytes;
}

function hexValue(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  if (code >= 97 && code <= 102) return code - 87;
  if (code >= 65 && code <= 70) return code - 55;
  return -1;
}
