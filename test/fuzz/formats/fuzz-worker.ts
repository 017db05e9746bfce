/** Runs inputs of one target after the other; who started it ends it when one takes too long. */
import { parentPort, workerData } from "node:worker_threads";
import { TsosError } from "../../../core/error/tsos-error.ts";
import { Random } from "../random.ts";
import { mutateBytes } from "./mutate-bytes.ts";
import { FUZZ_SEEDS, FUZZ_WORDS } from "./seeds.ts";
import { FUZZ_TARGETS } from "./targets.ts";
import { TRYING_HEAD } from "./trying.ts";

export type FuzzJob = {
  readonly target: string;
  readonly seed: number;
  readonly corpus: readonly string[];
  /** What is being run: how many were begun, the length of this one, whether to stop after it, its bytes. Messages would pile up where the reader is slow. */
  readonly trying: SharedArrayBuffer;
};

export type FuzzMessage =
  | { readonly kind: "tried"; readonly count: number; readonly accepted: number }
  | { readonly kind: "found"; readonly input: Uint8Array; readonly problem: string };

const { target: name, seed, corpus, trying } = workerData as FuzzJob;
const target = FUZZ_TARGETS[name]!;
const random = new Random(seed);
const say = (message: FuzzMessage): void => parentPort!.postMessage(message);
const seeds = [...FUZZ_SEEDS[name]!, ...corpus.map((input) => Buffer.from(input, "base64"))];

let accepted = 0;
const numbers = new Int32Array(trying, 0, 3);
const bytes = new Uint8Array(trying, TRYING_HEAD);

const isStopped = (): boolean => Atomics.load(numbers, 2) !== 0;

async function attempt(input: Uint8Array): Promise<void> {
  bytes.set(input.subarray(0, bytes.length));
  Atomics.store(numbers, 1, Math.min(input.length, bytes.length));
  Atomics.add(numbers, 0, 1);
  try {
    await target.run(input);
    accepted++;
    // What is understood is a better start than what is not.
    if (seeds.length < 200 && random.chance(0.05)) seeds.push(input);
  } catch (error) {
    if (!(error instanceof TsosError)) say({ kind: "found", input, problem: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  }
}

for (const input of [...seeds]) {
  if (isStopped()) break;
  await attempt(input);
}
for (let count = seeds.length; !isStopped(); count++) {
  const input = mutateBytes(random, seeds, FUZZ_WORDS);
  await attempt(input);
  if (count % 50 === 0) {
    say({ kind: "tried", count, accepted });
    await new Promise(setImmediate);
  }
}
// What a target left open must not hold the thread; a database is at rest here.
process.exit();
