import { maySubstitute } from "../../build/derivation-attributes.ts";
import { createBuilderGuard } from "../../build/builder-guard.ts";
import { buildDerivation } from "../../build/build-derivation.ts";
import { readBuildGraph, type BuildTarget } from "../../build/build-graph.ts";
import type { FailureReport } from "../../build/build-error.ts";
import { realise } from "../../build/realise.ts";
import { repairPath } from "../../build/repair-path.ts";
import { substitutePaths } from "../../build/substitute-paths.ts";
import type { Derivation } from "../../derivation/derivation.ts";
import { hasUnknownOutputs } from "../../derivation/resolve-derivation.ts";
import type { LocalStore } from "../../store/store.ts";
import { derivationOutputPaths } from "../../derivation/derivation-output-paths.ts";
import { TsosError } from "../../error/tsos-error.ts";
import { formatStorePath, isDerivationPath, type StorePath } from "../../store-path/store-path.ts";
import { readBasicDerivation } from "../wire/basic-derivation.ts";
import { NO_DERIVATION_HASH, writeBuildResult, type BuildStatus, type BuiltOutputResult, type WireBuildResult } from "../wire/build-result.ts";
import { formatDerivedPath, parseDerivedPath, type DerivedPath } from "../wire/derived-path.ts";
import { readPath, writePaths } from "../wire/path-codec.ts";
import { protocolError } from "../wire/wire-reader.ts";
import { refuse } from "./refuse.ts";
import type { Session } from "./session.ts";

type BuildMode = "normal" | "repair" | "check";

async function readMode({ reader }: Session): Promise<BuildMode> {
  const number = await reader.number();
  const mode = (["normal", "repair", "check"] as const)[number];
  if (mode === undefined) throw protocolError(`${number} is no mode of a build`);
  return mode;
}

function checkMode({ trusted }: Session, mode: BuildMode): void {
  if (mode === "repair" && !trusted) throw refuse("repairing is not allowed because you are not in 'trusted-users'");
}

async function readDerivedPaths({ reader, store }: Session): Promise<DerivedPath[]> {
  return reader.list(async () => parseDerivedPath(await reader.string(65_536), store.storeDir));
}

export async function buildPaths(session: Session): Promise<void> {
  const targets = await readDerivedPaths(session);
  const mode = await readMode(session);
  await session.work(async () => {
    checkMode(session, mode);
    await achieve(session, targets, mode);
  });
  session.writer.number(1);
}

async function achieve(session: Session, targets: readonly DerivedPath[], mode: BuildMode): Promise<void> {
  const { store } = session;
  const options = { ...(await session.buildOptions()), check: mode === "check", repair: mode === "repair" };
  const opaque = targets.flatMap((target) => (target.kind === "opaque" ? [target.path] : []));
  const built = targets.flatMap((target): BuildTarget[] => (target.kind === "built" ? [target] : []));
  // A derivation itself may have to be fetched.
  const wanted = [...opaque, ...built.map(({ drvPath }) => drvPath)];
  const valid = await store.queryValidPaths(wanted);
  const missing = wanted.filter((path) => !valid.has(path));
  await store.addTemporaryRoot(...wanted);
  if (missing.length > 0) await substitutePaths(store, missing, options);
  if (mode === "repair") for (const path of opaque) await repairPath(store, path, { substituter: options.substituter, build: options, signal: session.signal });
  if (built.length > 0) await realise(store, mergeTargets(built), options);
  await store.flush();
}

/** One target a derivation. */
function mergeTargets(targets: readonly BuildTarget[]): BuildTarget[] {
  const merged = new Map<StorePath, Set<string> | undefined>();
  for (const { drvPath, outputs } of targets) {
    if (outputs === undefined || (merged.has(drvPath) && merged.get(drvPath) === undefined)) merged.set(drvPath, undefined);
    else merged.set(drvPath, new Set([...(merged.get(drvPath) ?? []), ...outputs]));
  }
  return [...merged].map(([drvPath, outputs]) => ({ drvPath, outputs }));
}

