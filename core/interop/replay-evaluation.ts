import { join } from "node:path";
import { findEvaluation } from "./evaluation-cache.ts";
import type { EvaluationSettings, FoundDerivation, StoreCall, StoreReply } from "./evaluation-protocol.ts";
import { createEvaluationWorld, type Observation } from "./evaluation-world.ts";
import { writeLog } from "./write-log.ts";
import { writeWhole } from "./write-whole.ts";

/**
 * Does again what the evaluation under `key` did, if all that it was told is still so and the store has all that it put
 * there. The result is what it was told; undefined: it has to be evaluated, and nothing was done.
 */
export async function replayEvaluation(
  cacheFolder: string,
  key: string,
  settings: EvaluationSettings,
  host: { readonly answer: (call: StoreCall) => Promise<StoreReply>; readonly found: (derivation: FoundDerivation) => Promise<void> },
): Promise<readonly Observation[] | undefined> {
  const trace = findEvaluation(join(cacheFolder, "evaluations"), key, createEvaluationWorld(settings.environment, settings.currentTime));
  if (trace === undefined) return undefined;
  if (trace.stored.length > 0) {
    // What is there stays until this process ends.
    const reply = await host.answer({ op: "hold", paths: trace.stored });
    if (reply.op !== "hold" || reply.valid.length !== new Set(trace.stored).size) return undefined;
  }
  for (const event of trace.events) {
    if (event[0] === "found") await host.found(event[1]);
    else if (event[0] === "print") writeWhole(1, event[1]);
    else writeLog(settings, event[1]);
  }
  return trace.observations;
}
