import { createRequire } from "node:module";
import { getSystemErrorName } from "node:util";

export type Pipe = { readonly readEnd: number; readonly writeEnd: number };

type PipeFunction = (descriptors: number[], flags: number) => number;

const O_CLOEXEC = 0o2000000;

/** A pipe as the kernel makes it; Node itself only gives socket pairs. Neither end outlives an exec. */
export function openPipe(): Pipe {
  const descriptors = [0, 0];
  if (pipe2()(descriptors, O_CLOEXEC) !== 0) {
    const { errno } = koffi();
    throw new Error(`pipe2 failed: ${getSystemErrorName(-errno())}`);
  }
  return { readEnd: descriptors[0]!, writeEnd: descriptors[1]! };
}

type Koffi = typeof import("koffi");
let loaded: { readonly koffi: Koffi; readonly pipe2: PipeFunction } | undefined;

// Loaded at the first use: the library costs 10 ms, and most commands start no process.
function load(): { readonly koffi: Koffi; readonly pipe2: PipeFunction } {
  if (loaded === undefined) {
    const library = createRequire(import.meta.url)("koffi") as Koffi;
    loaded = { koffi: library, pipe2: library.load(null).func("int pipe2(_Out_ int *descriptors, int flags)") as PipeFunction };
  }
  return loaded;
}

const koffi = (): Koffi => load().koffi;
const pipe2 = (): PipeFunction => load().pipe2;