export async function buildPathsWithResults(session: Session): Promise<void> {
  const { store, writer } = session;
  const targets = await readDerivedPaths(session);
  const mode = await readMode(session);
  const results = await session.work(async () => {
    checkMode(session, mode);
    const startTime = now();
    const before = await validOutputs(session, targets);
    let failure: TsosError | undefined;
    try {
      await achieve(session, targets, mode);
    } catch (error) {
      session.signal.throwIfAborted();
      if (!(error instanceof TsosError)) throw error;
      failure = error;
    }
    return Promise.all(targets.map((target) => resultOf(session, target, before, failure, startTime)));
  });
  writer.list(results, ({ target, result }) => {
    writer.string(formatDerivedPath(target, store.storeDir));
    writeBuildResult(writer, result, session);
  });
}

const now = (): number => Math.floor(Date.now() / 1000);

async function outputsOf({ store }: Session, target: DerivedPath): Promise<ReadonlyMap<string, StorePath>> {
  if (target.kind === "opaque" || !(await store.isValidPath(target.drvPath))) return new Map();
  const all = await store.queryDerivationOutputs(target.drvPath);
  return target.outputs === undefined ? all : new Map([...all].filter(([name]) => target.outputs!.includes(name)));
}

async function validOutputs(session: Session, targets: readonly DerivedPath[]): Promise<ReadonlySet<StorePath>> {
  const paths = await Promise.all(targets.map(async (target) => (target.kind === "opaque" ? [target.path] : [...(await outputsOf(session, target)).values()])));
  return session.store.queryValidPaths(paths.flat());
}

async function resultOf(session: Session, target: DerivedPath, before: ReadonlySet<StorePath>, failure: TsosError | undefined, startTime: number): Promise<{ readonly target: DerivedPath; readonly result: WireBuildResult }> {
  const { store } = session;
  const outputs = await outputsOf(session, target);
  const paths = target.kind === "opaque" ? [target.path] : [...outputs.values()];
  const complete = paths.length > 0 && (await store.queryValidPaths(paths)).size === new Set(paths).size;
  const failed = failure !== undefined && (!complete || reportsOf(failure).some((report) => target.kind === "built" && report.derivation === formatStorePath(target.drvPath, store.storeDir)));
  if (failed) {
    const { status, message } = describeFailure(failure, target, store.storeDir);
    return { target, result: makeResult({ status, errorMessage: message, isNonDeterministic: status === "NotDeterministic", startTime }) };
  }
  const infos = await Promise.all(paths.map((path) => store.findPathInfo(path)));
  const status: BuildStatus = paths.every((path) => before.has(path)) ? "AlreadyValid" : infos.some((info) => info?.ultimate === true) ? "Built" : "Substituted";
  return { target, result: makeResult({ status, timesBuilt: status === "Built" ? 1 : 0, startTime, builtOutputs: await describeOutputs(store, target.kind === "built" ? target.drvPath : undefined, outputs) }) };
}

/** Realisations as a client keeps them; only of floating outputs does the hash matter, which costs reading all derivations below. */
async function describeOutputs(store: LocalStore, drvPath: StorePath | undefined, outputs: ReadonlyMap<string, StorePath>): Promise<ReadonlyMap<string, BuiltOutputResult>> {
  const described = new Map<string, BuiltOutputResult>();
  for (const [name, path] of outputs) {
    const isKept = drvPath !== undefined && (await store.queryRealisationsOf(path)).length > 0;
    const id = isKept ? await store.findOutputId(drvPath, name) : undefined;
    described.set(name, { path, derivationHash: id?.derivationHash ?? NO_DERIVATION_HASH, signatures: [] });
  }
  return described;
}

function makeResult(parts: Pick<WireBuildResult, "status" | "startTime"> & Partial<WireBuildResult>): WireBuildResult {
  return { errorMessage: "", timesBuilt: 0, isNonDeterministic: false, stopTime: now(), builtOutputs: new Map(), ...parts };
}

function reportsOf(error: TsosError): readonly FailureReport[] {
  return error.code === "build.failed" ? (error.data["failures"] as readonly FailureReport[]) : [];
}

function describeFailure(error: TsosError, target: DerivedPath, storeDir: string): { readonly status: BuildStatus; readonly message: string } {
  const reports = reportsOf(error);
  if (reports.length === 0) return { status: error.code === "build.no-substitute" ? "NoSubstituters" : "MiscFailure", message: error.message };
  const own = reports.findIndex((report) => target.kind === "built" && report.derivation === formatStorePath(target.drvPath, storeDir));
  if (own < 0) return { status: "DependencyFailed", message: error.message };
  const cause = error.cause instanceof AggregateError ? (error.cause.errors as readonly unknown[])[own] : error.cause;
  return { status: failureStatus(cause), message: reports.length === 1 ? error.message : reports[own]!.reason };
}

