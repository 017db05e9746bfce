/**
 * From a save to the message of `tsos check --watch`, on the template of a server: five kinds of saves in turn, twenty
 * of each. Beside the median of the clock stands the processor time of a save (all threads), which is what a busy machine
 * can tell; standard error says the quickest and the slowest. Needs `npm run build`.
 */
import { spawn } from "node:child_process";
import { cp, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Benchmark, Figures } from "./run.ts";

const root = resolve(import.meta.dirname, "../..");
const SAVES = 20;

/** What is saved the `i`-th time, and what is then waited for. */
type Save = { readonly name: string; text(good: string, i: number): string; readonly shows: (i: number) => RegExp };

const KINDS: readonly Save[] = [
  { name: "a type error", text: (good, i) => `${good}\nconst wrong: number = "${i}";\n`, shows: () => /not assignable to type 'number'/ },
  { name: "an error of the evaluation", text: (good, i) => `${good}\nthrow new Error("wrong ${i}");\n`, shows: (i) => new RegExp(`wrong ${i}\\b`) },
  { name: "a name that no option has", text: (good, i) => good.replace("networking: {", `networking: { hostNaem: "${i}",`), shows: () => /did you mean/ },
  { name: "a text that does not parse", text: (good, i) => `${good}\nconst = ${i};\n`, shows: () => /error: expected/ },
  { name: "all well", text: (good, i) => `${good}\n// ${i}\n`, shows: () => /is sound .*waiting for changes/ },
];

async function measure(): Promise<ReadonlyMap<string, Figures>> {
  const folder = await mkdtemp(join(tmpdir(), "tsos-bench-watch-"));
  await cp(join(root, "templates/server"), folder, { recursive: true });
  const file = join(folder, "system.config.ts");
  const good = await readFile(file, "utf8");
  const watching = spawn(process.execPath, [join(root, "bin/tsos.js"), "check", "--watch", "--color", "never"], { cwd: folder, stdio: ["ignore", "ignore", "pipe"] });
  let text = "";
  let wake = (): void => undefined;
  watching.stderr.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
    wake();
  });
  const until = async (pattern: RegExp): Promise<void> => {
    while (!pattern.test(text)) await new Promise<void>((done) => (wake = done));
  };
  try {
    await until(/waiting for changes/);
    await new Promise((done) => setTimeout(done, 2000));
    const all = new Map<string, { ours: number; cpu: number }[]>(KINDS.map(({ name }) => [name, []]));
    for (let i = 0; i < SAVES + 2; i++) {
      for (const kind of KINDS) {
        text = "";
        const cpu = cpuOf(watching.pid!);
        await writeFile(`${file}.new`, kind.text(good, i));
        const began = performance.now();
        await rename(`${file}.new`, file);
        await until(kind.shows(i));
        const ours = performance.now() - began;
        await until(/waiting for changes/);
        await new Promise((done) => setTimeout(done, 200));
        // The first two compile what the others run.
        if (i >= 2) all.get(kind.name)!.push({ ours, cpu: cpuOf(watching.pid!) - cpu });
      }
    }
    return new Map([...all].map(([name, times]) => {
      const [clock, processor] = [times.map(({ ours }) => ours), times.map(({ cpu }) => cpu)].map((values) => values.sort((a, b) => a - b)) as [number[], number[]];
      console.error(`  ${name}: ${Math.round(clock[0]!)} to ${Math.round(clock.at(-1)!)} ms, CPU ${processor[0]} to ${processor.at(-1)} ms`);
      return [name, { ours: clock[SAVES >> 1]!, cpu: processor[SAVES >> 1] }];
    }));
  } finally {
    watching.kill("SIGINT");
    await new Promise((done) => watching.once("close", done));
    await rm(folder, { recursive: true });
  }
}

/** User and system time of a process so far, in milliseconds. */
function cpuOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").replace(/^.*\) /s, "").split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

let measured: Promise<ReadonlyMap<string, Figures>> | undefined;
export const benchmarks: readonly Benchmark[] = KINDS.map(({ name }) => ({
  name: `watch: from a save to its message, ${name}`,
  run: async () => (await (measured ??= measure())).get(name)!,
}));
