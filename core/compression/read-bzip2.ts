import unbzip2 from "unbzip2-stream";
import { TsosError } from "../error/tsos-error.ts";

/** The bytes of a bzip2 stream. */
export async function* readBzip2(source: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  let ready: Uint8Array[] = [];
  let failure: unknown;
  let seen = 0;
  let produced = 0;
  // It works while it is written to, so what it made is there as soon as `write` returns.
  const stream = unbzip2();
  stream.on("data", (chunk: Uint8Array) => ready.push(chunk));
  stream.on("error", (error: unknown) => (failure ??= error ?? new Error("broken data")));
  function* take(): Iterable<Uint8Array> {
    if (failure !== undefined) throw failure;
    for (const chunk of ready) produced += chunk.length;
    const taken = ready;
    ready = [];
    yield* taken;
  }
  for await (const chunk of source) {
    seen += chunk.length;
    // A copy: it keeps what it cannot decode yet, and a source may use its buffer again.
    stream.write(Buffer.from(chunk));
    yield* take();
  }
  stream.end();
  yield* take();
  // An input that ends inside its first block gives nothing at all; the shortest whole one is 14 bytes.
  if (produced === 0 && seen < 14) throw new TsosError({ code: "compression.invalid", message: "the bzip2 data end too early" });
}
