/**
 * Runs the benchmarks of this folder, those whose name contains one of the arguments or all, and prints a table:
 * milliseconds of tsos, of the reference implementation in the same run where it is installed, and the ratio.
 * The reference is `nix-store` on PATH, or what `TSOS_REFERENCE` runs it with.
 */
import { availableParallelism, loadavg } from "node:os";
import { basename, resolve } from "node:path";
import { globSync } from "tinyglobby";
import { formatTable } from "../../cli/output/table.ts";

export type Figures = {
  /** Milliseconds. */
  readonly ours: number;
  readonly reference?: number | undefined;
  /** Milliseconds of processor time, where it tells more than the clock of a busy machine. */
  readonly cpu?: number | undefined;
  readonly referenceCpu?: number | undefined;
};

export type Benchmark = { readonly name: string; run(): Promise<Figures> };

const before = loadavg()[0]!.toFixed(1);
const words = process.argv.slice(2);
const rows: string[][] = [];
for (const file of globSync("*.ts", { cwd: import.meta.dirname, absolute: true }).sort()) {
  const stage = basename(file, ".ts");
  if (stage === "run") continue;
  const { benchmarks } = (await import(resolve(file))) as { readonly benchmarks: readonly Benchmark[] };
  for (const { name, run } of benchmarks) {
    const title = name.startsWith(`${stage}:`) ? name : `${stage}: ${name}`;
    if (words.length > 0 && !words.some((word) => title.includes(word))) continue;
    process.stderr.write(`${title}\n`);
    const { ours, reference, cpu, referenceCpu } = await run();
    rows.push([title, format(ours), reference === undefined ? "" : format(reference), reference === undefined ? "" : `${(ours / reference).toFixed(2)}×`, cpu === undefined ? "" : format(cpu), cpu === undefined || referenceCpu === undefined ? "" : `${(cpu / referenceCpu).toFixed(2)}×`]);
  }
}
console.log(formatTable(["benchmark", "ours (ms)", "reference (ms)", "ratio", "ours, CPU (ms)", "CPU ratio"], rows));
console.log(`${availableParallelism()} processors, load when it began ${before}, when it ended ${loadavg()[0]!.toFixed(1)}`);

function format(milliseconds: number): string {
  return milliseconds >= 100 ? String(Math.round(milliseconds)) : milliseconds.toFixed(1);
}