function failureStatus(cause: unknown): BuildStatus {
  switch (cause instanceof TsosError ? cause.code : "") {
    case "store.hash-mismatch":
    case "fetch.hash-mismatch":
    case "build.output-missing":
    case "build.writable-output":
    case "build.forbidden-reference":
    case "build.output-too-large":
    case "store.executable-output":
    case "store.not-a-file":
    case "store.special-file":
      return "OutputRejected";
    case "build.timed-out":
    case "build.silent":
      return "TimedOut";
    case "build.log-too-long":
      return "LogLimitExceeded";
    case "build.not-deterministic":
      return "NotDeterministic";
    case "build.wrong-platform":
    case "build.no-sandbox":
    case "build.unknown-builtin":
      return "InputRejected";
    default:
      return "PermanentFailure";
  }
}

/**
 * Builds a derivation that comes with the request. An untrusted client may have built only what its contents will
 * prove; that is written to the store first, so that it has a name that follows from what it is.
 */
export async function buildDerivationOfClient(session: Session): Promise<void> {
  const { store, trusted } = session;
  const named = await readPath(session.reader, store.storeDir);
  const derivation = await readBasicDerivation(session.reader, named, store.storeDir);
  const mode = await readMode(session);
  const result = await session.work(async () => {
    checkMode(session, mode);
    if (!isDerivationPath(named)) throw refuse(`"${formatStorePath(named, store.storeDir)}" is not the path of a derivation`);
    const provesItself = derivation.outputs.size > 0 && [...derivation.outputs.values()].every((output) => output.kind === "fixed" || output.kind === "floating");
    if (!provesItself && !trusted) throw refuse("you are not privileged to build input-addressed derivations");
    const startTime = now();
    const path = trusted ? named : await store.writeDerivation(derivation);
    return buildDerivationAt(session, path, derivation, mode, startTime);
  });
  writeBuildResult(session.writer, result, session);
}

/** What a build needs of a client's connection. */
export type BuildSession = Pick<Session, "store" | "signal" | "buildOptions"> & { readonly messages: Pick<Session["messages"], "report"> };

export async function buildDerivationAt(session: BuildSession, path: StorePath, derivation: Derivation, mode: BuildMode, startTime: number): Promise<WireBuildResult> {
  if (hasUnknownOutputs(derivation)) return buildFloating(session, derivation, mode, startTime);
  const outputs = new Map<string, StorePath>();
  for (const [name, output] of derivationOutputPaths(derivation, session.store.storeDir)) if (output !== undefined) outputs.set(name, output);
  return buildOne(session, path, derivation, outputs, mode, startTime);
}

/** What its outputs are is remembered under its own name, so it is written to the store. */
async function buildFloating({ store, buildOptions }: BuildSession, derivation: Derivation, mode: BuildMode, startTime: number): Promise<WireBuildResult> {
  const path = await store.writeDerivation(derivation);
  const before = (await store.queryDerivationOutputs(path)).size === derivation.outputs.size;
  try {
    const outputs = await realise(store, [{ drvPath: path }], { ...(await buildOptions()), check: mode === "check" });
    await store.flush();
    const status: BuildStatus = before && mode !== "check" ? "AlreadyValid" : "Built";
    return makeResult({ status, timesBuilt: status === "Built" ? 1 : 0, startTime, builtOutputs: await describeOutputs(store, path, outputs.get(path)!) });
  } catch (error) {
    if (!(error instanceof TsosError) || error.code !== "build.failed") throw error;
    const status = failureStatus(error.cause);
    return makeResult({ status, errorMessage: error.message, isNonDeterministic: status === "NotDeterministic", startTime });
  }
}

