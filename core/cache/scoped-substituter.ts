import type { Substituter, SubstitutablePath } from "../store/substituter.ts";
import type { StorePath } from "../store-path/store-path.ts";

/**
 * Two places that paths come from, of which the second is asked for some paths only, and only where the first has
 * nothing: it hears of no other path.
 */
export function createScopedSubstituter(first: Substituter | undefined, second: Substituter, scope: Pick<ReadonlySet<StorePath>, "has">): Substituter {
  const ofSecond = new Set<StorePath>();
  return {
    async query(paths, signal) {
      const asked = [...paths];
      const found = new Map<StorePath, SubstitutablePath>((await first?.query(asked, signal)) ?? []);
      const rest = asked.filter((path) => !found.has(path) && scope.has(path));
      if (rest.length === 0) return found;
      for (const [path, what] of await second.query(rest, signal)) {
        found.set(path, what);
        ofSecond.add(path);
      }
      return found;
    },
    // Which outputs are in the scope nobody can say before their paths are known.
    findRealisation: async (id, signal) => first?.findRealisation?.(id, signal),
    substitute: (path, options) => (ofSecond.has(path) || first === undefined ? second : first).substitute(path, options),
  };
}
