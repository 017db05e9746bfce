import { build } from "esbuild";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import type { CaseResult } from "./normalise.ts";
import type { SubjectRequest } from "./subject-worker.ts";

/** For one case, in milliseconds. */
const PATIENCE = 40_000;

export type Subject = { ask(request: SubjectRequest): Promise<CaseResult[]>; [Symbol.asyncDispose](): Promise<void> };

/** Starts the worker that evaluates; one that hangs is ended. */
export async function startSubject(): Promise<Subject> {
  const folder = mkdtempSync(join(tmpdir(), "tsos-fuzz-"));
  const outfile = join(folder, "worker.mjs");
  await build({ entryPoints: [join(import.meta.dirname, "subject-worker.ts")], bundle: true, platform: "node", format: "esm", target: "node20", outfile, logLevel: "error" });
  const start = (): Worker => new Worker(outfile, { resourceLimits: { stackSizeMb: 256, maxOldGenerationSizeMb: 4096 } });
  let worker = start();
  /** As many results as there are before one that takes too long. */
  const some = (request: SubjectRequest): Promise<CaseResult[]> =>
    new Promise((resolve) => {
      const results: CaseResult[] = [];
      const finish = (): void => {
        clearTimeout(timer);
        worker.off("message", take);
        worker.off("error", finish);
        resolve(results);
      };
      let timer = setTimeout(finish, PATIENCE);
      const take = (result: CaseResult): void => {
        results.push(result);
        clearTimeout(timer);
        timer = setTimeout(finish, PATIENCE);
        if (results.length === request.expressions.length) finish();
      };
      worker.on("message", take);
      worker.on("error", finish);
      worker.postMessage(request);
    });
  const ask = async (request: SubjectRequest): Promise<CaseResult[]> => {
    const results: CaseResult[] = [];
    while (results.length < request.expressions.length) {
      results.push(...(await some({ ...request, expressions: request.expressions.slice(results.length) })));
      if (results.length === request.expressions.length) break;
      await worker.terminate();
      worker = start();
      results.push({ ok: false, text: "BUG no answer" });
    }
    return results;
  };
  return {
    ask,
    [Symbol.asyncDispose]: async () => {
      await worker.terminate();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