async function buildOne(session: BuildSession, path: StorePath, derivation: Derivation, outputs: ReadonlyMap<string, StorePath>, mode: BuildMode, startTime: number): Promise<WireBuildResult> {
  const { store, signal, messages } = session;
  const options = await session.buildOptions();
  const paths = [...outputs.values()];
  const builtOutputs = await describeOutputs(store, undefined, outputs);
  await store.addTemporaryRoot(path, ...paths, ...derivation.inputSources);
  await using locks = await store.lockPaths(paths, { signal });
  const complete = (await store.queryValidPaths(paths)).size === new Set(paths).size;
  if (complete && mode !== "check") return makeResult({ status: "AlreadyValid", startTime, builtOutputs });
  if (!complete && options.substituter !== undefined && maySubstitute(derivation)) {
    const found = await options.substituter.query(paths, signal);
    if (found.size === new Set(paths).size) {
      locks.release();
      await substitutePaths(store, paths, options, { keepGoing: true });
      if ((await store.queryValidPaths(paths)).size === new Set(paths).size) return makeResult({ status: "Substituted", startTime, builtOutputs });
      return buildOne({ ...session, buildOptions: async () => ({ ...options, substituter: undefined }) }, path, derivation, outputs, mode, startTime);
    }
  }
  const later: (() => Promise<void>)[] = [];
  using guard = createBuilderGuard();
  const id = 1;
  messages.report({ kind: "start", id, activity: "build", subject: derivation.name, path: formatStorePath(path, store.storeDir) });
  const result = await buildDerivation(
    store,
    {
      path,
      derivation,
      outputPaths: outputs,
      inputOutputs: [],
      check: complete,
      signal,
      guard,
      onStart: () => {},
      onBuilderEnd: () => {},
      defer: (cleanUp) => void later.push(cleanUp),
      onLine: (line) => messages.report({ kind: "log", id, line }),
      onProgress: () => {},
    },
    options,
  ).finally(() => Promise.all(later.map((cleanUp) => cleanUp())));
  messages.report({ kind: "stop", id, outcome: result.kind === "built" ? "done" : "failed" });
  if (result.kind === "built") {
    await store.flush();
    return makeResult({ status: "Built", timesBuilt: 1, startTime, builtOutputs });
  }
  const status = failureStatus(result.cause);
  const reason = result.cause instanceof Error ? result.cause.message : String(result.cause);
  const tail = result.lastLines.length === 0 ? "" : `; its last lines:\n${result.lastLines.map((line) => `> ${line}`).join("\n")}`;
  return makeResult({ status, errorMessage: `${reason}${tail}`, isNonDeterministic: status === "NotDeterministic", startTime });
}

export async function ensurePath(session: Session): Promise<void> {
  const path = await readPath(session.reader, session.store.storeDir);
  await session.work(async () => substitutePaths(session.store, [path], await session.buildOptions()));
  session.writer.number(1);
}

/** What would be built and fetched. */
export async function queryMissing(session: Session): Promise<void> {
  const { store, writer, signal } = session;
  const targets = await readDerivedPaths(session);
  const missing = await session.work(async () => {
    const { substituter, contentAddressed } = await session.buildOptions();
    const known = await store.queryValidPaths(targets.map((target) => (target.kind === "opaque" ? target.path : target.drvPath)));
    const unknown = new Set<StorePath>();
    const built: BuildTarget[] = [];
    const opaque: StorePath[] = [];
    for (const target of targets) {
      if (target.kind === "built") {
        if (known.has(target.drvPath)) built.push(target);
        else unknown.add(target.drvPath);
      } else if (!known.has(target.path)) opaque.push(target.path);
    }
    const graph = await readBuildGraph(store, mergeTargets(built), { check: false, contentAddressed, substituter, signal });
    const fetched = new Map([...graph.substitutions.values()].map(({ path, source }) => [path, source]));
    const seen = new Set(opaque);
    for (let level = opaque; level.length > 0; ) {
      const found = await substituter?.query(level, signal);
      for (const path of level) {
        const source = found?.get(path);
        if (source === undefined) unknown.add(path);
        else fetched.set(path, source);
      }
      const next = [...new Set([...(found?.values() ?? [])].flatMap(({ info }) => info.references))].filter((path) => !seen.has(path));
      for (const path of next) seen.add(path);
      const valid = await store.queryValidPaths(next);
      level = next.filter((path) => !valid.has(path));
    }
    return { build: [...graph.goals.values()].filter((goal) => goal.build).map(({ path }) => path), fetched, unknown };
  });
  writePaths(writer, missing.build, store.storeDir);
  writePaths(writer, missing.fetched.keys(), store.storeDir);
  writePaths(writer, missing.unknown, store.storeDir);
  const sources = [...missing.fetched.values()];
  writer.number(sources.reduce((sum, source) => sum + (source.downloadSize ?? 0), 0)).number(sources.reduce((sum, source) => sum + source.info.narSize, 0));
}
