import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Derivation } from "../derivation/derivation.ts";
import { TsosError } from "../error/tsos-error.ts";
import type { LocalStore } from "../store/store.ts";
import { formatStorePath, splitStorePath, type StorePath } from "../store-path/store-path.ts";
import { fromByteString } from "../util/bytes.ts";
import { createLineSplitter } from "../util/line-splitter.ts";
import { runProcess } from "../util/process.ts";
import { watchLimits } from "./build-limits.ts";
import type { BuildLogWriter } from "./build-log.ts";
import type { BuildOptions } from "./build-options.ts";
import { isFixedOutput, type BuilderEnvironment } from "./builder-environment.ts";
import { derivationAttribute, derivationList } from "./derivation-attributes.ts";
import type { DerivationBuild } from "./derivation-build.ts";
import { prepareSandbox, SCRATCH_FOLDERS, sandboxUnavailable } from "./sandbox.ts";

export type SandboxedRun = {
  readonly inputs: ReadonlySet<StorePath>;
  readonly environment: BuilderEnvironment;
  readonly log: BuildLogWriter;
  readonly onLine: (line: string) => void;
};

/** @throws TsosError `build.builder-failed`, `build.no-builder`, `build.no-sandbox`, `build.bad-build-root`, and those of its limits */
export async function runSandboxed(scratch: string, store: LocalStore, build: DerivationBuild, options: BuildOptions, run: SandboxedRun): Promise<void> {
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
    if (isLogMessage(line)) return;
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
  throw builderFailed(end.kind === "exited" ? end.code : end.signal, isFixedOutput(derivation));
}

function builderFailed(end: number | string, isFixed: boolean): TsosError {
  // Bubblewrap tells of a signal as a shell does.
  const how = typeof end === "string" ? `was killed by ${end}` : end > 128 ? `was killed by signal ${end - 128}` : `failed with exit code ${end}`;
  return new TsosError({ code: "build.builder-failed", message: `the builder ${how}`, data: { ...(typeof end === "number" ? { exitCode: end } : { signal: end }), isFixed } });
}

/** What a builder tells of itself by way of `NIX_LOG_FD` (its phases, mostly) is no output. Nix: libutil/logging.cc, handleJSONLogMessage */
function isLogMessage(line: string): boolean {
  if (!line.startsWith("@nix ")) return false;
  try {
    const message: unknown = JSON.parse(line.slice("@nix ".length));
    return typeof message === "object" && message !== null && "action" in message;
  } catch {
    return false;
  }
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
