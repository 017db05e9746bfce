import { EvaluationRegistry, lib, type Config, type Definitions, type Package } from "../../core/index.ts";
import { checkAssertions, evaluateModules } from "../../core/option/evaluate-modules.ts";
import { createModule } from "../../core/option/module.ts";
import { parseDerivation } from "../../core/derivation/parse-derivation.ts";
import { parseStorePath, storePathName } from "../../core/store-path/store-path.ts";
import { fromByteString } from "../../core/util/bytes.ts";
import type { SystemManifest } from "../../core/system/manifest.ts";
import { systemModules } from "../../modules/index.ts";
import { createPackages } from "../../pkgs/index.ts";

export type TreeFile = { readonly kind: "file"; readonly contents: string } | { readonly kind: "symlink"; readonly target: string } | { readonly kind: "directory" };

/** A machine as the evaluation leaves it, with the texts that its build would write. */
export type EvaluatedSystem = {
  readonly config: Config;
  readonly warnings: readonly string[];
  readonly manifest: SystemManifest;
  readonly registry: EvaluationRegistry;
  /** The text of a file that a store path stands for. */
  text(path: string | Package): string;
  /** The text of a file below /etc. */
  etc(target: string): string;
  /** What the units' folder holds, by path. */
  readonly units: ReadonlyMap<string, TreeFile>;
  /** The text of a unit, or of its drop-in. */
  unit(path: string): string;
  /** The script that a unit's line such as `ExecStart` runs. */
  script(path: string, key: string): string;
};

type Input = Definitions | ((args: { readonly config: Config; readonly pkgs: import("../../core/index.ts").Packages }) => Definitions);

/** Evaluates what a `system.config.ts` would return, in process, exactly as the runtime does. */
export function evaluateSystem(input: Input): EvaluatedSystem {
  const evaluated = evaluate(input);
  checkAssertions(evaluated.assertions);
  const { config, registry } = evaluated;
  const text = (path: string | Package): string => {
    const entries = readTree(registry, String(path));
    const single = entries.get("");
    if (single?.kind !== "file") throw new Error(`${String(path)} is not one file`);
    return single.contents;
  };
  const manifestText = readTree(registry, String(config.system.build.toplevel)).get("manifest.json");
  if (manifestText?.kind !== "file") throw new Error("the toplevel has no manifest.json");
  const manifest = JSON.parse(manifestText.contents) as SystemManifest;
  const source = (target: string): string => {
    const entry = manifest.etc.find((one) => one.target === target);
    if (entry === undefined) throw new Error(`/etc has no "${target}"`);
    return entry.source;
  };
  const units = readTree(registry, source("systemd/system"));
  const unit = (path: string): string => {
    const entry = units.get(path);
    if (entry?.kind !== "file") throw new Error(`the units have no file "${path}"; there are: ${[...units.keys()].join(" ")}`);
    return entry.contents;
  };
  return {
    config,
    warnings: evaluated.warnings,
    manifest,
    registry,
    text,
    etc: (target) => text(source(target)),
    units,
    unit,
    script: (path, key) => {
      const line = unit(path).split("\n").find((one) => one.startsWith(`${key}=/nix/store/`));
      if (line === undefined) throw new Error(`${path} has no ${key} that is a script`);
      return text(line.slice(key.length + 1).split(" ")[0]!);
    },
  };
}

/** The messages of all assertions that fail, and of all errors. */
export function problemsOf(input: Input): readonly string[] {
  try {
    return evaluate(input).assertions.filter(({ assertion }) => !assertion).map(({ message }) => message);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return [error.message];
  }
}

function evaluate(input: Input) {
  const registry = new EvaluationRegistry();
  const pkgs = createPackages(registry);
  const own = createModule({ key: "tsos/runtime", config: () => ({ system: { tsos: { version: "0.0.0", activator: "// the activator" } } }) }, undefined);
  const state = createModule({ key: "test/state", config: { system: { stateVersion: lib.mkDefault("26.11") } } }, undefined);
  // What defineSystem takes, too.
  const user = createModule({ key: "test/user", config: input as never }, undefined);
  const { config, assertions, warnings } = evaluateModules<Config>({ modules: [...systemModules, own], userModules: [state, user], specialArgs: { pkgs } });
  return { config, assertions, warnings, registry };
}

/** The files of a tree that `writeTree` makes, by path; the file itself has the path "". */
export function readTree(registry: EvaluationRegistry, path: string): ReadonlyMap<string, TreeFile> {
  const issued = registry.findIssued(path);
  if (issued?.kind !== "output") throw new Error(`"${path}" is no output of this evaluation`);
  const recorded = registry.findRecorded(issued.derivation)!;
  const { env } = parseDerivation(recorded.contents, storePathName(issued.derivation).replace(/\.drv$/, ""));
  const entries = env.get("entries");
  if (entries === undefined) throw new Error(`"${path}" is not made by writeTree`);
  const list = JSON.parse(fromByteString(entries)) as readonly (TreeFile & { readonly path: string })[];
  return new Map(list.map((entry) => [entry.path, entry]));
}

export function storeName(path: string): string {
  return storePathName(parseStorePath(path.split("/").slice(0, 4).join("/")));
}
