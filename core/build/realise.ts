import { setMaxListeners } from "node:events";
import { TsosError } from "../error/tsos-error.ts";
import type { BuildService } from "../store/build-service.ts";
import type { LocalStore, PathLocks } from "../store/store.ts";
import { serviceOptions } from "./service-options.ts";
import { toldOutputPaths } from "./told-outputs.ts";
import { formatStorePath, storePathName, type StorePath } from "../store-path/store-path.ts";
import { createActivityIds, type ProgressActivity, type ProgressEvent } from "../util/progress.ts";
import { buildDerivation, BUILTIN_PREFIX, canBuildHere, type BuildFailure, type DerivationBuild } from "./build-derivation.ts";
import { hasUnknownOutputs, resolveDerivation } from "../derivation/resolve-derivation.ts";
import type { Realisation } from "../narinfo/realisation.ts";
import { makeBuildError, type FailureReport } from "./build-error.ts";
import { readBuildGraph, type BuildGraph, type BuildTarget, type Goal, type Step, type Substitution } from "./build-graph.ts";
import type { BuildOptions } from "./build-options.ts";
import { createBuilderGuard, type BuilderGuard } from "./builder-guard.ts";
import { derivationAttribute, isFixedOutput } from "./builder-environment.ts";
import { keepSpace } from "./space-keeper.ts";
import { findOtherSource, sourceUrls } from "./fetched-sources.ts";
import type { RemotePlace } from "./remote-builders.ts";
import { createLimiter } from "../util/limiter.ts";

/** Derivation → output name → path, of all outputs that were asked for. */
export type RealisedOutputs = ReadonlyMap<StorePath, ReadonlyMap<string, StorePath>>;

const DEFAULT_BUILTIN_JOBS = 16;
const DEFAULT_SUBSTITUTION_JOBS = 16;

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
  return await realiseWith(store, targets, options, { nextId: createActivityIds(), guard });
}

/** What all builds of a call share, those of resolved derivations too. */
type Shared = { readonly nextId: () => number; readonly guard: BuilderGuard };

