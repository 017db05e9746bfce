import type { LocalStore } from "../store/store.ts";
import { formatStorePath } from "../store-path/store-path.ts";
import type { BuildGraph } from "./build-graph.ts";
import type { BuildOptions } from "./build-options.ts";
import { isFixedOutput } from "./builder-environment.ts";
import { findOtherSource, sourceUrls } from "./fetched-sources.ts";

/** Fixed outputs that are here already, with a URL that nobody fetched them from. */
export async function reportOtherSources(store: LocalStore, graph: BuildGraph, { report }: BuildOptions): Promise<void> {
  if (report === undefined) return;
  for (const goal of graph.goals.values()) {
    if (goal.build || !isFixedOutput(goal.derivation)) continue;
    const output = goal.outputPaths.get("out");
    if (output === undefined || graph.substitutions.has(output)) continue;
    const known = await findOtherSource(store, goal.path, goal.derivation, output);
    if (known === undefined) continue;
    report({
      kind: "message",
      level: "warning",
      text:
        `the hash of "${goal.derivation.name}" is known: its contents came from "${known.join('", "')}", and nothing was fetched from ` +
        `"${sourceUrls(goal.derivation).join('", "')}"; build "${formatStorePath(goal.path, store.storeDir)}" with --rebuild to see whether that gives the same`,
    });
  }
}
