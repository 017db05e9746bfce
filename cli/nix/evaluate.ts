import { join } from "node:path";
import type { EvaluationJob, EvaluationSettings, FoundDerivation } from "../../core/interop/evaluation-protocol.ts";
import type { EvaluationEnd } from "../../core/interop/evaluation-session.ts";
import type { BuildDuringEvaluation } from "../../core/interop/evaluation-store.ts";
import type { SourceContext } from "../../core/fetch/source/scheme.ts";
import { findPlaces } from "../places.ts";
import type { ClassicOptions } from "./classic-arguments.ts";
import type { NixEnvironment } from "./nix-environment.ts";
import { createDummyStore, type EvaluationStores } from "./evaluation-stores.ts";

export type EvaluationOfCommand = {
  readonly settings: EvaluationSettings;
  readonly job: EvaluationJob;
  readonly stores: EvaluationStores;
  readonly options: ClassicOptions;
};

/** Evaluates, with a store that is opened when something needs one; prints the error and gives the exit code. */
export async function runEvaluationJob(environment: NixEnvironment, { settings, job, stores, options }: EvaluationOfCommand, found: (derivation: FoundDerivation) => Promise<void>): Promise<number> {
  await using session = environment.openEvaluation();
  // What is going to write begins to open the store while the evaluation reads its files.
  const isDummy = stores.choice.isDummy === true;
  if (!settings.readOnly && !isDummy) stores.open().catch(() => undefined);
  const end = await session.run(
    settings,
    job,
    async () => {
      if (isDummy) return createDummyStore();
      const { createEvaluationStore } = await import("../../core/interop/evaluation-store.ts");
      const { createStoreFetcher } = await import("../../core/interop/fetch-into-store.ts");
      const store = await stores.open();
      const build: BuildDuringEvaluation = async (targets) => {
        const { buildTargets, requireBuilt } = await import("./build-targets.ts");
        if (settings.readOnly) return requireBuilt(store, targets);
        await stores.bring(targets.map(({ drvPath }) => drvPath));
        const outputs = await buildTargets(environment, options, await stores.openBuilding(), targets);
        await stores.bringBack(outputs);
        return outputs;
      };
      const { createClosureFetcher } = await import("../../core/interop/fetch-closure.ts");
      const { nixTrust } = await import("./build-targets.ts");
      const fetchClosure = createClosureFetcher(store, {
        openCache: async (url) => {
          const { openBinaryCache } = await import("../../core/cache/open-binary-cache.ts");
          const { loadFetchSettings } = await import("../../core/fetch/load-fetch-settings.ts");
          return openBinaryCache(url, { settings: await loadFetchSettings({ env: environment.env }), environment: environment.env, storeDir: store.storeDir });
        },
        trust: () => nixTrust(environment, options.settings),
        allowFiles: environment.env["_NIX_IN_TEST"] !== undefined,
        signal: environment.signal,
        say: environment.say,
      });
      return createEvaluationStore(store, build, createStoreFetcher(store, () => openNixSources(environment, options)), fetchClosure);
    },
    found,
  );
  sayEvaluationError(environment, end);
  return end.status;
}

/** As the thread printed it; after a mistake in what a builtin was asked for the command names its help, as it does for its own. */
export function sayEvaluationError(environment: NixEnvironment, { error, isUsage }: EvaluationEnd): void {
  if (error !== undefined) environment.sayBytes(error);
  if (isUsage) environment.say(`Try '${environment.command} --help' for more information.`);
}

/** How sources are fetched: by the settings of Nix, with tsos's own cache. */
async function openNixSources(environment: NixEnvironment, { settings }: ClassicOptions): Promise<SourceContext> {
  const { loadFetchSettings } = await import("../../core/fetch/load-fetch-settings.ts");
  const { openSourceCache } = await import("../../core/fetch/source/source-cache.ts");
  const { env } = environment;
  return {
    settings: { ...(await loadFetchSettings({ env })), tarballTtl: settings.int("tarball-ttl", 3600) },
    cache: openSourceCache(join(findPlaces(env, environment.uid, undefined).cache, "sources")),
    env,
    now: Date.now,
    signal: environment.signal,
    warn: (message) => {
      if (settings.bool("warn-dirty", true) || !message.endsWith("is dirty")) environment.say(`warning: ${message}`);
    },
  };
}
