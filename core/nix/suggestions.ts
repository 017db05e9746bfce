import type { ByteString } from "../util/bytes.ts";

const FARTHEST = 2;
const MOST = 5;

/** Names like `wanted`, the nearest first, for "Did you mean". */
export function bestMatches(names: readonly ByteString[], wanted: ByteString): readonly ByteString[] {
  const close: [number, ByteString][] = [];
  for (const name of names) {
    if (Math.abs(name.length - wanted.length) > FARTHEST) continue;
    const distance = editDistance(name, wanted);
    if (distance <= FARTHEST) close.push([distance, name]);
  }
  return close.sort((a, b) => a[0] - b[0] || (a[1] < b[1] ? -1 : 1)).slice(0, MOST).map(([, name]) => name);
}

function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) row.push(Math.min(previous[j]! + 1, row[j - 1]! + 1, previous[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    previous = row;
  }
  return previous[b.length]!;
}
