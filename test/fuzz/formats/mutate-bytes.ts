import type { Random } from "../random.ts";

/** Longer inputs find little more and cost much. */
const LONGEST = 1 << 16;

/** One input made of another, by a few changes. */
export function mutateBytes(random: Random, seeds: readonly Uint8Array[], words: readonly Uint8Array[]): Uint8Array {
  let bytes = Buffer.from(random.pick(seeds));
  for (let n = 1 + random.below(6); n > 0; n--) {
    const at = random.below(bytes.length + 1);
    const length = random.below(Math.min(64, bytes.length - at) + 1);
    switch (random.below(8)) {
      case 0:
        if (at < bytes.length) bytes[at]! ^= 1 << random.below(8);
        break;
      case 1:
        if (at < bytes.length) bytes[at] = random.below(256);
        break;
      case 2:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)]);
        break;
      case 3:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at, at + length), bytes.subarray(at)]);
        break;
      case 4:
        bytes = Buffer.concat([bytes.subarray(0, at), random.pick(words), bytes.subarray(at)]);
        break;
      case 5: {
        const word = random.pick(words);
        const place = at - (at % 8);
        bytes = Buffer.concat([bytes.subarray(0, place), word, bytes.subarray(place + word.length)]);
        break;
      }
      case 6: {
        const other = random.pick(seeds);
        bytes = Buffer.concat([bytes.subarray(0, at), other.subarray(random.below(other.length + 1))]);
        break;
      }
      default:
        bytes = bytes.subarray(0, at);
    }
  }
  return bytes.subarray(0, LONGEST);
}
