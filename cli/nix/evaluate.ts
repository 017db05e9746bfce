import type { EvaluationJob, EvaluationSettings, FoundDerivation } from "../../core/interop/evaluation-protocol.ts";
import type { LocalStore, LocalStoreOptions } from "../../core/store/store.ts";
import type { ClassicOptions } from "./classic-arguments.ts";
import type { NixEnvironment } from "./nix-environment.ts";

export type EvaluationOfCommand = {
  readonly settings: EvaluationSettings;
  readonly job: EvaluationJob;
  readonly storeOptions: LocalStoreOptions;
  readonly options: ClassicOptions;
};

/** Evaluates, with a store that is opened when something needs one; prints the error and gives the exit code. */
export async function runEvaluationJob(environment: NixEnvironment, what: EvaluationOfCommand, found: (derivation: FoundDerivation, openStore: () => Promise<LocalStore>) => Promise<void>): Promise<number> {
  let opened: Promise<LocalStore> | undefined;
  const openStore = (): Promise<LocalStore> => (opened ??= import("../../core/store/local-store.ts").then(({ openLocalStore }) => openLocalStore(what.storeOptions)));
  const session = environment.openEvaluation();
  // What is going to write begins to open the store while the evaluation reads its files.
  const ready = what.settings.readOnly ? undefined : Promise.all([openStore(), import("../../core/interop/evaluation-store.ts")]);
  ready?.catch(() => undefined);
  const { createEvaluationStore } = await import("../../core/interop/evaluation-store.ts");
  const end = await session.run(
    what.settings,
    what.job,
    () =>
      createEvaluationStore(openStore, async (targets) => {
        const { buildTargets } = await import("./build-targets.ts");
        return buildTargets(environment, what.options, await openStore(), targets);
      }),
    (derivation) => found(derivation, openStore),
  );
  if (end.error !== undefined) environment.say(end.error);
  if (opened !== undefined) await (await opened)[Symbol.asyncDispose]();
  return end.status;
}
