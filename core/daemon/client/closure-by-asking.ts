import { findRootsOf } from "../../store/find-roots-of.ts";
import { sortUsersFirst } from "../../store/sort-paths.ts";
import type { ClosureOptions, LocalStore, Root, RootWay } from "../../store/store.ts";
import { isDerivationPath, type StorePath } from "../../store-path/store-path.ts";
import { compareByteStrings } from "../../util/ordering.ts";

type Graph = Pick<LocalStore, "getPathInfo" | "findPathInfo" | "queryReferrers" | "queryValidDerivers" | "queryDerivationOutputs" | "queryValidPaths">;

/** `LocalStore.closure` where the database is another's: a question a path, a level of them at a time. */
export async function closureByAsking(store: Graph, paths: Iterable<StorePath>, options: ClosureOptions): Promise<Set<StorePath>> {
  const found = new Set<StorePath>();
  for (let level = [...new Set(paths)]; level.length > 0; ) {
    for (const path of level) found.add(path);
    level = [...new Set((await Promise.all(level.map((path) => neighbours(store, path, options)))).flat())].filter((path) => !found.has(path));
  }
  return found;
}

/** One step of a closure. */
async function neighbours(store: Graph, path: StorePath, { direction = "references", includeOutputs = false, includeDerivers = false }: ClosureOptions): Promise<StorePath[]> {
  const { references, deriver } = await store.getPathInfo(path);
  const outputs = async (): Promise<StorePath[]> => [...(isDerivationPath(path) ? await store.queryValidPaths((await store.queryDerivationOutputs(path)).values()) : [])];
  if (direction === "references") {
    return [...references, ...(includeOutputs ? await outputs() : []), ...(includeDerivers && deriver !== undefined ? await store.queryValidPaths([deriver]) : [])];
  }
  const own = includeDerivers ? await Promise.all((await outputs()).map((output) => store.getPathInfo(output))) : [];
  return [...(await store.queryReferrers(path)), ...(includeOutputs ? await store.queryValidDerivers(path) : []), ...own.filter((output) => output.deriver === path).map((output) => output.path)];
}

/** Users before what they use. */
export async function sortByAsking(store: Graph, paths: Iterable<StorePath>): Promise<StorePath[]> {
  const sorted = [...new Set(paths)].sort(compareByteStrings);
  return sortUsersFirst(new Map(await Promise.all(sorted.map(async (path) => [path, (await store.findPathInfo(path))?.references.filter((reference) => reference !== path) ?? []] as const))));
}

/** Those of `roots` that reach `path`, each with its way. */
export async function findRootsByAsking(store: Graph, roots: readonly Root[], path: StorePath): Promise<readonly RootWay[]> {
  const referrers = new Map<StorePath, StorePath[]>();
  for (let level = [path]; level.length > 0; ) {
    await Promise.all(level.map(async (one) => void referrers.set(one, await store.queryReferrers(one))));
    level = [...new Set(level.flatMap((one) => referrers.get(one)!))].filter((one) => !referrers.has(one));
  }
  return findRootsOf({ closure: () => [...referrers.keys()], referrers: (one) => referrers.get(one) ?? [] }, roots, path);
}
