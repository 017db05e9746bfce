const encoder = new TextEncoder();
const strictDecoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const lossyDecoder = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * A string in which each character stands for one byte (U+0000 to U+00FF). Paths, names and environments of
 * a store may hold any bytes; in this form they compare, slice and hash exactly as bytes. ASCII text is the
 * same in both forms.
 */
export type ByteString = string;

/** The UTF-8 bytes of `text`; a lone surrogate becomes U+FFFD, as in every encoder of the platform. */
export function encodeUtf8(text: string): Uint8Array {
  return encoder.encode(text);
}

/** @throws TypeError when `bytes` are not UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string {
  return strictDecoder.decode(bytes);
}

/** For people's eyes only: what is not UTF-8 becomes U+FFFD. */
export function decodeUtf8Lossy(bytes: Uint8Array): string {
  return lossyDecoder.decode(bytes);
}

/** As many arguments as a call surely takes. */
const CHUNK = 8192;

/** Below this a decoder's own cost is more than its gain. */
const SHORT = 64;

/** One character a byte. */
export function bytesToByteString(bytes: Uint8Array): ByteString {
  // The platform's decoder of "latin1" is of another code page; in ASCII, which most texts are, it is UTF-8 as well.
  if (bytes.length > SHORT && isAscii(bytes)) return lossyDecoder.decode(bytes);
  if (bytes.length <= CHUNK) return fromCodes(bytes);
  const parts: string[] = [];
  for (let i = 0; i < bytes.length; i += CHUNK) parts.push(fromCodes(bytes.subarray(i, i + CHUNK)));
  return parts.join("");
}

/** `apply` takes the array as it is, where a spread would go through its iterator: six times as slow. */
function fromCodes(bytes: Uint8Array): string {
  return String.fromCharCode.apply(null, bytes as unknown as number[]);
}

function isAscii(bytes: Uint8Array): boolean {
  for (let i = 0; i < bytes.length; i++) if (bytes[i]! > 0x7f) return false;
  return true;
}

/** @throws RangeError when a character is above U+00FF. */
export function byteStringToBytes(text: ByteString): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit > 0xff) throw new RangeError(`character U+${unit.toString(16).toUpperCase()} at ${i} is not a byte`);
    bytes[i] = unit;
  }
  return bytes;
}

const NON_ASCII = /[^\x00-\x7f]/;

/** The byte string of `text`'s UTF-8 form. */
export function toByteString(text: string): ByteString {
  return NON_ASCII.test(text) ? bytesToByteString(encoder.encode(text)) : text;
}

/** @throws TypeError when the bytes are not UTF-8. */
export function fromByteString(text: ByteString): string {
  return NON_ASCII.test(text) ? strictDecoder.decode(byteStringToBytes(text)) : text;
}

export function concatBytes(parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const result = new Uint8Array(length);
  let offset = 0;
  for (const part of parts) {
    result.set(part, offset);
    offset += part.length;
  }
  return result;
}

/** Lexicographic by unsigned byte, a prefix first: negative, zero or positive. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const difference = a[i]! - b[i]!;
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && compareBytes(a, b) === 0;
}
