import { accessSync, constants, mkdirSync, writeFileSync } from "node:fs";
import { chmod, cp, lstat, mkdir, rename } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Derivation } from "../derivation/derivation.ts";
import { TsosError } from "../error/tsos-error.ts";
import { formatHash } from "../hash/hash.ts";
import { dumpPath, narHashOfPath } from "../nar/dump-path.ts";
import type { NewPathInfo } from "../store/path-info.ts";
import { scan } from "../store/register-build-outputs.ts";
import type { BuiltOutput, LocalStore } from "../store/store.ts";
import { formatStorePath, splitStorePath, type StorePath } from "../store-path/store-path.ts";
import { fromByteString } from "../util/bytes.ts";
import { compareByteStrings } from "../util/ordering.ts";
import { createLineSplitter } from "../util/line-splitter.ts";
import { runProcess } from "../util/process.ts";
import { openBuildLog, type BuildLogWriter } from "./build-log.ts";
import type { BuildOptions } from "./build-options.ts";
import type { BuilderGuard } from "./builder-guard.ts";
import { derivationAttribute, derivationList, isFixedOutput, makeBuilderEnvironment, type BuilderEnvironment } from "./builder-environment.ts";
import { watchLimits } from "./build-limits.ts";
import { recordFetch } from "./fetched-sources.ts";
import { compareTrees } from "./compare-trees.ts";
import { createInputPaths } from "./builtin-inputs.ts";
import { fillPlaceholders } from "./told-outputs.ts";
import { checkAttributes, checkOutputs, discardsReferences } from "./reference-checks.ts";
import { prepareSandbox, SANDBOX_BUILD_FOLDER, sandboxUnavailable, SCRATCH_FOLDERS } from "./sandbox.ts";

export const BUILTIN_PREFIX = "builtin:";

/** One derivation, all its inputs valid, its outputs' locks held. */
export type DerivationBuild = {
  readonly path: StorePath;
  readonly derivation: Derivation;
  /** What the builder is told (`toldOutputPaths`). */
  readonly outputPaths: ReadonlyMap<string, StorePath>;
  /** What floating outputs turned out to be before, where that is to be compared. */
  readonly realised?: ReadonlyMap<string, StorePath> | undefined;
  /** The outputs of input derivations that it uses. */
  readonly inputOutputs: readonly StorePath[];
  /** Its outputs are valid: build again beside them and compare. */
  readonly check: boolean;
  readonly signal: AbortSignal;
  /** Of the run that this build is part of. */
  readonly guard: BuilderGuard;
  /** The builder has ended; what is left to do (hashing, registering) takes no builder's place. */
  onBuilderEnd(): void;
  /** Takes what may be done later, when others do not wait for it. */
  defer(cleanUp: () => Promise<void>): void;
  onLine(line: string): void;
  onProgress(done: number, total?: number): void;
};

/** How a build ended that did not end well; beside its cause. */
export type BuildFailure = {
  readonly cause: unknown;
  readonly logFile: string;
  readonly lastLines: readonly string[];
  /** Where the build folder was kept. */
  readonly keptFolder?: string | undefined;
};

export type BuildResult = { readonly kind: "built"; /** What the outputs are now. */ readonly outputs: ReadonlyMap<string, StorePath> } | ({ readonly kind: "failed" } & BuildFailure);

const LAST_LINES = 25;

/**
 * Builds one derivation and registers its outputs, or with `check` compares them.
 *
 * @throws the signal's reason when it was aborted; all else is a result
 */
export async function buildDerivation(store: LocalStore, build: DerivationBuild, options: BuildOptions): Promise<BuildResult> {
  using log = openBuildLog(store.logDir, build.path);
  const lastLines: string[] = [];
  const onLine = (line: string): void => {
    if (lastLines.push(line) > LAST_LINES) lastLines.shift();
    build.onLine(line);
  };
  let keptFolder: string | undefined;
  try {
    const scratch = await store.createTemporaryFolder();
    build.defer(async () => await scratch[Symbol.asyncDispose]());
    let outputs: ReadonlyMap<string, StorePath>;
    try {
      outputs = await buildIn(scratch.path, store, build, options, log, onLine);
    } catch (error) {
      if (options.keepFailed && !build.signal.aborted) keptFolder = await keepBuildFolder(join(scratch.path, SCRATCH_FOLDERS.build), build.derivation.name);
      throw error;
    }
    return { kind: "built", outputs };
  } catch (cause) {
    build.signal.throwIfAborted();
    return { kind: "failed", cause, logFile: log.file, lastLines, keptFolder };
  }
}

