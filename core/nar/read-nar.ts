import { setImmediate as nextTurn } from "node:timers/promises";
import { TsosError } from "../error/tsos-error.ts";
import { NarReader } from "./nar-reader.ts";
import type { NarVisitor } from "./nar-visitor.ts";

/**
 * Takes bytes of the file whose contents are being read from the source past the reader: at most as many as are left of
 * them, from where the source gives its next chunk. Gives how many it took; 0 where it cannot.
 */
export type TakeContents = (left: number) => number;

/**
 * Reads the one archive that `source` is and tells `visitor` what is in it; resolves to its size.
 * `take` is asked between chunks, within contents; of what it takes the visitor is not told.
 *
 * @throws TsosError `nar.truncated`, `nar.trailing`, and the reader's own.
 */
export async function readNar(source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>, visitor: NarVisitor, take?: TakeContents): Promise<number> {
  const reader = new NarReader(visitor);
  for await (const chunk of source) {
    writeAll(reader, chunk);
    while (take !== undefined && reader.remaining > 0) {
      const taken = take(reader.remaining);
      if (taken === 0) break;
      reader.skip(taken);
      // For signals.
      await nextTurn();
    }
  }
  reader.end();
  return reader.offset;
}

/** The same of an archive that is in memory. */
export function readWholeNar(bytes: Uint8Array, visitor: NarVisitor): void {
  const reader = new NarReader(visitor);
  writeAll(reader, bytes);
  reader.end();
}

function writeAll(reader: NarReader, chunk: Uint8Array): void {
  if (reader.write(chunk) === chunk.length) return;
  throw new TsosError({
    code: "nar.trailing",
    message: `NAR, byte ${reader.offset}: expected the end, found more bytes`,
    data: { offset: reader.offset },
  });
}
