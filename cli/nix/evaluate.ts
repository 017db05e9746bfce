import type { EvaluationJob, EvaluationSettings, FoundDerivation } from "../../core/interop/evaluation-protocol.ts";
import type { ClassicOptions } from "./classic-arguments.ts";
import type { NixEnvironment } from "./nix-environment.ts";
import type { LazyStore } from "./open-store.ts";

export type EvaluationOfCommand = {
  readonly settings: EvaluationSettings;
  readonly job: EvaluationJob;
  readonly open: LazyStore["open"];
  readonly options: ClassicOptions;
};

/** Evaluates, with a store that is opened when something needs one; prints the error and gives the exit code. */
export async function runEvaluationJob(environment: NixEnvironment, { settings, job, open, options }: EvaluationOfCommand, found: (derivation: FoundDerivation) => Promise<void>): Promise<number> {
  await using session = environment.openEvaluation();
  // What is going to write begins to open the store while the evaluation reads its files.
  if (!settings.readOnly) open().catch(() => undefined);
  const end = await session.run(
    settings,
    job,
    async () => {
      const { createEvaluationStore } = await import("../../core/interop/evaluation-store.ts");
      return createEvaluationStore(await open(), async (targets) => {
        const { buildTargets } = await import("./build-targets.ts");
        return buildTargets(environment, options, await open(), targets);
      });
    },
    found,
  );
  if (end.error !== undefined) environment.say(end.error);
  return end.status;
}
