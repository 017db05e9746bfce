import type { StorePath } from "../store-path/store-path.ts";
import type { StoreDatabase } from "./database.ts";
import type { Root, RootWay } from "./store.ts";

/** Those of `roots` that reach `path`, each with a shortest way from it to `path`. */
export function findRootsOf(database: Pick<StoreDatabase, "closure" | "referrers">, roots: readonly Root[], path: StorePath): RootWay[] {
  const users = new Set(database.closure([path], { direction: "referrers" }));
  users.add(path);
  // From the path upwards, breadth first, so that each way is a shortest one.
  const next = new Map<StorePath, StorePath>();
  const reached = [path];
  for (const current of reached) {
    for (const user of database.referrers(current)) {
      if (user === path || next.has(user) || !users.has(user)) continue;
      next.set(user, current);
      reached.push(user);
    }
  }
  return roots
    .filter((root) => users.has(root.path))
    .map((root) => {
      const way: StorePath[] = [];
      for (let step: StorePath | undefined = root.path; step !== undefined; step = next.get(step)) way.push(step);
      return { root, way };
    });
}
