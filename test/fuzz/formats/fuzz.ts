/** `npm run fuzz [-- SECONDS [TARGET [SEED]]]`: feeds the parsers of formats what nobody honest writes, five minutes by default. */
import { readFileSync, rmSync } from "node:fs";
import { resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { build } from "esbuild";
import { FUZZ_SEEDS } from "./seeds.ts";
import { scratchFolder } from "./targets.ts";
import type { FuzzJob, FuzzMessage } from "./fuzz-worker.ts";
import { MAX_TRYING, TRYING_HEAD } from "./trying.ts";

export type FuzzFinding = { readonly target: string; readonly problem: string; readonly input: string };
export type FuzzReport = { readonly tried: number; readonly findings: readonly FuzzFinding[]; readonly peakMegabytes: number };

/** One input may take no longer, in milliseconds; generous, for machines that do other things. */
const LONGEST = 10_000;
/** Above what the process has before it begins. */
const MOST_MEGABYTES = 200;

/** Runs each target for its share of `seconds`, one after the other. */
export async function fuzzFormats(options: { readonly seconds: number; readonly target?: string | undefined; readonly seed: number; readonly say: (line: string) => void }): Promise<FuzzReport> {
  const targets = Object.keys(FUZZ_SEEDS).filter((name) => options.target === undefined || name.includes(options.target));
  const findings: FuzzFinding[] = [];
  let tried = 0;
  let peak = 0;
  const file = resolve(import.meta.dirname, `../../../node_modules/.cache/tsos-fuzz/${process.pid}.mjs`);
  // As one file of JavaScript, since a worker's own loader of TypeScript is not there in every Node.
  await build({ entryPoints: [resolve(import.meta.dirname, "fuzz-worker.ts")], outfile: file, bundle: true, packages: "external", platform: "node", format: "esm", target: "node20", logLevel: "error" });
  const corpus = readFileSync(resolve(import.meta.dirname, "corpus.jsonl"), "utf8").split("\n").filter((line) => line !== "").map((line) => JSON.parse(line) as { readonly target: string; readonly input: string });
  for (const target of targets) {
    const job: FuzzJob = { target, trying: new SharedArrayBuffer(TRYING_HEAD + MAX_TRYING), seed: options.seed, corpus: corpus.filter((entry) => entry.target === target).map(({ input }) => input) };
    const result = await fuzzTarget(file, job, (options.seconds * 1000) / targets.length);
    rmSync(scratchFolder(), { recursive: true, force: true });
    tried += result.tried;
    peak = Math.max(peak, result.peakMegabytes);
    findings.push(...result.findings);
    options.say(`${target}: ${result.tried} inputs, ${result.accepted} accepted, ${Math.round(result.peakMegabytes)} MB at most, ${result.findings.length} findings`);
  }
  rmSync(file, { force: true });
  return { tried, findings, peakMegabytes: peak };
}

async function fuzzTarget(file: string, job: FuzzJob, milliseconds: number): Promise<FuzzReport & { readonly accepted: number }> {
  const findings: FuzzFinding[] = [];
  const worker = new Worker(file, { workerData: job, execArgv: [], resourceLimits: { maxOldGenerationSizeMb: MOST_MEGABYTES } });
  let [tried, accepted, peak] = [0, 0, 0];
  let since = performance.now();
  let base: number | undefined;
  let ended = false;
  const numbers = new Int32Array(job.trying, 0, 3);
  const running = (): Uint8Array => new Uint8Array(job.trying, TRYING_HEAD, Atomics.load(numbers, 1));
  const note = (problem: string, input = running()): void => void findings.push({ target: job.target, problem, input: Buffer.from(input).toString("base64") });
  worker.on("message", (message: FuzzMessage) => {
    if (message.kind === "tried") [tried, accepted] = [message.count, message.accepted];
    else if (findings.length < 10) note(message.problem, message.input);
  });
  worker.on("error", (error) => {
    ended = true;
    note(error.stack ?? error.message);
  });
  const exited = new Promise<false>((resolve) =>
    worker.on("exit", () => {
      ended = true;
      resolve(false);
    }),
  );
  const until = performance.now() + milliseconds;
  let begun = 0;
  while (performance.now() < until && !ended) {
    await sleep(50);
    const count = Atomics.load(numbers, 0);
    if (count !== begun) {
      begun = count;
      since = performance.now();
      // Its own code, loaded, is not what an input costs.
      base ??= process.memoryUsage().rss;
    }
    if (base !== undefined) peak = Math.max(peak, (process.memoryUsage().rss - base) / 1e6);
    if (peak > MOST_MEGABYTES) {
      note(`${Math.round(peak)} MB of memory`);
      break;
    }
    if (base !== undefined && performance.now() - since > LONGEST) {
      note(`an input takes longer than ${LONGEST} ms`);
      break;
    }
  }
  // A thread that is ended inside a native module (the store's database) takes the process with it: one that still answers ends by itself.
  Atomics.store(numbers, 2, 1);
  const stopping = new AbortController();
  const late = sleep(LONGEST, true, { signal: stopping.signal }).catch(() => false);
  if ((await Promise.race([exited, late])) && findings.length === 0) note(`an input takes longer than ${LONGEST} ms`);
  stopping.abort();
  await worker.terminate();
  return { tried, accepted, findings, peakMegabytes: peak };
}

if (process.argv[1] === import.meta.filename) {
  const [seconds = "300", target, seed = String(Date.now() % 2 ** 31)] = process.argv.slice(2);
  console.log(`seed ${seed}`);
  const { tried, findings, peakMegabytes } = await fuzzFormats({ seconds: Number(seconds), target, seed: Number(seed), say: (line) => console.log(line) });
  for (const finding of findings) console.error(`${finding.target}: ${finding.problem}\n  for the corpus: ${JSON.stringify({ target: finding.target, input: finding.input })}`);
  console.log(`${tried} inputs, ${Math.round(peakMegabytes)} MB at most, ${findings.length} findings`);
  process.exitCode = findings.length === 0 ? 0 : 1;
}
