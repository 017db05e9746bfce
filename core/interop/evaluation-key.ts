import { hash } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { EvaluationJob, EvaluationSettings } from "./evaluation-protocol.ts";

/** All that an evaluation depends on but for what it asks of the world; undefined for one that is not kept. */
export function evaluationKey(settings: EvaluationSettings, job: EvaluationJob, program: string): string | undefined {
  if (job.kind !== "values" && job.kind !== "derivations") return undefined;
  return hash("sha256", JSON.stringify([program, process.version, { ...settings, environment: undefined, currentTime: undefined, cacheFolder: undefined }, job]));
}

/** Whether there may be a trace, without a look into it. */
export function hasEvaluation(cacheFolder: string, key: string): boolean {
  return existsSync(join(cacheFolder, "evaluations", key));
}