async function buildIn(
  scratch: string,
  store: LocalStore,
  build: DerivationBuild,
  options: BuildOptions,
  log: BuildLogWriter,
  onLine: (line: string) => void,
): Promise<ReadonlyMap<string, StorePath>> {
  const { outputPaths } = build;
  checkAttributes(build.derivation);
  const derivation = fillPlaceholders(build.derivation, outputPaths, store.storeDir);
  const inputs = await store.closure([...derivation.inputSources, ...build.inputOutputs]);
  const outputs = new Map([...outputPaths].map(([name, path]) => [name, join(scratch, SCRATCH_FOLDERS.store, path)]));

  if (derivation.builder.startsWith(BUILTIN_PREFIX)) {
    await runBuiltin(scratch, store, { ...build, derivation }, options, { outputs, inputs }, (line) => {
      log.write(Buffer.from(`${line}\n`));
      onLine(line);
    });
  } else {
    checkPlatform(derivation, options);
    const environment = await makeBuilderEnvironment(store, {
      derivation,
      outputPaths,
      inputs,
      buildFolder: SANDBOX_BUILD_FOLDER,
      cores: options.cores,
      impure: options.environment ?? {},
    });
    await runSandboxed(scratch, store, { ...build, derivation }, options, { inputs, environment, log, onLine });
  }
  build.signal.throwIfAborted();
  build.onBuilderEnd();

  for (const [name, folder] of outputs) {
    const stats = await lstat(folder).catch((cause: unknown) => {
      throw new TsosError({
        code: "build.output-missing",
        message: `the builder did not make the output "${name}" ("${formatStorePath(outputPaths.get(name)!, store.storeDir)}")`,
        data: { output: name, path: formatStorePath(outputPaths.get(name)!, store.storeDir) },
        cause,
      });
    });
    // Others could have had their hands in it. Nix: libstore/unix/build/derivation-builder.cc, registerOutputs
    if (!stats.isSymbolicLink() && (stats.mode & 0o022) !== 0 && !derivation.builder.startsWith(BUILTIN_PREFIX)) {
      const path = formatStorePath(outputPaths.get(name)!, store.storeDir);
      throw new TsosError({
        code: "build.writable-output",
        message: `the output "${name}" ("${path}") may be written by a group or by everybody`,
        hint: "take the permission away at the end of the build (chmod go-w)",
        data: { output: name, path },
      });
    }
  }
  // What floating outputs are is known only when they are registered.
  const isFloating = [...derivation.outputs.values()].some(({ kind }) => kind === "floating");
  if (isFloating && options.repair === true) throw new TsosError({ code: "build.floating-repair", message: "floating content-addressed outputs are not repaired by building them again", hint: "take them from a binary cache that has them" });
  let registered = outputPaths;
  if (isFloating || !build.check) registered = await registerOutputs(store, build, outputs, inputs);
  else if (options.repair === true) await repairOutputs(store, build, outputs, inputs);
  else await compareOutputs(store, build, outputs);
  const fixed = build.outputPaths.get("out");
  if (fixed !== undefined) recordFetch(store, derivation, fixed);
  return registered;
}

async function registerOutputs(
  store: LocalStore,
  build: DerivationBuild,
  outputs: ReadonlyMap<string, string>,
  inputs: ReadonlySet<StorePath>,
): Promise<ReadonlyMap<string, StorePath>> {
  const { derivation } = build;
  const built = [...outputs].map(([name, folder]): BuiltOutput => {
    const output = derivation.outputs.get(name);
    const told = build.outputPaths.get(name);
    return {
      name,
      ...(output?.kind === "floating" ? { scratchPath: told, floating: output } : { path: told }),
      folder,
      discardReferences: discardsReferences(derivation, name),
      ownFiles: derivation.builder.startsWith(BUILTIN_PREFIX),
      ...(output?.kind === "fixed" ? { contentAddress: output.contentAddress } : {}),
    };
  });
  const registered = await store.registerBuildOutputs({
    derivationPath: build.path,
    outputs: built,
    candidates: inputs,
    async check(infos) {
      for (const [name, { path }] of infos) {
        const before = build.check ? build.realised?.get(name) : undefined;
        if (before !== undefined && before !== path) throw notDeterministic(`building again gave "${formatStorePath(path, store.storeDir)}" as the output "${name}", expected "${formatStorePath(before, store.storeDir)}"`, { output: name });
      }
      await checkOutputs(store, derivation, infos);
    },
    signal: build.signal,
  });
  return new Map([...registered].map(([name, { path }]) => [name, path]));
}

