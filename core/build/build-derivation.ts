import { lstat } from "node:fs/promises";
import { join } from "node:path";
import { TsosError } from "../error/tsos-error.ts";
import { findStats } from "../store/file-tree.ts";
import type { LocalStore } from "../store/store.ts";
import { formatStorePath, type StorePath } from "../store-path/store-path.ts";
import { openBuildLog, type BuildLogWriter } from "./build-log.ts";
import type { BuildOptions } from "./build-options.ts";
import { isFixedOutput, makeBuilderEnvironment } from "./builder-environment.ts";
import { checkAttributes } from "./check-attributes.ts";
import { checkPlatform } from "./check-platform.ts";
import { compareOutputs } from "./compare-outputs.ts";
import { BUILTIN_PREFIX, type BuildResult, type DerivationBuild } from "./derivation-build.ts";
import { recordFetch } from "./fetched-sources.ts";
import { keepBuildFolder } from "./keep-build-folder.ts";
import { registerOutputs } from "./register-outputs.ts";
import { repairOutputs } from "./repair-outputs.ts";
import { runBuiltin } from "./run-builtin.ts";
import { runSandboxed } from "./run-sandboxed.ts";
import { SANDBOX_BUILD_FOLDER, SCRATCH_FOLDERS } from "./sandbox.ts";
import { fillPlaceholders } from "./told-outputs.ts";

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
  checkAttributes(build.path, build.derivation, store.storeDir);
  const derivation = fillPlaceholders(build.derivation, outputPaths, store.storeDir);
  const inputs = await store.closure([...derivation.inputSources, ...build.inputOutputs]);
  const outputs = new Map([...outputPaths].map(([name, path]) => [name, join(scratch, SCRATCH_FOLDERS.store, path)]));

  if (derivation.builder.startsWith(BUILTIN_PREFIX)) {
    build.onStart();
    try {
      await runBuiltin(scratch, store, { ...build, derivation }, options, { outputs, inputs }, (line) => {
        log.write(Buffer.from(`${line}\n`));
        onLine(line);
      });
    } catch (error) {
      if (hasCode(error, "fetch.hash-mismatch")) await keepOther(store, build, outputs, inputs);
      throw error;
    }
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
    build.onStart();
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
  // What floating outputs are is known only when they are registered; what fixed ones must be, whatever is there now.
  const isFloating = [...derivation.outputs.values()].some(({ kind }) => kind === "floating");
  let registered = outputPaths;
  if (isFloating || !build.check || (isFixedOutput(derivation) && options.repair !== true)) registered = await registerOutputs(store, build, outputs, inputs, options.repair);
  else if (options.repair === true) await repairOutputs(store, build, outputs, inputs);
  else await compareOutputs(store, build, outputs);
  const fixed = build.outputPaths.get("out");
  if (fixed !== undefined) recordFetch(store, derivation, fixed);
  return registered;
}

function hasCode(error: unknown, code: string): error is TsosError {
  return error instanceof TsosError && error.code === code;
}

/** What was fetched instead of what was promised: registering it says so once more. */
async function keepOther(store: LocalStore, build: DerivationBuild, outputs: ReadonlyMap<string, string>, inputs: ReadonlySet<StorePath>): Promise<void> {
  for (const folder of outputs.values()) if (findStats(folder) === undefined) return;
  await registerOutputs(store, build, outputs, inputs).catch((error: unknown) => {
    if (!hasCode(error, "store.hash-mismatch")) throw error;
  });
}
