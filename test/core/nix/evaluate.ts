import { build } from "esbuild";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import type { EvaluateAnswer, EvaluateRequest } from "./evaluate-worker.ts";

export type Evaluating = { evaluate(request: EvaluateRequest): Promise<EvaluateAnswer>; [Symbol.asyncDispose](): Promise<void> };

/** Starts the worker that evaluates; requests are answered in turn. */
export async function startEvaluating(): Promise<Evaluating> {
  const folder = mkdtempSync(join(tmpdir(), "tsos-nix-"));
  const outfile = join(folder, "worker.mjs");
  await build({ entryPoints: [join(import.meta.dirname, "evaluate-worker.ts")], bundle: true, platform: "node", format: "esm", target: "node20", outfile, logLevel: "error" });
  const worker = new Worker(outfile, { resourceLimits: { stackSizeMb: 256, maxOldGenerationSizeMb: 4096 } });
  const waiting: ((answer: EvaluateAnswer) => void)[] = [];
  const failing: ((error: unknown) => void)[] = [];
  worker.on("message", (answer: EvaluateAnswer) => {
    failing.shift();
    waiting.shift()?.(answer);
  });
  worker.on("error", (error) => {
    waiting.shift();
    failing.shift()?.(error);
  });
  return {
    evaluate: (request) =>
      new Promise((resolve, reject) => {
        waiting.push(resolve);
        failing.push(reject);
        worker.postMessage(request);
      }),
    [Symbol.asyncDispose]: async () => {
      await worker.terminate();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