/** Puts what was built in the place of outputs that are not what is registered; the others stay. */
async function repairOutputs(store: LocalStore, build: DerivationBuild, outputs: ReadonlyMap<string, string>, inputs: ReadonlySet<StorePath>): Promise<void> {
  const candidates = [...inputs, ...build.outputPaths.values()];
  const infos = new Map<string, NewPathInfo>();
  for (const [name, folder] of outputs) {
    const path = build.outputPaths.get(name)!;
    const { narHash, narSize, references } = await scan(dumpPath(folder, { signal: build.signal }), candidates);
    const output = build.derivation.outputs.get(name);
    const contentAddress = output?.kind === "fixed" ? output.contentAddress : undefined;
    infos.set(name, { path, narHash, narSize, references: discardsReferences(build.derivation, name) ? [] : [...references].sort(compareByteStrings), deriver: build.path, contentAddress, ultimate: true });
  }
  await checkOutputs(store, build.derivation, infos);
  for (const [name, info] of infos) {
    if ((await store.verifyPath(info.path, { signal: build.signal })) === undefined) continue;
    // Through an archive: the files are fresh, so nobody has a descriptor of the build's to change them by.
    await store.addNarToStore(info, dumpPath(outputs.get(name)!, { signal: build.signal }), { repair: true, locked: true, signal: build.signal });
  }
}

/** @throws TsosError `build.not-deterministic` naming the outputs and files that differ */
async function compareOutputs(store: LocalStore, build: DerivationBuild, outputs: ReadonlyMap<string, string>): Promise<void> {
  const different: { output: string; files: readonly string[]; registered: string; rebuilt: string }[] = [];
  for (const [name, folder] of outputs) {
    const path = build.outputPaths.get(name)!;
    const known = await store.findPathInfo(path);
    // Only what is there is compared.
    if (known === undefined) continue;
    const { narHash } = known;
    const rebuilt = await narHashOfPath(folder);
    const [was, is] = [formatHash(narHash, "sri"), formatHash(rebuilt.hash, "sri")];
    if (was !== is) different.push({ output: name, files: await compareTrees(store.realPath(path), folder), registered: was, rebuilt: is });
  }
  if (different.length === 0) return;
  const list = different.flatMap(({ output, files }) => files.map((file) => `\n  ${output}: ${file}`)).join("");
  throw notDeterministic(`building again gave other contents; these files differ:${list}`, { different });
}

function notDeterministic(message: string, data: Readonly<Record<string, unknown>>): TsosError {
  return new TsosError({ code: "build.not-deterministic", message, data });
}

async function runBuiltin(
  scratch: string,
  store: LocalStore,
  build: DerivationBuild,
  options: BuildOptions,
  { outputs, inputs }: { readonly outputs: ReadonlyMap<string, string>; readonly inputs: ReadonlySet<StorePath> },
  onLine: (line: string) => void,
): Promise<void> {
  const { derivation } = build;
  const name = fromByteString(derivation.builder.slice(BUILTIN_PREFIX.length));
  const builder = options.builtins.get(name);
  if (builder === undefined) {
    throw new TsosError({
      code: "build.unknown-builtin",
      message: `there is no builtin builder "${name}", expected one of ${[...options.builtins.keys()].sort().join(", ")}`,
      data: { name },
    });
  }
  // Nix: libstore/builtins/fetchurl.cc. What comes from the network is what its hash says.
  if (name === "fetchurl" && !isFixedOutput(derivation)) {
    throw new TsosError({ code: "build.not-fixed", message: '"builtin:fetchurl" must have a fixed output', hint: "give the derivation an outputHash" });
  }
  const temporaryFolder = join(scratch, SCRATCH_FOLDERS.build);
  mkdirSync(join(scratch, SCRATCH_FOLDERS.store));
  mkdirSync(temporaryFolder);
  await builder({
    derivation,
    derivationPath: build.path,
    name,
    env: new Map([...derivation.env].map(([key, value]) => [fromByteString(key), fromByteString(value)])),
    outputs,
    ...createInputPaths(store, inputs),
    bubblewrap: options.tools.bubblewrap,
    localFiles: options.localFiles,
    temporaryFolder,
    settings: options.settings,
    signal: build.signal,
    progress: (done, total) => build.onProgress(done, total),
    log: onLine,
  });
}

