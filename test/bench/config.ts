/** A configuration from its file to derivations: bundled, evaluated, and remembered. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { bundleConfig } from "../../core/config/bundle.ts";
import { findProject } from "../../core/config/find-project.ts";
import { evaluateConfig } from "../../core/config/evaluate.ts";
import { openRuntimeFolder } from "../../core/config/runtime-folder.ts";

const root = resolve(import.meta.dirname, "../..");
const systemConfig = join(root, "templates/server/system.config.ts");
const shellConfig = join(root, "templates/shell-go/shell.config.ts");
const runtime = openRuntimeFolder(join(root, "dist"));

async function time(run: () => Promise<unknown>): Promise<number> {
  const before = performance.now();
  await run();
  return performance.now() - before;
}

/** The fastest of a few, since the first one loads what it needs. */
async function fastest(times: number, run: () => Promise<unknown>): Promise<{ readonly ours: number }> {
  let best = Infinity;
  for (let i = 0; i < times; i++) best = Math.min(best, await time(run));
  return { ours: best };
}

async function withCache(run: (cacheDir: string) => Promise<{ readonly ours: number }>): Promise<{ readonly ours: number }> {
  const cacheDir = mkdtempSync(join(tmpdir(), "tsos-bench-"));
  try {
    return await run(cacheDir);
  } finally {
    rmSync(cacheDir, { recursive: true, force: true });
  }
}

export const benchmarks: readonly { readonly name: string; run(): Promise<{ ours: number; reference?: number }> }[] = [
  { name: "config: bundle", run: () => fastest(5, () => bundleConfig({ file: systemConfig, project: findProject(systemConfig), exports: runtime.exports, folderExports: runtime.folderExports })) },
  { name: "config: evaluate a system, nothing cached", run: () => fastest(5, () => evaluateConfig({ file: systemConfig, request: { kind: "system" }, runtime })) },
  { name: "config: evaluate a shell, nothing cached", run: () => fastest(5, () => evaluateConfig({ file: shellConfig, request: { kind: "shell" }, runtime })) },
  {
    name: "config: evaluate a system, unchanged",
    run: () =>
      withCache(async (cacheDir) => {
        await evaluateConfig({ file: systemConfig, request: { kind: "system" }, runtime, cacheDir });
        return fastest(10, () => evaluateConfig({ file: systemConfig, request: { kind: "system" }, runtime, cacheDir }));
      }),
  },
];
