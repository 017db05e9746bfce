import type { BuildOptions } from "../../core/build/build-options.ts";
import { repairPath } from "../../core/build/repair-path.ts";
import { TsosError } from "../../core/error/tsos-error.ts";
import type { LocalStore } from "../../core/store/store.ts";
import { formatStorePath, type StorePath } from "../../core/store-path/store-path.ts";
import type { NixEnvironment } from "./nix-environment.ts";

/**
 * Of paths and all that they need, what is damaged or gone is fetched or built again, as `--repair` asks. All that can be
 * repaired is. Nix: libstore/build/derivation-goal.cc, repairClosure
 *
 * @throws TsosError `nix.not-repaired` naming what could not be, the reasons in its `cause`
 */
export async function repairTargets(environment: NixEnvironment, store: LocalStore, paths: readonly StorePath[], build: BuildOptions): Promise<void> {
  const asked = new Set(paths);
  const failures: unknown[] = [];
  const left: string[] = [];
  await environment.whileBuilding(async () => {
    for (const path of await store.closure(paths)) {
      if ((await store.verifyPath(path, { signal: environment.signal })) === undefined) continue;
      const shown = formatStorePath(path, store.storeDir);
      if (!asked.has(path)) environment.say(`found corrupted or missing path '${shown}' in the output closure`);
      try {
        await repairPath(store, path, { build, substituter: build.substituter, signal: environment.signal });
      } catch (error) {
        environment.signal.throwIfAborted();
        failures.push(error);
        left.push(shown);
      }
    }
  });
  if (failures.length > 0) {
    throw new TsosError({ code: "nix.not-repaired", message: `some paths could not be repaired: ${left.map((path) => `'${path}'`).join(", ")}`, data: { paths: left }, cause: failures.length === 1 ? failures[0] : new AggregateError(failures) });
  }
}
