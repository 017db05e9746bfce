import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { openLocalStore } from "../../core/store/local-store.ts";
import { startMachine, type Machine } from "../../core/system/machine.ts";
import { switchSystem } from "../../core/system/switch.ts";
import type { Benchmark } from "./run.ts";

const root = resolve(import.meta.dirname, "../..");

/** The toplevel of a configuration, realised. */
function build(config: string): string {
  return execFileSync(process.execPath, [join(root, "bin/tsos.js"), "build", "--no-link", "--no-check", "-q", "-c", join(root, config)], { encoding: "utf8" }).trim();
}

type Running = { readonly machine: Machine; readonly folder: string; readonly first: string; readonly second: string; readonly bootMilliseconds: number };

/** Boots the demo's machine with the host's nspawn, and takes it away afterwards. */
async function withMachine(run: (running: Running) => Promise<number>): Promise<number> {
  const first = build("templates/server/system.config.ts");
  const second = build("cli/demo/second/system.config.ts");
  await using store = await openLocalStore();
  const folder = mkdtempSync(join(tmpdir(), "tsos-bench-machine-"));
  try {
    const started = performance.now();
    await using machine = await startMachine({ name: "bench", root: join(folder, "root"), toplevel: first, realStoreDir: store.realStoreDir, stateFolder: folder, nspawn: ["systemd-nspawn"] });
    return await run({ machine, folder, first, second, bootMilliseconds: performance.now() - started });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function switchTo(folder: string, toplevel: string): Promise<number> {
  const start = performance.now();
  const { exitCode } = await switchSystem({ action: "switch", target: { kind: "toplevel", toplevel }, root: join(folder, "root") });
  if (exitCode !== 0) throw new Error(`the switch to ${toplevel} ended with ${exitCode}`);
  return performance.now() - start;
}

const median = (times: readonly number[]): number => [...times].sort((a, b) => a - b)[Math.floor(times.length / 2)]!;

export const benchmarks: readonly Benchmark[] = [
  {
    name: "system: boot the server in a container, first time",
    run: async () => ({ ours: await withMachine(async ({ bootMilliseconds }) => bootMilliseconds) }),
  },
  {
    name: "system: switch the server and back, one way",
    run: async () => ({
      ours: await withMachine(async ({ folder, first, second }) => {
        const times: number[] = [];
        for (let i = 0; i < 3; i++) times.push(await switchTo(folder, second), await switchTo(folder, first));
        return median(times);
      }),
    }),
  },
];
