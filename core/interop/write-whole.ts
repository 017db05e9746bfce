import { writeSync } from "node:fs";
import type { ByteString } from "../util/bytes.ts";

/** Writes all of a text, also where the other end reads slowly from a pipe that does not block. */
export function writeWhole(descriptor: number, text: ByteString): void {
  const bytes = Buffer.from(text, "latin1");
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(descriptor, bytes, at);
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EAGAIN")) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}
