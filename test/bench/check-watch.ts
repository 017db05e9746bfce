/**
 * From a save to the message of `tsos check --watch`, on the template of a server: what the type checker finds, what
 * the evaluation finds, and that all is well again. Ten saves each; standard error says the longest and the CPU time.
 * Needs `npm run build`.
 */
import { spawn } from "node:child_process";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Benchmark } from "./run.ts";

const root = resolve(import.meta.dirname, "../..");
const SAVES = 10;

type Kind = "a type error" | "an error of the evaluation" | "all well";

async function measure(kind: Kind): Promise<number> {
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
  const save = async (contents: string, pattern: RegExp): Promise<number> => {
    text = "";
    await writeFile(file, contents);
    const began = performance.now();
    await until(pattern);
    return performance.now() - began;
  };
  try {
    await until(/waiting for changes/);
    const times: number[] = [];
    const before = cpuOf(watching.pid!);
    for (let i = 0; i < SAVES; i++) {
      const bad = kind === "a type error" ? `${good}\nconst wrong: number = "${i}";\n` : `${good}\nthrow new Error("wrong ${i}");\n`;
      const spoiled = await save(bad, kind === "a type error" ? /not assignable to type 'number'/ : new RegExp(`wrong ${i}`));
      await until(/waiting for changes/);
      const mended = await save(`${good}\n// ${i}\n`, /is sound .*waiting for changes/);
      times.push(kind === "all well" ? mended : spoiled);
      // The next isolate loads.
      await new Promise((done) => setTimeout(done, 300));
    }
    times.sort((a, b) => a - b);
    console.error(`  ${kind}: longest ${Math.round(times.at(-1)!)} ms, CPU ${Math.round((cpuOf(watching.pid!) - before) / SAVES / 2)} ms a save`);
    return times[SAVES >> 1]!;
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

export const benchmarks: readonly Benchmark[] = (["a type error", "an error of the evaluation", "all well"] as const).map((kind) => ({
  name: `watch: from a save to its message, ${kind}`,
  run: async () => ({ ours: await measure(kind) }),
}));
