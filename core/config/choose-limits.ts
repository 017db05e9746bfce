import { existsSync, readFileSync } from "node:fs";
import { defaultLimits, limitsWithInputs, type IsolateLimits } from "./isolate-limits.ts";
import { lockFilePath } from "./project-inputs.ts";

/**
 * How much a configuration's evaluation may take, before anything is evaluated: one with a lock file had inputs, and
 * who declares its first says so in the file. Where another file does, the first evaluation has the limits of one
 * without. What is `given` counts.
 */
export function chooseLimits(file: string | undefined, project: string, given: Partial<IsolateLimits> | undefined): IsolateLimits {
  const mayUseInputs = existsSync(lockFilePath(project)) || (file !== undefined && existsSync(file) && readFileSync(file, "utf8").includes("nputs"));
  return { ...(mayUseInputs ? limitsWithInputs : defaultLimits), ...given };
}
