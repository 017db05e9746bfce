/** The parts of the platform's `TextEncoder` that tsos uses, for an isolate that has no platform. */
export class Utf8Encoder {
  readonly encoding = "utf-8";

  encode(text = ""): Uint8Array {
    // Three bytes a UTF-16 unit is the most there can be: a surrogate pair takes four for two.
    const bytes = new Uint8Array(text.length * 3);
    let at = 0;
    for (let i = 0; i < text.length; i++) {
      let unit = text.charCodeAt(i);
      if (unit < 0x80) {
        bytes[at++] = unit;
        continue;
      }
      if (unit >= 0xd800 && unit <= 0xdfff) {
        const low = unit <= 0xdbff ? text.charCodeAt(i + 1) : NaN;
        if (low >= 0xdc00 && low <= 0xdfff) {
          unit = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
          i++;
        } else {
          unit = 0xfffd;
        }
      }
      if (unit < 0x800) {
        bytes[at++] = 0xc0 | (unit >> 6);
      } else {
        if (unit < 0x10000) {
          bytes[at++] = 0xe0 | (unit >> 12);
        } else {
          bytes[at++] = 0xf0 | (unit >> 18);
          bytes[at++] = 0x80 | ((unit >> 12) & 0x3f);
        }
        bytes[at++] = 0x80 | ((unit >> 6) & 0x3f);
      }
      bytes[at++] = 0x80 | (unit & 0x3f);
    }
    return bytes.slice(0, at);
  }
}

/** The parts of the platform's `TextDecoder` that tsos uses: whole inputs, UTF-8, a byte order mark kept or dropped. */
export class Utf8Decoder {
  readonly encoding = "utf-8";
  readonly fatal: boolean;
  readonly ignoreBOM: boolean;

  constructor(label = "utf-8", options: { readonly fatal?: boolean; readonly ignoreBOM?: boolean } = {}) {
    if (!/^utf-?8$/i.test(label)) throw new RangeError(`the encoding "${label}" is not available in a configuration: use "utf-8"`);
    this.fatal = options.fatal ?? false;
    this.ignoreBOM = options.ignoreBOM ?? false;
  }

  decode(input: Uint8Array = new Uint8Array()): string {
    const bytes = input;
    let i = !this.ignoreBOM && bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
    let text = "";
    let units: number[] = [];
    while (i < bytes.length) {
      const first = bytes[i]!;
      let point = first;
      let length = 1;
      if (first >= 0x80) {
        length = sequenceLength(bytes, i);
        if (length <= 0) {
          if (this.fatal) throw new TypeError(`byte ${i} is not UTF-8`);
          point = 0xfffd;
          length = Math.max(1, -length);
        } else if (length === 2) point = ((first & 0x1f) << 6) | (bytes[i + 1]! & 0x3f);
        else if (length === 3) point = ((first & 0x0f) << 12) | ((bytes[i + 1]! & 0x3f) << 6) | (bytes[i + 2]! & 0x3f);
        else point = ((first & 0x07) << 18) | ((bytes[i + 1]! & 0x3f) << 12) | ((bytes[i + 2]! & 0x3f) << 6) | (bytes[i + 3]! & 0x3f);
      }
      i += length;
      if (point > 0xffff) units.push(0xd800 + ((point - 0x10000) >> 10), 0xdc00 + ((point - 0x10000) & 0x3ff));
      else units.push(point);
      if (units.length > 4096) {
        text += String.fromCharCode(...units);
        units = [];
      }
    }
    return text + String.fromCharCode(...units);
  }
}

/**
 * How many bytes the sequence at `i` has; where it is not UTF-8, minus the bytes of its longest valid
 * beginning (0 for none), which the standard replaces by one U+FFFD.
 */
function sequenceLength(bytes: Uint8Array, i: number): number {
  const first = bytes[i]!;
  const length = first >= 0xc2 && first <= 0xdf ? 2 : first >= 0xe0 && first <= 0xef ? 3 : first >= 0xf0 && first <= 0xf4 ? 4 : 0;
  if (length === 0) return 0;
  const second = bytes[i + 1];
  // The ranges of the second byte that shut out overlong forms, surrogates and what lies beyond U+10FFFF.
  const low = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
  const high = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
  if (second === undefined || second < low || second > high) return -1;
  for (let k = 2; k < length; k++) {
    const next = bytes[i + k];
    if (next === undefined || (next & 0xc0) !== 0x80) return -k;
  }
  return length;
}
