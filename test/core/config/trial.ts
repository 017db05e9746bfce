import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { buildRuntime } from "../../../cli/dev/build.js";
import { evaluateConfig } from "../../../core/config/evaluate.ts";
import type { Evaluation } from "../../../core/config/evaluation.ts";
import { defaultLimits } from "../../../core/config/isolate-limits.ts";
import { openRuntimeFolder, type RuntimeFolder } from "../../../core/config/runtime-folder.ts";
import { formatError } from "../../../core/error/format-error.ts";
import { TsosError } from "../../../core/error/tsos-error.ts";

/** A folder for the length of a test file. */
export function makeFolder(): { readonly path: string; [Symbol.dispose](): void } {
  const path = mkdtempSync(join(tmpdir(), "tsos-config-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

/** The trial runtime, built into `folder`. */
export async function buildTrialRuntime(folder: string): Promise<RuntimeFolder> {
  const outFolder = join(folder, "runtime");
  await buildRuntime({ entry: join(import.meta.dirname, "trial-runtime.ts"), outFolder });
  return openRuntimeFolder(outFolder);
}

/** Writes files of a project and gives the project's folder. */
export function writeProject(folder: string, files: Readonly<Record<string, string>>): string {
  for (const [name, contents] of Object.entries({ "package.json": "{}", ...files })) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), contents);
  }
  return folder;
}

export function evaluateTrial(runtime: RuntimeFolder, file: string, more: { readonly cacheDir?: string; readonly signal?: AbortSignal; readonly heapMegabytes?: number; readonly cpuSeconds?: number } = {}): Promise<Evaluation<"option">> {
  const limits = { ...defaultLimits, heapMegabytes: more.heapMegabytes ?? defaultLimits.heapMegabytes, cpuSeconds: more.cpuSeconds ?? defaultLimits.cpuSeconds };
  return evaluateConfig({ file, request: { kind: "option", path: "" }, runtime, cacheDir: more.cacheDir, signal: more.signal, limits });
}

/** The errors of something that must fail, in their order. */
export async function errorsOf(action: Promise<unknown>): Promise<readonly TsosError[]> {
  try {
    await action;
  } catch (error) {
    if (error instanceof TsosError) return "errors" in error && Array.isArray(error.errors) ? (error.errors as TsosError[]) : [error];
    throw error;
  }
  throw new Error("it did not fail");
}

/** What a person reads. */
export function render(error: unknown, folder: string): Promise<string> {
  return formatError(error, { folder, readSource: async (file) => readFileSync(file, "utf8") });
}
