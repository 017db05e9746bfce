import type { StorePath } from "../store-path/store-path.ts";
import { compareByteStrings } from "../util/ordering.ts";
import { createActivityIds } from "../util/progress.ts";
import type { OpenStore } from "./open-store.ts";
import { optimiseTrees } from "./optimise.ts";
import type { OptimiseOptions, OptimiseResult } from "./store.ts";

/** Makes equal files of `paths` (default: of all valid ones) one file, see `LocalStore.optimise`. */
export async function optimiseStore(store: OpenStore, paths: Iterable<StorePath> | undefined, { signal, report }: OptimiseOptions): Promise<OptimiseResult> {
  await store.prepareToWrite();
  const wanted = paths === undefined ? store.database.allPaths() : [...paths];
  // No collector takes them from here on, and those it took before are left out.
  await store.temporaryRoots.add(wanted);
  const valid = store.database.validOf(wanted);
  const chosen = wanted.filter((path) => valid.has(path)).sort(compareByteStrings);
  const id = createActivityIds()();
  report?.({ kind: "start", id, activity: "optimise", subject: store.layout.realStoreDir, total: chosen.length, unit: "items" });
  let outcome: "done" | "failed" = "failed";
  try {
    const result = await optimiseTrees(store.layout, chosen.map((path) => store.realPath(path)), {
      signal,
      lookAhead: true,
      onTree: (done) => report?.({ kind: "progress", id, done, total: chosen.length }),
    });
    outcome = "done";
    return result;
  } finally {
    report?.({ kind: "stop", id, outcome });
  }
}
