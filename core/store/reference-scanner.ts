import { STORE_PATH_HASH_LENGTH, storePathHash, type StorePath } from "../store-path/store-path.ts";
import { byteStringToBytes } from "../util/bytes.ts";

const LENGTH = STORE_PATH_HASH_LENGTH;

/** 1 for the characters of Nix's base-32. */
const IS_NIX32 = new Uint8Array(256);
for (const character of "0123456789abcdfghijklmnpqrsvwxyz") IS_NIX32[character.charCodeAt(0)] = 1;

/** Finds the hash parts of candidate paths in a stream of bytes. */
export type ReferenceScanner = {
  /** Chunks may end anywhere: what spans them is found. */
  update(chunk: Uint8Array): void;
  /** The candidates found so far. */
  found(): Set<StorePath>;
};

/**
 * A scanner for the hash parts of `candidates`, as Nix finds references: anywhere, in whatever context.
 *
 * It looks at every 32nd byte or so while there is no run of base-32 characters, and asks a bit table of the
 * last three characters before it compares, so a stream costs little more than reading it.
 */
export function createReferenceScanner(candidates: Iterable<StorePath>): ReferenceScanner {
  const missing = new Map<string, StorePath>();
  const table = new Uint8Array(1 << 15);
  for (const path of candidates) {
    const hash = storePathHash(path);
    missing.set(hash, path);
    table[tableIndex(hash.charCodeAt(LENGTH - 3), hash.charCodeAt(LENGTH - 2), hash.charCodeAt(LENGTH - 1))] = 1;
  }
  const found = new Set<StorePath>();
  // The end of what came before, followed by the start of the next chunk: where a hash may span them.
  const seam = Buffer.alloc(2 * (LENGTH - 1));
  let carried = 0;

  const scan = (bytes: Buffer): void => {
    const end = bytes.length;
    // Bytes of [start, run) are known to be base-32 characters; the window is [start, start + 32).
    let start = 0;
    let run = 0;
    while (start + LENGTH <= end) {
      let last = start + LENGTH - 1;
      while (last >= run && IS_NIX32[bytes[last]!] === 1) last--;
      if (last >= run) {
        start = run = last + 1;
        continue;
      }
      run = start + LENGTH;
      if (table[tableIndex(bytes[run - 3]!, bytes[run - 2]!, bytes[run - 1]!)] === 1) {
        const path = missing.get(bytes.toString("latin1", start, run));
        if (path !== undefined) {
          found.add(path);
          missing.delete(storePathHash(path));
        }
      }
      start++;
    }
  };

  return {
    update(chunk) {
      if (missing.size === 0 || chunk.length === 0) return;
      const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
      const head = Math.min(chunk.length, LENGTH - 1);
      bytes.copy(seam, carried, 0, head);
      scan(seam.subarray(0, carried + head));
      if (chunk.length >= LENGTH) scan(bytes);
      // Keep the last 31 bytes of all that was seen.
      if (chunk.length >= LENGTH - 1) {
        bytes.copy(seam, 0, chunk.length - (LENGTH - 1));
        carried = LENGTH - 1;
      } else {
        const total = carried + head;
        const keep = Math.min(total, LENGTH - 1);
        seam.copyWithin(0, total - keep, total);
        carried = keep;
      }
    },
    found: () => new Set(found),
  };
}

/** Ten low bits of each character's code tell most characters apart; a clash only costs a comparison. */
function tableIndex(a: number, b: number, c: number): number {
  return ((a & 31) << 10) | ((b & 31) << 5) | (c & 31);
}

/**
 * The stream with hash parts replaced by others of the same length. `onMatch` learns the position of each in the
 * whole stream.
 */
export async function* rewriteHashParts(
  source: AsyncIterable<Uint8Array>,
  replacements: ReadonlyMap<string, string>,
  onMatch?: (position: number) => void,
): AsyncIterable<Uint8Array> {
  const rules = [...replacements].map(([from, to]) => ({ from: Buffer.from(byteStringToBytes(from)), to: byteStringToBytes(to) }));
  let position = 0;
  let pending = Buffer.alloc(0);
  const replace = (bytes: Buffer): void => {
    const matches: number[] = [];
    for (const { from, to } of rules) {
      for (let at = bytes.indexOf(from); at >= 0; at = bytes.indexOf(from, at + LENGTH)) {
        bytes.set(to, at);
        matches.push(position + at);
      }
    }
    if (onMatch !== undefined) for (const match of matches.sort((a, b) => a - b)) onMatch(match);
  };
  for await (const chunk of source) {
    pending = Buffer.concat([pending, chunk]);
    replace(pending);
    // What may be the start of a hash part stays until more is known.
    const ready = pending.length - (LENGTH - 1);
    if (ready <= 0) continue;
    yield pending.subarray(0, ready);
    position += ready;
    pending = pending.subarray(ready);
  }
  if (pending.length > 0) yield pending;
}
