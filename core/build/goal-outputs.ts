import { hasUnknownOutputs } from "../derivation/resolve-derivation.ts";
import type { Realisation } from "../narinfo/realisation.ts";
import type { LocalStore } from "../store/store.ts";
import type { StorePath } from "../store-path/store-path.ts";
import type { BuildGraph, Goal } from "./build-graph.ts";

/** Known paths are locked; of others what would be built, as Nix does. What is resolved first is locked as what it turns out to be, then. */
export function lockedPaths(graph: BuildGraph, goal: Goal): StorePath[] {
  const { path, derivation, outputPaths } = goal;
  const byName = mustBeResolved(graph, goal) || hasUnknownOutputs(derivation);
  return [...derivation.outputs.keys()].map((name) => (byName ? (`${path}.${name}` as StorePath) : outputPaths.get(name)!));
}

/** Whether another process has built it meanwhile. */
export async function isComplete(store: LocalStore, goal: Goal): Promise<boolean> {
  if (hasUnknownOutputs(goal.derivation)) for (const [name, path] of await store.queryDerivationOutputs(goal.path)) goal.outputPaths.set(name, path);
  const paths = [...goal.outputPaths.values()];
  return goal.outputPaths.size === goal.derivation.outputs.size && (await store.queryValidPaths(paths)).size === new Set(paths).size;
}

/** Whether what it builds is known only by what its inputs turned out to be. */
export function mustBeResolved(graph: BuildGraph, { derivation }: Goal): boolean {
  // Its own path is still to be computed.
  if ([...derivation.outputs.values()].some(({ kind }) => kind === "deferred")) return true;
  if (derivation.inputDerivations.size === 0) return false;
  if (derivation.dynamicInputs !== undefined && derivation.dynamicInputs.size > 0) return true;
  if (hasUnknownOutputs(derivation)) return true;
  return [...derivation.inputDerivations.keys()].some((path) => hasUnknownOutputs(graph.goals.get(path)!.derivation));
}

/** For those who use it, and for those who ask for it another time. */
export async function keepOutputs(store: LocalStore, goal: Goal, outputs: ReadonlyMap<string, StorePath>): Promise<void> {
  for (const [output, path] of outputs) goal.outputPaths.set(output, path);
  if (hasUnknownOutputs(goal.derivation)) await rememberOutputs(store, goal.path, outputs);
}

export async function rememberOutputs(store: LocalStore, derivation: StorePath, outputs: ReadonlyMap<string, StorePath>): Promise<void> {
  const realisations: Realisation[] = [];
  for (const [output, path] of outputs) {
    const id = await store.findOutputId(derivation, output);
    if (id !== undefined) realisations.push({ ...id, path, signatures: [] });
  }
  if (realisations.length > 0) await store.registerRealisations(realisations);
}

export function inputOutputs(graph: BuildGraph, goal: Goal): readonly StorePath[] {
  return [...goal.derivation.inputDerivations].flatMap(([path, names]) => {
    const input = graph.goals.get(path)!;
    return [...names].map((name) => input.outputPaths.get(name)!);
  });
}
