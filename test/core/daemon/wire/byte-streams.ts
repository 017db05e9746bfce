import { Writable } from "node:stream";
import { WireReader } from "../../../../core/daemon/wire/wire-reader.ts";
import { WireWriter } from "../../../../core/daemon/wire/wire-writer.ts";

/** What `write` writes. */
export async function written(write: (writer: WireWriter) => void | Promise<void>): Promise<Uint8Array> {
  const parts: Buffer[] = [];
  const writer = new WireWriter(
    new Writable({
      write(chunk: Buffer, _encoding, done) {
        parts.push(chunk);
        done();
      },
    }),
  );
  await write(writer);
  await writer.flush();
  return Buffer.concat(parts);
}

/** A reader of `bytes` that arrive in pieces of `size`. */
export function readerOf(bytes: Uint8Array, size: number = bytes.length || 1, budget?: number): WireReader {
  async function* pieces(): AsyncGenerator<Uint8Array> {
    for (let i = 0; i < bytes.length; i += size) yield bytes.subarray(i, i + size);
  }
  return new WireReader(pieces(), budget);
}
