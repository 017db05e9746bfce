import { fstatSync, readSync } from "node:fs";
import { setImmediate as nextTurn } from "node:timers/promises";
import { restorePath } from "../core/nar/restore-path.ts";
import { sendFile } from "../core/util/send-file.ts";

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

/** Unpacks the archive on standard input at `target`; large contents of a file go from the one to the other within the kernel. */
export function restoreStandardInput(target: string): Promise<number> {
  return restorePath(readStandardInput(), target, { send: fstatSync(0).isFile() ? (to, size) => sendFile(0, to, size) : undefined });
}
