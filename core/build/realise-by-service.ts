import type { BuildService } from "../store/build-service.ts";
import type { LocalStore } from "../store/store.ts";
import type { BuildTarget } from "./build-graph.ts";
import type { BuildOptions } from "./build-options.ts";
import type { RealisedOutputs } from "./realised-outputs.ts";
import { serviceOptions } from "./service-options.ts";

/** By the daemon of a store that this process may not write. */
export async function realiseByService(store: LocalStore, builds: BuildService, targets: readonly BuildTarget[], options: BuildOptions): Promise<RealisedOutputs> {
  const wanted = targets.map(({ drvPath, outputs }) => ({ drvPath, outputs: outputs === undefined ? undefined : [...outputs] }));
  await store.addTemporaryRoot(...wanted.map(({ drvPath }) => drvPath));
  await builds.realise(
    wanted.map(({ drvPath, outputs }) => ({ kind: "derivation", path: drvPath, outputs })),
    serviceOptions(options),
  );
  const realised = await Promise.all(
    wanted.map(async ({ drvPath, outputs }) => {
      const all = await store.queryDerivationOutputs(drvPath);
      return [drvPath, new Map([...all].filter(([name]) => outputs === undefined || outputs.includes(name)))] as const;
    }),
  );
  await store.addTemporaryRoot(...realised.flatMap(([, outputs]) => [...outputs.values()]));
  return new Map(realised);
}
