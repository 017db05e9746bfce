import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { setImmediate } from "node:timers/promises";
import type { WasmLzmaStream } from "node-liblzma/wasm";
import { TsosError } from "../error/tsos-error.ts";
import { createLimiter, type Limiter } from "../util/limiter.ts";

/** As of the `xz` program; the library needs 94 MiB for it, and has not the memory for more than 7. */
const DEFAULT_LEVEL = 6;

/** Of input between two looks at whether something else is to be done. */
const PIECE = 64 << 10;

const OUTPUT = 64 << 10;

type Loaded = { readonly xz: typeof import("node-liblzma/wasm"); readonly turn: Limiter };

let loaded: Promise<Loaded> | undefined;

/**
 * The bytes of `source` as an xz stream, the same that the `xz` program writes. Archives take turns: each needs a
 * hundred megabytes while it is packed.
 *
 * @param level 0 to 7
 * @throws TsosError `compression.no-xz` where the library is not installed, `compression.bad-level`
 */
export async function* compressXz(source: AsyncIterable<Uint8Array>, level = DEFAULT_LEVEL): AsyncIterable<Uint8Array> {
  const { xz, turn } = await (loaded ??= load());
  const release = await turn.acquire();
  const module = xz.getModule();
  const stream = new xz.WasmLzmaStream(module);
  const input = module._malloc(PIECE);
  const output = module._malloc(OUTPUT);
  const packed: Uint8Array[] = [];
  const run = (action: number): number => {
    stream.setOutput(output, OUTPUT);
    const result = xz.code(stream, action);
    if (stream.availOut < OUTPUT) packed.push(xz.copyFromWasm(module, output, OUTPUT - stream.availOut));
    if (result !== xz.LZMA_OK && result !== xz.LZMA_STREAM_END) throw new Error(`liblzma answered ${result}`);
    return result;
  };
  try {
    begin(xz, stream, level);
    for await (const chunk of source) {
      for (let at = 0; at < chunk.length; at += PIECE) {
        const piece = chunk.subarray(at, at + PIECE);
        // The memory is another one each time that it grew.
        module.HEAPU8.set(piece, input);
        stream.setInput(input, piece.length);
        while (stream.availIn > 0) run(xz.LZMA_RUN);
        yield* packed.splice(0);
        await setImmediate();
      }
    }
    while (run(xz.LZMA_FINISH) !== xz.LZMA_STREAM_END);
    yield* packed;
  } finally {
    xz.end(stream);
    stream.free();
    module._free(input);
    module._free(output);
    release();
  }
}

function begin(xz: Loaded["xz"], stream: WasmLzmaStream, level: number): void {
  try {
    xz.encoderInit(stream, level);
  } catch (cause) {
    throw new TsosError({ code: "compression.bad-level", message: `an archive cannot be packed as xz with the level "${level}"`, hint: "expected 0 to 7", data: { level }, cause });
  }
}

async function load(): Promise<Loaded> {
  let xz: Loaded["xz"];
  try {
    xz = await import("node-liblzma/wasm");
  } catch (cause) {
    throw new TsosError({ code: "compression.no-xz", message: 'archives cannot be packed as "xz": the package "node-liblzma" is not installed', hint: "npm leaves it out where its own script fails; install with --ignore-scripts", cause });
  }
  const { default: made } = await import("node-liblzma/wasm/liblzma.js");
  // Bundled as CommonJS, a module of the other kind has itself as its default.
  const createModule = typeof made === "function" ? made : (made as { readonly default: typeof made }).default;
  // In place of a request, by which the package itself would get it.
  const wasmBinary = await readFile(createRequire(import.meta.url).resolve("node-liblzma/wasm/liblzma.wasm"));
  await xz.initModule(() => createModule({ wasmBinary }));
  return { xz, turn: createLimiter(1) };
}
