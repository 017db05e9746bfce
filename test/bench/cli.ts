import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Benchmark } from "./run.ts";

const root = resolve(import.meta.dirname, "../..");
const tsos = join(root, "bin/tsos.js");

/** The median of whole processes, after one that warms the caches. */
function median(count: number, run: () => void): number {
  run();
  const times: number[] = [];
  for (let i = 0; i < count; i++) {
    const start = performance.now();
    run();
    times.push(performance.now() - start);
  }
  return times.sort((a, b) => a - b)[Math.floor(count / 2)]!;
}

function command(args: readonly string[], folder = root): void {
  const { status, stderr } = spawnSync(process.execPath, [tsos, ...args], { cwd: folder, encoding: "utf8" });
  if (status !== 0) throw new Error(`tsos ${args.join(" ")} failed: ${stderr}`);
}

async function inProject(template: string, run: (folder: string) => number): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), "tsos-bench-"));
  try {
    cpSync(join(root, "templates", template), folder, { recursive: true });
    return run(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export const benchmarks: readonly Benchmark[] = [
  { name: "node -e 0, for comparison", run: async () => ({ ours: median(9, () => void execFileSync(process.execPath, ["-e", "0"])) }) },
  { name: "tsos --version", run: async () => ({ ours: median(9, () => command(["--version"])) }) },
  { name: "tsos build, a system, unchanged", run: async () => ({ ours: await inProject("server", (folder) => median(9, () => command(["build", "--no-link"], folder))) }) },
  {
    name: "tsos shell -- true, seen before, over true alone",
    run: async () => ({ ours: (await inProject("shell-node", (folder) => median(9, () => command(["shell", "--", "true"], folder)))) - median(9, () => void execFileSync("true")) }),
  },
];