async function realiseWith(store: LocalStore, targets: readonly BuildTarget[], options: BuildOptions, shared: Shared): Promise<RealisedOutputs> {
  options.signal?.throwIfAborted();
  if (store.builds !== undefined) return realiseByService(store, store.builds, targets, options);
  const lost = new Set<StorePath>();
  const read = (): Promise<BuildGraph> => readBuildGraph(store, targets, { check: options.check === true || options.repair === true, substituter: options.substituter, contentAddressed: options.contentAddressed, lost, signal: options.signal });
  let graph = await read();
  await reportOtherSources(store, graph, options);
  while (!isDone(graph)) {
    const before = lost.size;
    await run(store, graph, options, lost, shared);
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

/** By the daemon of a store that this process may not write. */
async function realiseByService(store: LocalStore, builds: BuildService, targets: readonly BuildTarget[], options: BuildOptions): Promise<RealisedOutputs> {
  const wanted = targets.map(({ drvPath, outputs }) => ({ drvPath, outputs: outputs === undefined ? undefined : [...outputs] }));
  await store.addTemporaryRoot(...wanted.map(({ drvPath }) => drvPath));
  await builds.realise(
    wanted.map(({ drvPath, outputs }) => ({ kind: "derivation", path: drvPath, outputs })),
    serviceOptions(options),
  );
  const realised = await Promise.all(
    wanted.map(async ({ drvPath, outputs }) => {
      const all = await store.queryDerivationOutputs(drvPath);
      return [drvPath, new Map([...all].filter(([name]) => outputs === undefined || outputs.includes(name)))] as const;
    }),
  );
  await store.addTemporaryRoot(...realised.flatMap(([, outputs]) => [...outputs.values()]));
  return new Map(realised);
}

/** Fixed outputs that are here already, with a URL that nobody fetched them from. */
async function reportOtherSources(store: LocalStore, graph: BuildGraph, { report }: BuildOptions): Promise<void> {
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

function isDone(graph: BuildGraph): boolean {
  return graph.substitutions.size === 0 && ![...graph.goals.values()].some((goal) => goal.build);
}

/** @param lost gets the paths that no substituter gave; what needs them is left undone */
async function run(store: LocalStore, graph: BuildGraph, options: BuildOptions, lost: Set<StorePath>, shared: Shared): Promise<void> {
  const { nextId, guard } = shared;
  const goals: readonly Step[] = [...graph.substitutions.values(), ...[...graph.goals.values()].filter((goal) => goal.build)];
  const report = (event: ProgressEvent): void => options.report?.(event);
  const builders = createLimiter(Math.max(1, options.jobs));
  const builtins = createLimiter(options.builtinJobs ?? DEFAULT_BUILTIN_JOBS);
  const transfers = createLimiter(options.substitutionJobs ?? DEFAULT_SUBSTITUTION_JOBS);

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
    const limiter = step.kind === "substitute" ? transfers : step.derivation.builder.startsWith(BUILTIN_PREFIX) ? builtins : builders;
    const place = step.kind === "build" ? await takePlace(step) : undefined;
    if (place === undefined && limiter === builders && options.jobs === 0) throw noMachine(step as Goal, store.storeDir);
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
    if (options.remoteBuilders === undefined || goal.check || derivation.builder.startsWith(BUILTIN_PREFIX) || mustBeResolved(graph, goal) || hasUnknownOutputs(derivation)) return undefined;
    const here = canBuildHere(derivation, options);
    if (here && [true, "1"].includes(derivationAttribute(derivation, "preferLocalBuild") as string | boolean)) return undefined;
    return options.remoteBuilders.take(derivation, { canBuildHere: here, signal: stop.signal });
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

  /** Builds what a goal is once its inputs are known, and remembers that the goal is that. */
  async function buildResolved(goal: Goal): Promise<void> {
    const resolved = resolveDerivation(goal.derivation, (input, output) => graph.goals.get(input)!.outputPaths.get(output)!, store.storeDir);
    const path = await store.writeDerivation(resolved);
    report({ kind: "message", level: "debug", text: `resolved derivation: '${formatStorePath(goal.path, store.storeDir)}' -> '${formatStorePath(path, store.storeDir)}'` });
    try {
      // The place that this one has is for it: it has no inputs to be built.
      const outputs = await realiseWith(store, [{ drvPath: path }], { ...options, jobs: Math.max(1, options.jobs), check: goal.check, signal: stop.signal }, shared);
      await keepOutputs(store, goal, outputs.get(path)!);
      // A derivation that waited for floating inputs only has paths of its own, and is kept under both names all the same.
      if (!hasUnknownOutputs(resolved) && hasUnknownOutputs(goal.derivation)) await registerOutputs(store, path, outputs.get(path)!);
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
    report({ kind: "start", id, parent: whole, activity: activityOf(goal), subject: goal.derivation.name, path: formatStorePath(goal.path, store.storeDir) });
    let outcome: "done" | "failed" | "cancelled" = "cancelled";
    try {
      if (place !== undefined) report({ kind: "message", level: "notice", text: `building "${goal.derivation.name}" on "${place.name}"` });
      const build: DerivationBuild = {
        path: goal.path,
        derivation: goal.derivation,
        outputPaths: toldOutputPaths(goal.path, goal.derivation, store.storeDir),
        realised: new Map(goal.outputPaths),
        inputOutputs: inputOutputs(graph, goal),
        check: goal.check,
        signal: stop.signal,
        guard,
        onBuilderEnd: releasePlace,
        defer: (cleanUp) => void later.push(cleanUp),
        onLine: (line) => report({ kind: "log", id, line }),
        onProgress: (amount, total) => report({ kind: "progress", id, done: amount, ...(total === undefined ? {} : { total }) }),
      };
      const result = place === undefined ? await buildDerivation(store, build, options) : await place.build(store, build);
      outcome = result.kind === "built" ? "done" : "failed";
      if (result.kind === "built" && hasUnknownOutputs(goal.derivation)) await keepOutputs(store, goal, result.outputs);
      if (result.kind === "failed") {
        failures.set(goal, result);
        // Where there is no sandbox every further build would fail the same way.
        const hopeless = result.cause instanceof TsosError && result.cause.code === "build.no-sandbox";
        if (!options.keepGoing || hopeless) stop.abort(result.cause);
      }
    } finally {
      report({ kind: "stop", id, outcome });
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
    if (failures.size > 0) throw makeBuildError(graph, failures, store.storeDir);
    if (done < goals.length && lost.size === 0) throw cycle(goals.filter((goal) => waiting.get(goal)! > 0), store.storeDir);
    outcome = "done";
  } finally {
    options.signal?.removeEventListener("abort", onAbort);
    report({ kind: "stop", id: whole, outcome });
  }
}

/** Known paths are locked; of others what would be built, as Nix does. What is resolved first is locked as what it turns out to be, then. */
function lockedPaths(graph: BuildGraph, goal: Goal): StorePath[] {
  const { path, derivation, outputPaths } = goal;
  const byName = mustBeResolved(graph, goal) || hasUnknownOutputs(derivation);
  return [...derivation.outputs.keys()].map((name) => (byName ? (`${path}.${name}` as StorePath) : outputPaths.get(name)!));
}

/** Whether another process has built it meanwhile. */
async function isComplete(store: LocalStore, goal: Goal): Promise<boolean> {
  if (hasUnknownOutputs(goal.derivation)) for (const [name, path] of await store.queryDerivationOutputs(goal.path)) goal.outputPaths.set(name, path);
  const paths = [...goal.outputPaths.values()];
  return goal.outputPaths.size === goal.derivation.outputs.size && (await store.queryValidPaths(paths)).size === new Set(paths).size;
}

/** Whether what it builds is known only by what its inputs turned out to be. */
function mustBeResolved(graph: BuildGraph, { derivation }: Goal): boolean {
  // Its own path is still to be computed.
  if ([...derivation.outputs.values()].some(({ kind }) => kind === "deferred")) return true;
  if (derivation.inputDerivations.size === 0) return false;
  if (hasUnknownOutputs(derivation)) return true;
  return [...derivation.inputDerivations.keys()].some((path) => hasUnknownOutputs(graph.goals.get(path)!.derivation));
}

/** For those who use it, and for those who ask for it another time. */
async function keepOutputs(store: LocalStore, goal: Goal, outputs: ReadonlyMap<string, StorePath>): Promise<void> {
  for (const [output, path] of outputs) goal.outputPaths.set(output, path);
  if (hasUnknownOutputs(goal.derivation)) await registerOutputs(store, goal.path, outputs);
}

async function registerOutputs(store: LocalStore, derivation: StorePath, outputs: ReadonlyMap<string, StorePath>): Promise<void> {
  const realisations: Realisation[] = [];
  for (const [output, path] of outputs) {
    const id = await store.findOutputId(derivation, output);
    if (id !== undefined) realisations.push({ ...id, path, signatures: [] });
  }
  if (realisations.length > 0) await store.registerRealisations(realisations);
}

function inputOutputs(graph: BuildGraph, goal: Goal): readonly StorePath[] {
  return [...goal.derivation.inputDerivations].flatMap(([path, names]) => {
    const input = graph.goals.get(path)!;
    return [...names].map((name) => input.outputPaths.get(name)!);
  });
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
    message: `"${path}" is for "${goal.derivation.platform}": nothing is to be built on this machine, and no other machine builds it`,
    hint: "allow jobs here (--jobs 1), or name a machine with --builders",
    data: { derivation: path },
  });
}
