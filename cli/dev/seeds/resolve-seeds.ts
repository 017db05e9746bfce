import { TsosError } from "../../../core/error/tsos-error.ts";
import { compareByteStrings } from "../../../core/util/ordering.ts";
import { findNearestName } from "../../../core/util/suggest.ts";
import type { LockedDebianPackage } from "../../../pkgs/seeds/seed-lock.ts";
import type { SeedRequests } from "../../../pkgs/seeds/seed-requests.ts";
import { parseDependencies } from "./debian-index.ts";
import type { DebianStanza } from "./debian-index.ts";

/**
 * The locked form of all packages that the requested sets need: for each dependency the first alternative
 * that exists, a curated provider for what is virtual, and nothing for what is excluded.
 *
 * @throws TsosError `seeds.unresolved` naming the package and what it needs.
 */
export function resolveSeeds(index: ReadonlyMap<string, DebianStanza>, requests: SeedRequests): Record<string, LockedDebianPackage> {
  const excluded = new Set(requests.excluded);
  const providersOf = collectProviders(index);
  const locked = new Map<string, LockedDebianPackage>();

  const choose = (alternatives: readonly string[]): string | undefined => {
    for (const name of alternatives) {
      if (excluded.has(name)) return undefined;
      const chosen = requests.providers[name] ?? (index.has(name) ? name : undefined);
      if (chosen !== undefined) return chosen;
      // Without a choice of ours a virtual package is clear only where one package provides it.
      const providers = providersOf.get(name) ?? [];
      if (providers.length === 1) return providers[0];
    }
    throw new TsosError({
      code: "seeds.unresolved",
      message: `no package is known for "${alternatives.join(" | ")}"`,
      hint: "name one in `providers`, or the dependency in `excluded`, of pkgs/seeds/seed-requests.ts",
    });
  };

  const queue = Object.values(requests.sets).flat();
  for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
    if (locked.has(name)) continue;
    const stanza = index.get(name);
    if (stanza === undefined) {
      throw new TsosError({
        code: "seeds.unknown-package",
        message: `"${name}" is no package of ${requests.suite}`,
        hint: nearestHint(name, index.keys()),
      });
    }
    const left = new Set(requests.excludedEdges[name] ?? []);
    const groups = parseDependencies(`${stanza.get("Pre-Depends") ?? ""},${stanza.get("Depends") ?? ""}`);
    const depends = new Set<string>();
    for (const alternatives of groups) {
      if (alternatives.some((alternative) => left.has(alternative))) continue;
      const chosen = choose(alternatives);
      if (chosen !== undefined && chosen !== name) depends.add(chosen);
    }
    const sorted = [...depends].sort(compareByteStrings);
    locked.set(name, {
      version: field(stanza, "Version"),
      path: field(stanza, "Filename"),
      size: Number(field(stanza, "Size")),
      sha256: field(stanza, "SHA256"),
      ...(sorted.length === 0 ? {} : { depends: sorted }),
    });
    queue.push(...sorted);
  }
  return Object.fromEntries([...locked].sort(([a], [b]) => compareByteStrings(a, b)));
}

function collectProviders(index: ReadonlyMap<string, DebianStanza>): ReadonlyMap<string, readonly string[]> {
  const result = new Map<string, string[]>();
  for (const [name, stanza] of index) {
    for (const provided of parseDependencies(stanza.get("Provides") ?? "").flat()) {
      const list = result.get(provided);
      if (list === undefined) result.set(provided, [name]);
      else list.push(name);
    }
  }
  return result;
}

function field(stanza: DebianStanza, name: string): string {
  const value = stanza.get(name);
  if (value === undefined) {
    throw new TsosError({ code: "seeds.bad-index", message: `the index has no ${name} for "${stanza.get("Package") ?? ""}"` });
  }
  return value;
}

function nearestHint(name: string, candidates: Iterable<string>): string | undefined {
  const nearest = findNearestName(name, candidates);
  return nearest === undefined ? undefined : `did you mean "${nearest}"?`;
}
