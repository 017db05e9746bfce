import { TsosError } from "../error/tsos-error.ts";
import { formatStorePath, storePathName } from "../store-path/store-path.ts";
import { compareByteStrings, compareUtf8 } from "../util/ordering.ts";
import type { BuildFailure } from "./derivation-build.ts";
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
  /** Empty where a daemon built it. */
  readonly logFile: string;
  readonly lastLines: readonly string[];
  readonly keptFolder?: string | undefined;
  /** Whole paths, sorted. */
  readonly outputs: readonly string[];
};

/** A derivation that was not built because of those, as `data.dependents` of the error holds it. */
export type DependentReport = {
  readonly derivation: string;
  readonly outputs: readonly string[];
  /** How many of what it needs directly could not be made. */
  readonly failed: number;
  readonly isTarget: boolean;
};

/** What failed, why, where its log is, how it ends, and which target wanted it. */
export function makeBuildError(graph: BuildGraph, failures: ReadonlyMap<Goal, BuildFailure>, { storeDir, keepGoing }: { readonly storeDir: string; readonly keepGoing: boolean }): TsosError {
  const reports = [...failures].map(([goal, failure]) => report(graph, goal, failure, storeDir));
  const causes = [...failures.values()].map((failure) => failure.cause);
  const known = causes.find((cause) => cause instanceof TsosError);
  const text = reports.map(formatReport).join("\n");
  return new TsosError({
    code: "build.failed",
    message: reports.length === 1 ? text : `${reports.length} derivations could not be built\n${text}`,
    hint: known?.hint,
    data: { failures: reports, dependents: (keepGoing ? findDependents : findFirstDependents)(graph, [...failures.keys()], storeDir) },
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
    outputs: outputsOf(goal, storeDir),
  };
}

function outputsOf(goal: Goal, storeDir: string): readonly string[] {
  return [...goal.outputPaths.values()].map((path) => formatStorePath(path, storeDir)).sort(compareUtf8);
}

/** Who needs what failed, each after what it needs. */
function findDependents(graph: BuildGraph, failures: readonly Goal[], storeDir: string): readonly DependentReport[] {
  const failedNeeds = new Map<Step, Set<Step>>();
  const lost = new Set<Step>(failures);
  // A Set's iteration goes on over what is added while it runs.
  for (const step of lost) {
    for (const user of step.neededBy) {
      failedNeeds.set(user, (failedNeeds.get(user) ?? new Set()).add(step));
      lost.add(user);
    }
  }
  const targets = new Set<Step>(graph.targets);
  const ordered: Goal[] = [];
  const placed = new Set<Step>(failures);
  const place = (step: Step): void => {
    if (placed.has(step)) return;
    placed.add(step);
    for (const need of failedNeeds.get(step) ?? []) place(need);
    if (step.kind === "build") ordered.push(step);
  };
  for (const step of failedNeeds.keys()) place(step);
  return ordered.map((goal) => ({ derivation: formatStorePath(goal.path, storeDir), outputs: outputsOf(goal, storeDir), failed: failedNeeds.get(goal)!.size, isTarget: targets.has(goal) }));
}

/**
 * The same where nothing goes on after a failure: whoever waits for what failed waits for nothing else from then on, and fails in
 * the next round. It is told of where somebody still waits for it, or it was asked for. Nix: libstore/build/goal.cc, amDone.
 */
function findFirstDependents(graph: BuildGraph, failures: readonly Goal[], storeDir: string): readonly DependentReport[] {
  const targets = new Set<Step>(graph.targets);
  const left = new Set<Step>(graph.targets.filter((goal) => goal.build));
  const told = new Set<Step>(failures);
  const reports: DependentReport[] = [];
  for (let round: readonly Step[] = failures; round.length > 0 && left.size > 0; ) {
    const next: Step[] = [];
    for (const step of round) {
      const users = [...step.neededBy].filter((user) => !told.has(user));
      if (step.kind === "build" && !failures.includes(step) && (users.length > 0 || targets.has(step))) {
        reports.push({ derivation: formatStorePath(step.path, storeDir), outputs: outputsOf(step, storeDir), failed: 1, isTarget: targets.has(step) });
      }
      for (const user of users) told.add(user);
      next.push(...users);
      left.delete(step);
      if (left.size === 0) break;
    }
    round = next.sort((a, b) => compareByteStrings(keyOf(a), keyOf(b)));
  }
  return reports;
}

function keyOf({ path }: Step): string {
  return `${storePathName(path)}$${path}`;
}

/** Of the lines that are kept. */
const SHOWN_LINES = 15;

function formatReport(failure: FailureReport): string {
  const lines = [`cannot build "${failure.derivation}": ${failure.reason}`];
  if (failure.neededBy.length > 1) lines.push(`needed by: ${failure.neededBy.join(" → ")} ("${failure.target}")`);
  // A builtin builder's last word is the reason.
  const said = failure.lastLines.at(-1) === `error: ${failure.reason}` ? failure.lastLines.slice(0, -1) : failure.lastLines;
  if (said.length > 0) lines.push("its last lines:", ...said.slice(-SHOWN_LINES).map((line) => `  > ${line}`));
  if (failure.logFile !== "") lines.push(`its log: ${failure.logFile}`);
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
