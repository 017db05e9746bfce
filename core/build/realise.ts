import type { LocalStore } from "../store/store.ts";
import type { StorePath } from "../store-path/store-path.ts";
import { createActivityIds } from "../util/progress.ts";
import { readBuildGraph, type BuildGraph, type BuildTarget } from "./build-graph.ts";
import type { BuildOptions } from "./build-options.ts";
import { createBuilderGuard } from "./builder-guard.ts";
import { realiseByService } from "./realise-by-service.ts";
import type { RealisedOutputs } from "./realised-outputs.ts";
import { reportOtherSources } from "./report-other-sources.ts";
import { createLimiters, runBuildGraph, type Shared } from "./run-build-graph.ts";

/**
 * Makes the outputs of derivations valid. What is valid is not built, what a substituter has is taken from there; what
 * is independent is made at the same time; what another build (of this process or another) is making is waited for,
 * not made twice. What a substituter promised and could not give is built after all.
 *
 * @throws TsosError `build.failed` with every failed derivation, its log and its last lines
 * @throws the signal's reason, after every builder is dead
 * @example
 * const outputs = await realise(store, [{ drvPath, outputs: ["out"] }], { jobs: 2, cores: 0, settings, builtins, tools });
 * outputs.get(drvPath)?.get("out") // "…-hello-2.12"
 */
export async function realise(store: LocalStore, targets: readonly BuildTarget[], options: BuildOptions): Promise<RealisedOutputs> {
  using guard = createBuilderGuard();
  const shared: Shared = {
    nextId: createActivityIds(),
    guard,
    limiters: createLimiters(options),
    realise: async (target, resolved) => (await realiseWith(store, [target], resolved, shared)).get(target.drvPath)!,
  };
  return await realiseWith(store, targets, options, shared);
}

async function realiseWith(store: LocalStore, targets: readonly BuildTarget[], options: BuildOptions, shared: Shared): Promise<RealisedOutputs> {
  options.signal?.throwIfAborted();
  if (store.builds !== undefined) return realiseByService(store, store.builds, targets, options);
  const lost = new Set<StorePath>();
  const read = (): Promise<BuildGraph> => readBuildGraph(store, targets, { check: options.check === true || options.repair === true, substituter: options.substituter, contentAddressed: options.contentAddressed, lost, signal: options.signal });
  let graph = await read();
  await reportOtherSources(store, graph, options);
  while (!isDone(graph)) {
    const before = lost.size;
    await runBuildGraph(store, graph, options, lost, shared);
    if (lost.size === before) break;
    graph = await read();
  }
  await rememberLearned(store, graph);
  return new Map(
    targets.map((target) => {
      const goal = graph.goals.get(target.drvPath)!;
      const names = target.outputs === undefined ? goal.derivation.outputs.keys() : target.outputs;
      return [target.drvPath, new Map([...names].map((name) => [name, goal.outputPaths.get(name)!]))];
    }),
  );
}

/** What other places said of floating outputs, once they are here. */
async function rememberLearned(store: LocalStore, graph: BuildGraph): Promise<void> {
  const learned = [...graph.goals.values()].flatMap((goal) => goal.learned);
  if (learned.length === 0) return;
  const valid = await store.queryValidPaths(learned.map(({ path }) => path));
  await store.registerRealisations(learned.filter(({ path }) => valid.has(path)));
}

function isDone(graph: BuildGraph): boolean {
  return graph.substitutions.size === 0 && ![...graph.goals.values()].some((goal) => goal.build);
}

