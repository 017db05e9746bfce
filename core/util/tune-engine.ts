/** `usual`: the engine's own value, by which it knows whether a flag was set. */
type Flag = { readonly tuned: string; readonly usual: string };

/** Most of what an evaluation makes at first lives on: the room for it grows from the engine's first megabyte to this many at once. */
const ROOM = 16;

const GROWTH = "--semi-space-growth-factor";
const MEMORY: readonly Flag[] = [{ tuned: `${GROWTH}=${ROOM}`, usual: `${GROWTH}=2` }];

/**
 * After so many files the room for the young grows by so much, when enough of them live on. A short evaluation does with
 * little, which stays in the processor's caches and costs no new pages; in a long one half of what is made lives on,
 * and the less often it is copied the better. A set of packages reads its first files, and the room its first step,
 * in the first hundredth of a second.
 */
const STEPS: ReadonlyMap<number, number> = new Map([[1, ROOM], [24, 1], [512, 8]]);

/**
 * So much may live on, in bytes, before the engine looks through all of it. Its own first limit follows from how little of
 * what starting makes lives on, so that it looks at 26 MB, at 100 and at 450, and finds that a tenth of it is gone; so it
 * does with 750 MB of a system. Half of what the thread may have is the limit where that is less.
 */
const OLD = 3 * 2 ** 30;
/** What is made to have the young collected: no more than this, in bytes, in pieces of so many words. */
const MOST_MADE = 2 ** 25;
const WORDS = 8192;

/**
 * Most functions of the evaluator are called a few times, in many ways: with less of each other in them, what is optimised
 * need not be thrown away so often, and takes the compiler less time. The engine counts what lives on of what each place
 * makes, to make it among the old at once; all kinds of values are made in the same few places, so that it only counts.
 */
const COMPILER: readonly Flag[] = [
  { tuned: "--max-inlined-bytecode-size-cumulative=300", usual: "--max-inlined-bytecode-size-cumulative=920" },
  { tuned: "--no-allocation-site-pretenuring", usual: "--allocation-site-pretenuring" },
];

/** Optimising later takes half of the compiler's time off. */
const ONE_COMPILER: readonly Flag[] = [{ tuned: "--interrupt-budget=150000", usual: "--interrupt-budget=67584" }];
/** The same for a compiler between the slow and the optimising one. */
const MIDDLE_COMPILER: readonly Flag[] = [{ tuned: "--invocation-count-for-maglev=1000", usual: "--invocation-count-for-maglev=400" }];

/**
 * Sets the engine up for evaluations of the Nix language, all threads of the process alike. A code cache fits only an
 * engine that is set up as it was when the cache was made.
 */
export function tuneEngine(): void {
  setFlags("tuned");
}

/** The same but for memory, which `tuneForFiles` sees to. */
export function tuneCompiler(): void {
  setFlags("tuned");
  for (const { usual } of MEMORY) setFlag(usual);
}

/** Sets it up as it was when the process started, so that a code cache made now fits the engine at the start of the next one. */
export function untuneEngine(): void {
  setFlags("usual");
}

/** Sets it up for an evaluation that has read so many files. */
export function tuneForFiles(files: number): void {
  if (files === 1) makeRoomForOld();
  const factor = STEPS.get(files);
  if (factor !== undefined) setFlag(`${GROWTH}=${factor}`);
}

/** A collection of all, while that is next to nothing, sets the limit anew: by as much as the heap may grow then. */
function makeRoomForOld(): void {
  const { getHeapStatistics } = process.getBuiltinModule("node:v8");
  let used = getHeapStatistics().used_heap_size;
  setFlag(`--heap-growing-percent=${Math.round((OLD / used) * 100)}`);
  setFlag("--gc-global");
  for (let before = 0, made = 0; used >= before && made < MOST_MADE; made += 8 * WORDS) {
    before = used;
    new Array<number>(WORDS).fill(0);
    used = getHeapStatistics().used_heap_size;
  }
  setFlag("--no-gc-global");
  setFlag("--heap-growing-percent=0");
}

function setFlags(to: "tuned" | "usual"): void {
  for (const flag of [...MEMORY, ...COMPILER, ...compilersOf(Number.parseInt(process.versions.v8, 10))]) setFlag(flag[to]);
}

/** The engine of Node 20 has one compiler; of that of Node 22 the numbers are not known. */
function compilersOf(version: number): readonly Flag[] {
  return version < 12 ? ONE_COMPILER : version > 12 ? MIDDLE_COMPILER : [];
}

function setFlag(flag: string): void {
  // Loaded late: few processes come here.
  process.getBuiltinModule("node:v8").setFlagsFromString(flag);
}