type SandboxedRun = {
  readonly inputs: ReadonlySet<StorePath>;
  readonly environment: BuilderEnvironment;
  readonly log: BuildLogWriter;
  readonly onLine: (line: string) => void;
};

async function runSandboxed(scratch: string, store: LocalStore, build: DerivationBuild, options: BuildOptions, run: SandboxedRun): Promise<void> {
  const { derivation } = build;
  const buildRoot = findBuildRoot(store, derivation, run.inputs);
  using sandbox = prepareSandbox({
    bubblewrap: await options.tools.bubblewrap(),
    guard: build.guard,
    scratch,
    storeDir: store.storeDir,
    inputs: [...run.inputs].map((path) => ({ shown: formatStorePath(path, store.storeDir), real: store.realPath(path) })),
    variables: run.environment.variables,
    builder: derivation.builder,
    args: derivation.args,
    network: (isFixedOutput(derivation) || options.networkForAll === true) && options.settings.offline !== true,
    ...(buildRoot === undefined ? {} : { buildRoot }),
    ...(options.sandboxShell === undefined ? {} : { shell: options.sandboxShell }),
    ...(options.sandboxPaths === undefined ? {} : { paths: options.sandboxPaths }),
    features: new Set(derivationList(derivation, "requiredSystemFeatures")),
  });
  for (const [name, contents] of run.environment.files) writeFileSync(join(scratch, SCRATCH_FOLDERS.build, name), contents);

  let complaint = "";
  const notRun = `bwrap: execvp ${fromByteString(derivation.builder)}: `;
  const splitter = createLineSplitter((line) => {
    if (line.startsWith("bwrap: ")) complaint = line.slice("bwrap: ".length);
    // In the words of who asked for the builder, who has not heard of bubblewrap.
    run.onLine(line.startsWith(notRun) ? `error: executing '${fromByteString(derivation.builder)}': ${line.slice(notRun.length)}` : line);
  });
  using limits = watchLimits(options.limits ?? {});
  const end = await runProcess({
    command: sandbox.command,
    args: sandbox.args,
    env: {},
    descriptors: sandbox.descriptors,
    findLeader: sandbox.findBuilder,
    signal: AbortSignal.any([build.signal, limits.signal]),
    onOutput(chunk) {
      limits.onOutput(chunk.length);
      // What comes before it is dead counts no more.
      if (limits.signal.aborted) return;
      run.log.write(chunk);
      splitter.write(chunk);
    },
  }).catch((cause: unknown) => {
    build.signal.throwIfAborted();
    limits.signal.throwIfAborted();
    throw sandboxUnavailable(cause instanceof Error ? cause.message : String(cause));
  });
  splitter.end();
  if (end.kind === "exited" && end.code === 0) return;
  if (!sandbox.builderWasRun()) {
    if (complaint.startsWith("execvp ")) throw cannotExecute(derivation, complaint, run.inputs, store.storeDir);
    throw sandboxUnavailable(complaint);
  }
  throw builderFailed(end.kind === "exited" ? end.code : end.signal);
}

function builderFailed(end: number | string): TsosError {
  // Bubblewrap tells of a signal as a shell does.
  const how = typeof end === "string" ? `was killed by ${end}` : end > 128 ? `was killed by signal ${end - 128}` : `failed with exit code ${end}`;
  return new TsosError({ code: "build.builder-failed", message: `the builder ${how}`, data: typeof end === "number" ? { exitCode: end } : { signal: end } });
}

