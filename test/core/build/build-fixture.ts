/** A store of its own, derivations by a line, and a build root made of this machine's own programs. */
import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { BuildOptions } from "../../../core/build/build-options.ts";
import type { BuiltinBuilder } from "../../../core/build/builtin-builder.ts";
import type { BuildTarget } from "../../../core/build/build-graph.ts";
import { realise } from "../../../core/build/realise.ts";
import type { RealisedOutputs } from "../../../core/build/realised-outputs.ts";
import type { DerivationOutput } from "../../../core/derivation/derivation.ts";
import { finishDerivation, type FinishedDerivation } from "../../../core/derivation/finish-derivation.ts";
import { HashModuloCache } from "../../../core/derivation/hash-modulo-cache.ts";
import { plainFetchSettings } from "../../../core/fetch/fetch-settings.ts";
import { openLocalStore } from "../../../core/store/local-store.ts";
import type { LocalStore } from "../../../core/store/store.ts";
import { formatStorePath, type StorePath } from "../../../core/store-path/store-path.ts";
import { toByteString } from "../../../core/util/bytes.ts";
import type { ProgressEvent } from "../../../core/util/progress.ts";

export type DerivationSketch = {
  readonly name: string;
  /** Default: `["out"]`, input-addressed. */
  readonly outputs?: readonly string[];
  /** In place of `outputs`. */
  readonly output?: DerivationOutput;
  readonly builder?: string;
  readonly args?: readonly string[];
  /** A script for the build root's bash, in place of `builder` and `args`. */
  readonly script?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Derivations, with the outputs used: default `out`. */
  readonly inputs?: readonly (FinishedDerivation | readonly [FinishedDerivation, ...string[]])[];
  readonly sources?: readonly StorePath[];
  readonly platform?: string;
};

export type BuildFixture = AsyncDisposable & {
  readonly root: string;
  readonly store: LocalStore;
  /** A merged tree with bash and a handful of programs. */
  readonly tools: StorePath;
  readonly events: ProgressEvent[];
  derive(sketch: DerivationSketch): Promise<FinishedDerivation>;
  build(targets: readonly (FinishedDerivation | BuildTarget)[], options?: Partial<BuildOptions>): Promise<RealisedOutputs>;
  options(options?: Partial<BuildOptions>): BuildOptions;
  path(path: StorePath): string;
};

const PROGRAMS = ["bash", "cat", "chmod", "env", "hostname", "id", "ln", "ls", "mkdir", "readlink", "sleep", "stat", "touch", "cp", "rm", "date", "mkfifo", "perl"];

export async function createBuildFixture(options: { readonly builtins?: Readonly<Record<string, BuiltinBuilder>> } = {}): Promise<BuildFixture> {
  const root = mkdtempSync(join(tmpdir(), "tsos-build-test-"));
  const store = await openLocalStore({ root });
  const tools = await store.addPathToStore("tools", toolsTree());
  const cache = new HashModuloCache();
  const events: ProgressEvent[] = [];

  const fixture: BuildFixture = {
    root,
    store,
    tools,
    events,
    path: (path) => store.realPath(path),
    async derive(sketch) {
      const script = sketch.script !== undefined;
      const inputs = (sketch.inputs ?? []).map((input) => ("path" in input ? ([input, "out"] as const) : input));
      const finished = finishDerivation(
        {
          name: sketch.name,
          outputs: new Map(sketch.output === undefined ? (sketch.outputs ?? ["out"]).map((name) => [name, { kind: "deferred" }]) : [["out", sketch.output]]),
          inputDerivations: new Map(inputs.map(([input, ...outputs]) => [input.path, new Set(outputs)])),
          inputSources: new Set([...(sketch.sources ?? []), ...(script ? [tools] : [])]),
          platform: sketch.platform ?? (sketch.builder?.startsWith("builtin:") ? "builtin" : "x86_64-linux"),
          builder: sketch.builder ?? "/bin/bash",
          args: (sketch.args ?? (script ? ["-e", "-c", sketch.script!] : [])).map(toByteString),
          env: new Map(
            Object.entries({ name: sketch.name, ...(script ? { __buildRoot: formatStorePath(tools), PATH: "/usr/bin" } : {}), ...sketch.env }).map(
              ([key, value]) => [key, toByteString(value)] as const,
            ),
          ),
        },
        cache,
      );
      await store.writeDerivation(finished.derivation);
      return finished;
    },
    build: (targets, overrides) =>
      realise(
        store,
        targets.map((target) => ("drvPath" in target ? target : { drvPath: target.path })),
        fixture.options(overrides),
      ),
    options: (overrides) => ({
      jobs: 2,
      cores: 1,
      report: (event) => void events.push(event),
      settings: plainFetchSettings,
      builtins: new Map(Object.entries(options.builtins ?? {})),
      tools: { bubblewrap: () => Promise.resolve({ command: findBubblewrap(), args: [] }) },
      ...overrides,
    }),
    async [Symbol.asyncDispose]() {
      await store[Symbol.asyncDispose]();
      rmSync(root, { recursive: true, force: true });
    },
  };
  return fixture;
}

/** The path of the output, as text of the store. */
export function outputText(derivation: FinishedDerivation, output = "out"): string {
  return formatStorePath(outputOf(derivation, output));
}

export function outputOf(derivation: FinishedDerivation, output = "out"): StorePath {
  const path = derivation.outputPaths.get(output);
  if (path === undefined) throw new Error(`no path for ${output}`);
  return path;
}

/** Ids of the living processes that were started with exactly this command. */
export function findProcesses(command: string): string[] {
  return readdirSync("/proc").filter((name) => {
    if (!/^\d+$/.test(name)) return false;
    try {
      return readFileSync(`/proc/${name}/cmdline`, "latin1").replaceAll("\0", " ").trim() === command;
    } catch {
      return false;
    }
  });
}

/** These tests are about the sandbox, so a machine without bubblewrap fails them rather than skipping. */
export function findBubblewrap(): string {
  return findProgram("bwrap");
}

function findProgram(name: string): string {
  for (const folder of (process.env["PATH"] ?? "").split(":")) {
    if (folder !== "" && existsSync(join(folder, name))) return realpathSync(join(folder, name));
  }
  throw new Error(`${name} is not on PATH; on Debian: apt-get install bubblewrap`);
}

let tree: string | undefined;

/** Made once for all the fixtures of a process. */
export function toolsTree(): string {
  if (tree === undefined) {
    const folder = mkdtempSync(join(tmpdir(), "tsos-build-tools-"));
    process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
    copyTools(folder);
    tree = folder;
  }
  return tree;
}

/** `usr/bin` and the libraries that its programs load, where they look for them. */
function copyTools(tree: string): void {
  mkdirSync(join(tree, "usr/bin"), { recursive: true });
  mkdirSync(join(tree, "etc"), { recursive: true });
  for (const name of PROGRAMS) {
    const program = findProgram(name);
    copyFileSync(program, join(tree, "usr/bin", name));
    for (const [, library] of execFileSync("ldd", [program], { encoding: "utf8" }).matchAll(/(\/\S+) \(0x/g)) {
      const target = join(tree, library!.startsWith("/usr/") ? library! : `/usr${library!}`);
      mkdirSync(dirname(target), { recursive: true });
      if (!existsSync(target)) copyFileSync(realpathSync(library!), target);
    }
  }
  symlinkSync("bash", join(tree, "usr/bin", "sh"));
  writeFileSync(join(tree, "etc/from-the-build-root"), "");
}
