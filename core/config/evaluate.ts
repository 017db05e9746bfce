import { existsSync, realpathSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { ProgressListener } from "../util/progress.ts";
import { cacheKey, findCached, writeCached } from "./evaluation-cache.ts";
import type { EvaluateOptions, Evaluation } from "./evaluation.ts";
import { findProject } from "./find-project.ts";
import type { EvaluationRequest } from "./protocol.ts";

/**
 * Evaluates a configuration, or answers from the cache where nothing that an earlier evaluation read has
 * changed. The latter loads neither the bundler nor the isolate.
 *
 * @throws TsosError or `ConfigErrors` with places in the user's own files.
 */
export async function evaluateConfig<R extends EvaluationRequest>(options: EvaluateOptions<R>): Promise<Evaluation<R["kind"]>> {
  const { runtime, request, cacheDir } = options;
  const file = options.file === undefined ? undefined : findRealPath(options.file);
  const project = file === undefined || !existsSync(dirname(file)) ? process.cwd() : findProject(file);
  // Where the project begins decides which files a configuration may see.
  const key = cacheKey(["evaluation", runtime.hash, process.version, file === undefined ? null : [project, file], request]);
  // Which inputs there are is asked to look at them afresh.
  if (cacheDir !== undefined && request.kind !== "inputs") {
    const found = await findCached<Remembered<R["kind"]>>(cacheDir, key);
    if (found !== undefined) return finish({ ...found.value, reads: found.reads, cached: true }, options.report);
  }
  options.signal?.throwIfAborted();
  const { evaluateAfresh } = await import("./evaluate-afresh.ts");
  const { reads, isRepeatable, ...value } = await evaluateAfresh({ ...options, file, project });
  if (cacheDir !== undefined && isRepeatable) writeCached(cacheDir, key, { reads, value });
  return finish({ ...value, reads, cached: false }, options.report);
}

type Remembered<K extends EvaluationRequest["kind"]> = Omit<Evaluation<K>, "reads" | "cached">;

// What a configuration says to its author is said again when the answer is remembered.
function finish<K extends EvaluationRequest["kind"]>(evaluation: Evaluation<K>, report: ProgressListener | undefined): Evaluation<K> {
  for (const text of evaluation.printed) report?.({ kind: "message", level: "notice", text });
  for (const text of evaluation.warnings) report?.({ kind: "message", level: "warning", text });
  return evaluation;
}

function findRealPath(file: string): string {
  try {
    return realpathSync(file);
  } catch {
    // That it is missing is told with the other errors of the bundle.
    return resolve(file);
  }
}