/** What the kernel said of the builder's own file; a script's interpreter may be what is missing. */
function cannotExecute(derivation: Derivation, complaint: string, inputs: ReadonlySet<StorePath>, storeDir: string): TsosError {
  const builder = fromByteString(derivation.builder);
  const inStore = builder.startsWith(`${storeDir}/`);
  const isInput = inStore && inputs.has(splitStorePath(builder, storeDir).path);
  return new TsosError({
    code: "build.no-builder",
    message: `the builder "${builder}" cannot be run: ${complaint.slice(complaint.lastIndexOf(": ") + 2)}`,
    hint: isInput
      ? "it or its interpreter is not there; only the closure of the inputs is visible to a build"
      : "only the closure of the inputs is visible to a build; make the builder's package an input, or give a build root that holds it",
    data: { builder },
  });
}

/** `__buildRoot`: the store path whose `usr` and `etc` the builder sees as the machine's. */
function findBuildRoot(store: LocalStore, derivation: Derivation, inputs: ReadonlySet<StorePath>): { shown: string; real: string } | undefined {
  const text = derivationAttribute(derivation, "__buildRoot");
  if (typeof text !== "string" || text === "") return undefined;
  const { path } = splitStorePath(text, store.storeDir);
  if (!inputs.has(path)) {
    throw new TsosError({ code: "build.bad-build-root", message: `"__buildRoot" is "${text}", which is not among the inputs`, data: { path: text } });
  }
  return { shown: formatStorePath(path, store.storeDir), real: store.realPath(path) };
}

const PLATFORMS: Readonly<Record<string, readonly string[]>> = { x64: ["x86_64-linux", "i686-linux"], arm64: ["aarch64-linux"] };

/** Nix's setting `system-features` where nobody has set it. Nix: libstore/globals.cc, getDefaultSystemFeatures */
function defaultFeatures(): readonly string[] {
  return ["benchmark", "big-parallel", "nixos-test", ...(mayUse("/dev/kvm") ? ["kvm"] : [])];
}

function mayUse(device: string): boolean {
  try {
    accessSync(device, constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** Whether this machine is of the kind that the derivation asks for. */
export function canBuildHere(derivation: Derivation, options: BuildOptions): boolean {
  if (options.jobs === 0) return false;
  try {
    checkPlatform(derivation, options);
    return true;
  } catch (error) {
    if (error instanceof TsosError) return false;
    throw error;
  }
}

function checkPlatform(derivation: Derivation, options: BuildOptions): void {
  const platforms = [...(PLATFORMS[process.arch] ?? []), ...(options.extraPlatforms ?? [])];
  if (!platforms.includes(derivation.platform)) {
    throw new TsosError({
      code: "build.wrong-platform",
      message: `it is for "${derivation.platform}", this machine builds for ${platforms.map((platform) => `"${platform}"`).join(", ")}`,
      data: { platform: derivation.platform, platforms },
    });
  }
  const required = derivationList(derivation, "requiredSystemFeatures") ?? [];
  const features = required.length === 0 ? [] : (options.systemFeatures ?? defaultFeatures());
  const feature = required.find((name) => !features.includes(name));
  if (feature !== undefined) {
    throw new TsosError({
      code: "build.unknown-feature",
      message: `it requires the system feature "${feature}", expected one of ${features.join(", ")}`,
      data: { feature, required, features },
    });
  }
  const unsandboxed = derivationAttribute(derivation, "__noChroot");
  if (unsandboxed === "1" || unsandboxed === true) {
    throw new TsosError({
      code: "build.no-sandbox-asked",
      message: 'it has "__noChroot" set, and tsos builds in a sandbox only',
      hint: "remove the attribute; what it needs of the machine must become an input",
    });
  }
}

/** Moves the build folder to where the user can look at it. */
async function keepBuildFolder(folder: string, name: string): Promise<string | undefined> {
  for (let number = 0; ; number++) {
    const target = join(tmpdir(), `tsos-build-${name}-${number}`);
    try {
      await mkdir(target, { mode: 0o700 });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "EEXIST") continue;
      throw error;
    }
    try {
      // The builder owned it and may have opened it to all, which no longer ends at the folder above.
      await chmod(folder, 0o700).catch((error: unknown) => {
        if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
      });
      await rename(folder, target);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "ENOENT") return undefined;
      if (code !== "EXDEV") throw error;
      await cp(folder, target, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
    }
    return target;
  }
}
