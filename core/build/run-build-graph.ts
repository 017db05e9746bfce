import { setMaxListeners } from "node:events";
import type { DynamicInput } from "../derivation/derivation.ts";
import { hasUnknownOutputs, resolveDerivation } from "../derivation/resolve-derivation.ts";
import { TsosError } from "../error/tsos-error.ts";
import type { LocalStore, PathLocks } from "../store/store.ts";
import { formatStorePath, storePathName, type StorePath } from "../store-path/store-path.ts";
import { createLimiter, type Limiter } from "../util/limiter.ts";
import type { ProgressActivity, ProgressEvent } from "../util/progress.ts";
import { buildDerivation } from "./build-derivation.ts";
import { makeBuildError, type FailureReport } from "./build-error.ts";
import type { BuildGraph, BuildTarget, Goal, Step, Substitution } from "./build-graph.ts";
import type { BuildOptions } from "./build-options.ts";
import { derivationAttribute } from "./derivation-attributes.ts";
import type { BuilderGuard } from "./builder-guard.ts";
import { canBuildHere } from "./check-platform.ts";
import { BUILTIN_PREFIX, type BuildFailure, type DerivationBuild } from "./derivation-build.ts";
import { inputOutputs, isComplete, keepOutputs, lockedPaths, mustBeResolved, rememberOutputs } from "./goal-outputs.ts";
import type { RemotePlace } from "./remote-builders.ts";
import { keepSpace } from "./space-keeper.ts";
import { toldOutputPaths } from "./told-outputs.ts";

const DEFAULT_BUILTIN_JOBS = 16;
const DEFAULT_SUBSTITUTION_JOBS = 16;

/** What all builds of a call share, those of resolved derivations too. */
export type Shared = {
  readonly nextId: () => number;
  readonly guard: BuilderGuard;
  readonly limiters: Limiters;
  /** Builds what a derivation turned out to be, or what another has made; all outputs by default. */
  realise(target: BuildTarget, options: BuildOptions): Promise<ReadonlyMap<string, StorePath>>;
};

/** How many of a kind are at work at once. */
export type Limiters = Readonly<Record<"builders" | "builtins" | "transfers", Limiter>>;

export function createLimiters({ jobs, builtinJobs = DEFAULT_BUILTIN_JOBS, substitutionJobs = DEFAULT_SUBSTITUTION_JOBS }: BuildOptions): Limiters {
  return { builders: createLimiter(Math.max(1, jobs)), builtins: createLimiter(builtinJobs), transfers: createLimiter(substitutionJobs) };
}

/** For what only waits for others. */
const unlimited: Limiter = { acquire: async () => () => {} };

