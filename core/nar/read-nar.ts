import { TsosError } from "../error/tsos-error.ts";
import { NarReader } from "./nar-reader.ts";
import type { NarVisitor } from "./nar-visitor.ts";

/**
 * Reads the one archive that `source` is and tells `visitor` what is in it; resolves to its size.
 *
 * @throws TsosError `nar.truncated`, `nar.trailing`, and the reader's own.
 */
export async function readNar(source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>, visitor: NarVisitor): Promise<number> {
  const reader = new NarReader(visitor);
  for await (const chunk of source) {
    const used = reader.write(chunk);
    if (used < chunk.length) {
      throw new TsosError({
        code: "nar.trailing",
        message: `NAR, byte ${reader.offset}: expected the end, found more bytes`,
        data: { offset: reader.offset },
      });
    }
  }
  reader.end();
  return reader.offset;
}
