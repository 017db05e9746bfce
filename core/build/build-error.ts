import { TsosError } from "../error/tsos-error.ts";
import { formatStorePath } from "../store-path/store-path.ts";
import type { BuildFailure } from "./build-derivation.ts";
import type { BuildGraph, Goal, Step } from "./build-graph.ts";

/** One failed derivation, as `data.failures` of the error `build.failed` holds it. */
export type FailureReport = {
  /** The whole path of the `.drv` file. */
  readonly derivation: string;
  readonly name: string;
  readonly reason: string;
  /** From the target that needed it down to it; names of derivations. */
  readonly neededBy: readonly string[];
  /** The target's whole path. */
  readonly target: string;
  readonly logFile: string;
  readonly lastLines: readonly string[];
  readonly keptFolder?: string | undefined;
};

/** What failed, why, where its log is, how it ends, and which target wanted it. */
export function makeBuildError(graph: BuildGraph, failures: ReadonlyMap<Goal, BuildFailure>, storeDir: string): TsosError {
  const reports = [...failures].map(([goal, failure]) => report(graph, goal, failure, storeDir));
  const causes = [...failures.values()].map((failure) => failure.cause);
  const known = causes.find((cause) => cause instanceof TsosError);
  const text = reports.map(formatReport).join("\n");
  return new TsosError({
    code: "build.failed",
    message: reports.length === 1 ? text : `${reports.length} derivations could not be built\n${text}`,
    hint: known?.hint,
    data: { failures: reports },
    cause: causes.length === 1 ? causes[0] : new AggregateError(causes),
  });
}

function report(graph: BuildGraph, goal: Goal, failure: BuildFailure, storeDir: string): FailureReport {
  const way = wayFromTarget(graph, goal);
  return {
    derivation: formatStorePath(goal.path, storeDir),
    name: goal.derivation.name,
    reason: failure.cause instanceof Error ? failure.cause.message : String(failure.cause),
    neededBy: way.map((user) => user.derivation.name),
    target: formatStorePath(way[0]!.path, storeDir),
    logFile: failure.logFile,
    lastLines: failure.lastLines,
    keptFolder: failure.keptFolder,
  };
}

function formatReport(failure: FailureReport): string {
  const lines = [`cannot build "${failure.derivation}": ${failure.reason}`];
  if (failure.neededBy.length > 1) lines.push(`needed by: ${failure.neededBy.join(" → ")} ("${failure.target}")`);
  if (failure.lastLines.length > 0) lines.push("its last lines:", ...failure.lastLines.map((line) => `  > ${line}`));
  lines.push(`its log: ${failure.logFile}`);
  if (failure.keptFolder !== undefined) lines.push(`its build folder: ${failure.keptFolder}`);
  return lines.join("\n");
}

/** The shortest way from a target to `goal`, both included. */
function wayFromTarget(graph: BuildGraph, goal: Goal): readonly Goal[] {
  const targets = new Set<Step>(graph.targets);
  const below = new Map<Step, Step | undefined>([[goal, undefined]]);
  for (const user of below.keys()) {
    if (targets.has(user)) {
      const way: Goal[] = [];
      // What is substituted needs nothing that is built.
      for (let step: Step | undefined = user; step !== undefined; step = below.get(step)) if (step.kind === "build") way.push(step);
      return way;
    }
    // A Map's iteration goes on over what is added while it runs: a breadth-first search.
    for (const next of user.neededBy) if (!below.has(next)) below.set(next, user);
  }
  return [goal];
}
