/** Runs inputs of one target after the other; who started it ends it when one takes too long. */
import { parentPort, workerData } from "node:worker_threads";
import { TsosError } from "../../../core/error/tsos-error.ts";
import { Random } from "../random.ts";
import { mutateBytes } from "./mutate-bytes.ts";
import { FUZZ_SEEDS, FUZZ_WORDS } from "./seeds.ts";
import { FUZZ_TARGETS } from "./targets.ts";

export type FuzzJob = { readonly target: string; readonly seed: number; readonly corpus: readonly string[] };
export type FuzzMessage =
  /** It is about to run this; told now and then for inputs that pass, so that a hang can be shown. */
  | { readonly kind: "trying"; readonly input: Uint8Array }
  | { readonly kind: "tried"; readonly count: number; readonly accepted: number }
  | { readonly kind: "found"; readonly input: Uint8Array; readonly problem: string };

const { target: name, seed, corpus } = workerData as FuzzJob;
const target = FUZZ_TARGETS[name]!;
const random = new Random(seed);
const say = (message: FuzzMessage): void => parentPort!.postMessage(message);
const seeds = [...FUZZ_SEEDS[name]!, ...corpus.map((input) => Buffer.from(input, "base64"))];

let accepted = 0;
async function attempt(input: Uint8Array): Promise<void> {
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
  say({ kind: "trying", input });
  await attempt(input);
}
for (let count = seeds.length; ; count++) {
  const input = mutateBytes(random, seeds, FUZZ_WORDS);
  say({ kind: "trying", input });
  await attempt(input);
  if (count % 50 === 0) {
    say({ kind: "tried", count, accepted });
    await new Promise(setImmediate);
  }
}
