import { TsosError } from "../error/tsos-error.ts";
import type { ValidPathInfo } from "../store/path-info.ts";
import { formatStorePath, type StorePath } from "../store-path/store-path.ts";

/**
 * @param order what is needed before who needs it, as far as that is possible
 * @throws TsosError `store.reference-cycle`
 */
export function refuseCycles(order: readonly StorePath[], infos: ReadonlyMap<StorePath, ValidPathInfo>, storeDir: string): void {
  const before = new Set<StorePath>();
  for (const path of order) {
    const later = infos.get(path)!.references.find((reference) => reference !== path && infos.has(reference) && !before.has(reference));
    before.add(path);
    if (later === undefined) continue;
    throw new TsosError({ code: "store.reference-cycle", message: `"${formatStorePath(path, storeDir)}" and "${formatStorePath(later, storeDir)}" refer to each other`, hint: "what describes them is broken", data: { path, reference: later } });
  }
}