/** @param lost gets the paths that no substituter gave; what needs them is left undone */
export async function runBuildGraph(store: LocalStore, graph: BuildGraph, options: BuildOptions, lost: Set<StorePath>, shared: Shared): Promise<void> {
  const { nextId, guard } = shared;
  const goals: readonly Step[] = [...graph.substitutions.values(), ...[...graph.goals.values()].filter((goal) => goal.build)];
  const report = (event: ProgressEvent): void => options.report?.(event);
  const { builders, builtins, transfers } = shared.limiters;

  // Aborted by the caller, or by the first failure where nothing is to go on after it.
  const stop = new AbortController();
  // Every goal listens to it at once, which is no leak.
  setMaxListeners(0, stop.signal);
  const onAbort = (): void => stop.abort(options.signal?.reason);
  // One that came while the graph was read tells no listener.
  options.signal?.throwIfAborted();
  options.signal?.addEventListener("abort", onAbort, { once: true });

  const failures = new Map<Goal, BuildFailure>();
  /** Substitutions that gave nothing. */
  const unserved = new Set<Step>();
  const waiting = new Map(goals.map((goal) => [goal, goal.needs.size]));
  let done = 0;
  await using space = keepSpace(store, { limits: options.space, signal: stop.signal, report });
  const whole = nextId();
  report({ kind: "start", id: whole, activity: "realise", subject: graph.targets.map((goal) => goal.derivation.name).join(", "), total: goals.length, unit: "items" });

  /** One step whose inputs are valid. */
  async function achieve(step: Step): Promise<void> {
    // What it turns out to be takes a place, then.
    const isResolved = step.kind === "build" && mustBeResolved(graph, step);
    const limiter = step.kind === "substitute" ? transfers : isResolved ? unlimited : step.derivation.builder.startsWith(BUILTIN_PREFIX) ? builtins : builders;
    const place = step.kind === "build" && !isResolved ? await takePlace(step) : undefined;
    if (step.kind === "build" && place === undefined && limiter === builders && options.jobs === 0) {
      const cause = noMachine(step, store.storeDir);
      failures.set(step, { cause, logFile: "", lastLines: [] });
      if (!options.keepGoing) stop.abort(cause);
      return;
    }
    let release = place === undefined ? await limiter.acquire(stop.signal) : place.release;
    let locks: PathLocks | undefined;
    try {
      await space.makeRoom();
      const paths = step.kind === "substitute" ? [step.path] : lockedPaths(graph, step);
      locks = await store.lockPaths(paths, { wait: false });
      if (locks === undefined) {
        // Another makes it, or something with the same fixed output; that may take long, so it takes no place here. A
        // transfer keeps its place, since those that refer to its path hold theirs and wait for it.
        if (step.kind === "build" && place === undefined) release();
        locks = await store.lockPaths(paths, {
          signal: stop.signal,
          onWait: (path) => report({ kind: "message", level: "notice", text: `waiting for another build of "${formatStorePath(path, store.storeDir)}"` }),
        });
        if (step.kind === "build" && place === undefined) release = await limiter.acquire(stop.signal);
      }
      const check = step.kind === "build" && step.check;
      if (!check && (step.kind === "substitute" ? await store.isValidPath(step.path) : await isComplete(store, step))) return;
      if (step.kind === "substitute") await substitute(step, release);
      else await buildGoal(step, release, place);
    } finally {
      locks?.release();
      release();
    }
  }

  /** Another machine's, if it is to be built there. What only tsos can build, or what is to be compared, is built here. */
  async function takePlace(goal: Goal): Promise<RemotePlace | undefined> {
    const { derivation } = goal;
    if (options.remoteBuilders === undefined || goal.check || derivation.builder.startsWith(BUILTIN_PREFIX)) return undefined;
    const here = canBuildHere(derivation, options);
    if (here && [true, "1"].includes(derivationAttribute(derivation, "preferLocalBuild") as string | boolean)) return undefined;
    return options.remoteBuilders.take(derivation, { path: goal.path, canBuildHere: here, signal: stop.signal });
  }

  async function substitute(step: Substitution, releasePlace: () => void): Promise<void> {
    const id = nextId();
    const { downloadSize, info } = step.source;
    report({ kind: "start", id, parent: whole, activity: "substitute", subject: storePathName(step.path), path: formatStorePath(step.path, store.storeDir), total: downloadSize ?? info.narSize, unit: "bytes" });
    let outcome: "done" | "failed" | "cancelled" = "cancelled";
    try {
      await options.substituter!.substitute(step.path, { signal: stop.signal, locked: true, onReceived: releasePlace, progress: (amount, total) => report({ kind: "progress", id, done: amount, total }) });
      outcome = "done";
    } catch (error) {
      stop.signal.throwIfAborted();
      if (!(error instanceof TsosError) || error.code !== "cache.substitution-failed") throw error;
      outcome = "failed";
      unserved.add(step);
      // Without one that it refers to it cannot be registered, which is not its own failure: the next plan has it again.
      if ([...step.needs].some((need) => unserved.has(need))) return;
      lost.add(step.path);
      report({ kind: "message", level: "warning", text: `${error.message}; it is built instead` });
    } finally {
      report({ kind: "stop", id, outcome });
    }
  }

  const cleanUps: Promise<void>[] = [];

  /** Has built what inputs turned out to be derivations of, and says what the outputs of all inputs are. */
  async function findInputOutputs(goal: Goal): Promise<(input: StorePath, output: string) => StorePath> {
    const made = new Map<StorePath, ReadonlyMap<string, StorePath>>();
    const outputOf = (input: StorePath, output: string): StorePath => (made.get(input)?.get(output) ?? graph.goals.get(input)?.outputPaths.get(output))!;
    const make = async (drvPath: StorePath, { outputs, dynamicOutputs }: DynamicInput): Promise<void> => {
      const known = made.get(drvPath);
      const found = await shared.realise({ drvPath, outputs: [...outputs, ...dynamicOutputs.keys()] }, { ...options, check: false, repair: false, signal: stop.signal });
      made.set(drvPath, new Map([...(known ?? []), ...found]));
      for (const [output, further] of dynamicOutputs) await make(found.get(output)!, further);
    };
    for (const [input, makers] of goal.derivation.dynamicInputs ?? []) for (const [output, further] of makers) await make(outputOf(input, output), further);
    return outputOf;
  }

  /** Builds what a goal is once its inputs are known, and remembers that the goal is that. */
  async function buildResolved(goal: Goal): Promise<void> {
    try {
      const resolved = resolveDerivation(goal.derivation, await findInputOutputs(goal), store.storeDir);
      const path = await store.writeDerivation(resolved);
      report({ kind: "message", level: "debug", text: `resolved derivation: '${formatStorePath(goal.path, store.storeDir)}' -> '${formatStorePath(path, store.storeDir)}'...` });
      const outputs = await shared.realise({ drvPath: path }, { ...options, check: goal.check, signal: stop.signal });
      await keepOutputs(store, goal, outputs);
      // A derivation that waited for floating inputs only has paths of its own, and is kept under both names all the same.
      if (!hasUnknownOutputs(resolved) && hasUnknownOutputs(goal.derivation)) await rememberOutputs(store, path, outputs);
    } catch (error) {
      stop.signal.throwIfAborted();
      const [failed] = error instanceof TsosError && error.code === "build.failed" ? (error.data["failures"] as readonly FailureReport[]) : [];
      if (failed === undefined) throw error;
      failures.set(goal, { cause: (error as TsosError).cause, logFile: failed.logFile, lastLines: failed.lastLines, keptFolder: failed.keptFolder });
      if (!options.keepGoing) stop.abort((error as TsosError).cause);
    }
  }

  async function buildGoal(goal: Goal, releasePlace: () => void, place: RemotePlace | undefined): Promise<void> {
    if (mustBeResolved(graph, goal)) return buildResolved(goal);
    const id = nextId();
    const later: (() => Promise<void>)[] = [];
    let started = false;
    const onStart = (): void => {
      started = true;
      report({ kind: "start", id, parent: whole, activity: activityOf(goal), subject: goal.derivation.name, path: formatStorePath(goal.path, store.storeDir), machine: place?.name });
    };
    let outcome: "done" | "failed" | "cancelled" = "cancelled";
    try {
      const build: DerivationBuild = {
        path: goal.path,
        derivation: goal.derivation,
        outputPaths: toldOutputPaths(goal.path, goal.derivation, store.storeDir),
        realised: new Map(goal.outputPaths),
        inputOutputs: inputOutputs(graph, goal),
        check: goal.check,
        signal: stop.signal,
        guard,
        onStart,
        onBuilderEnd: releasePlace,
        defer: (cleanUp) => void later.push(cleanUp),
        onLine: (line) => report({ kind: "log", id, line }),
        onProgress: (amount, total) => report({ kind: "progress", id, done: amount, ...(total === undefined ? {} : { total }) }),
      };
      if (place !== undefined) onStart();
      const result = place === undefined ? await buildDerivation(store, build, options) : await place.build(store, build);
      outcome = result.kind === "built" ? "done" : "failed";
      if (result.kind === "built" && hasUnknownOutputs(goal.derivation)) await keepOutputs(store, goal, result.outputs);
      if (result.kind === "built") await options.afterBuild?.({ drvPath: goal.path, outputs: [...result.outputs.values()], signal: stop.signal });
      if (result.kind === "failed") {
        failures.set(goal, result);
        // Where there is no sandbox every further build would fail the same way.
        const hopeless = result.cause instanceof TsosError && result.cause.code === "build.no-sandbox";
        if (!options.keepGoing || hopeless) stop.abort(result.cause);
      }
    } finally {
      if (started) report({ kind: "stop", id, outcome });
      for (const cleanUp of later) cleanUps.push(cleanUp().catch(reportLeftover));
    }
  }

  /** The collector removes it later. */
  function reportLeftover(error: unknown): void {
    report({ kind: "message", level: "warning", text: `a build's folder could not be removed: ${error instanceof Error ? error.message : String(error)}` });
  }

  let running = 0;
  let broken: unknown;
  let finish: () => void;
  const finished = new Promise<void>((resolve) => (finish = resolve));
  const start = (goal: Step): void => {
    running++;
    void achieve(goal)
      .then(() => {
        if (goal.kind === "build" ? failures.has(goal) : unserved.has(goal)) return;
        report({ kind: "progress", id: whole, done: ++done, total: goals.length });
        for (const user of goal.neededBy) {
          const left = waiting.get(user)! - 1;
          waiting.set(user, left);
          if (left === 0 && user.kind === "build" && !stop.signal.aborted) start(user);
        }
      })
      .catch((error: unknown) => {
        // What is cancelled is no failure of its own; anything else (a full disk, a bug) ends the run.
        if (stop.signal.aborted) return;
        broken = error;
        stop.abort(error);
      })
      .finally(() => {
        if (--running === 0) finish();
      });
  };

  let outcome: "done" | "failed" | "cancelled" = "failed";
  try {
    // Substitutions need not wait for one another: the store registers each after those that were begun before it.
    for (const goal of goals) if (goal.kind === "substitute" || goal.needs.size === 0) start(goal);
    if (running > 0) await finished;
    await Promise.all(cleanUps);
    if (options.signal?.aborted) {
      outcome = "cancelled";
      throw options.signal.reason;
    }
    if (broken !== undefined) throw broken;
    if (failures.size > 0) throw makeBuildError(graph, failures, { storeDir: store.storeDir, keepGoing: options.keepGoing === true });
    if (done < goals.length && lost.size === 0) throw cycle(goals.filter((goal) => waiting.get(goal)! > 0), store.storeDir);
    outcome = "done";
  } finally {
    options.signal?.removeEventListener("abort", onAbort);
    report({ kind: "stop", id: whole, outcome });
  }
}

function activityOf(goal: Goal): ProgressActivity {
  const { builder } = goal.derivation;
  if (builder.startsWith(`${BUILTIN_PREFIX}fetch`)) return "fetch";
  return builder.startsWith(`${BUILTIN_PREFIX}unpack`) ? "unpack" : "build";
}

/** Derivations are named by their contents, and a cache's paths refer to earlier ones: no honest tool makes a cycle. */
function cycle(goals: readonly Step[], storeDir: string): TsosError {
  const names = goals.map((goal) => `"${formatStorePath(goal.path, storeDir)}"`);
  return new TsosError({ code: "build.cycle", message: `these need one another: ${names.join(", ")}`, data: { derivations: names } });
}

function noMachine(goal: Goal, storeDir: string): TsosError {
  const path = formatStorePath(goal.path, storeDir);
  return new TsosError({
    code: "build.no-machine",
    message: `it is for "${goal.derivation.platform}": nothing is to be built on this machine, and no other machine builds it`,
    hint: "allow jobs here (--jobs 1), or name a machine with --builders",
    data: { derivation: path },
  });
}
