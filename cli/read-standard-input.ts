import { fstatSync, readSync } from "node:fs";
import { setImmediate as nextTurn } from "node:timers/promises";

const CHUNK = 1 << 18;

/** Standard input; chunks of a file are only lent. What is no file may let one wait, which only a stream does without stopping all else. */
export function readStandardInput(): AsyncIterable<Uint8Array> {
  return fstatSync(0).isFile() ? readFileInput() : process.stdin;
}

async function* readFileInput(): AsyncIterable<Uint8Array> {
  const buffer = new Uint8Array(CHUNK);
  for (let n = 1; ; n++) {
    const length = readSync(0, buffer, 0, buffer.length, null);
    if (length === 0) return;
    yield buffer.subarray(0, length);
    // For signals.
    if (n % 16 === 0) await nextTurn();
  }
}
