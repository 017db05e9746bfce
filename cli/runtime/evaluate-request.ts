import type { EvaluationRequest, EvaluationResult } from "../../core/config/protocol.ts";
import type { Instantiation } from "../../core/derivation/instantiation.ts";
import type { OptionDescription, OptionReport } from "../../core/config/option-description.ts";
import { TsosError } from "../../core/error/tsos-error.ts";
import { isHomeConfiguration, isNixosSystemConfig, isPackage, type Config, type EvaluationRegistry, type Input, type InputLike, type Package, type OptionsView, type Packages, type ShellConfig } from "../../core/index.ts";
import type { DeclaredInput } from "../../core/option/declared-input.ts";
import type { InputTable } from "../../core/package/input-table.ts";
import { checkAssertions, evaluateModules, type EvaluatedModules } from "../../core/option/evaluate-modules.ts";
import { collectOverlays } from "../../core/option/collect-modules.ts";
import { createModule, isModule, isModuleList, type ModuleInput, type ModuleList } from "../../core/option/module.ts";
import { formatOptionPath, parseOptionPath } from "../../core/option/option-path.ts";
import { shellModules } from "../../core/shell/shell-module.ts";
import { findNearestName } from "../../core/util/suggest.ts";
import type { OptionNode } from "../../core/option/option-node.ts";
import { systemModules } from "../../modules/index.ts";
import { createPackages, packageEntries } from "../../pkgs/index.ts";
import { listPackages, noteNames } from "./list-packages.ts";
import { blameDefinition } from "./blame-definition.ts";
import { declareTree, describeFailure, describeTree, findType, ModuleTable, reportOption, type FailedTree } from "./describe-options.ts";
import { describeDerivation } from "./derivation-result.ts";
import type { EvaluationHost } from "./isolate-main.ts";
import { branchToJson, isOptionView, valueToJson } from "./option-value.ts";
import { parseValue } from "./parse-value.ts";
import { evaluateNixosRequest } from "./nixos-request.ts";
import { createCollections, type NixInputs } from "./nix-inputs.ts";
import { createShellEnvironment } from "./shell-environment.ts";
import { findVariant, pathInVariant } from "./find-variant.ts";

export type RequestContext = {
  /** What the configuration exports; undefined where there is no file. */
  readonly definition: unknown;
  readonly request: EvaluationRequest;
  readonly registry: EvaluationRegistry;
  readonly host: EvaluationHost;
  readonly inputs: InputTable;
  readonly nix: NixInputs;
};

export type RequestOutcome = { readonly result: EvaluationResult; readonly instantiation: Instantiation; readonly warnings: readonly string[]; readonly inputs: readonly DeclaredInput[] };

const NOTHING: Instantiation = { derivations: [], sources: [] };

/** What packages of collections are for. */
const SYSTEM = "x86_64-linux";

/** What every module is given beside `config`, `options` and `lib`. */
type Given = { readonly pkgs: Packages; readonly inputs: Readonly<Record<string, Input>> };

/** Answers one request about a configuration. */
export function evaluateRequest(context: RequestContext): RequestOutcome {
  const { request, registry } = context;
  const instantiate = (roots: readonly string[]): Instantiation => ("isTrial" in request && request.isTrial === true ? NOTHING : registry.instantiation(roots));
  const isOfNix = isNixosSystemConfig(context.definition) || isHomeConfiguration(context.definition);
  if (isNixosSystemConfig(context.definition) || isHomeConfiguration(context.definition)) {
    const found = evaluateNixosRequest(context.definition, context, SYSTEM);
    if (found !== undefined) return { ...found, instantiation: instantiate(found.roots), inputs: context.inputs.declared() };
  }
  const configuration = isOfNix ? undefined : checkConfiguration(context.definition);
  const inputs = declareInputs(configuration, context.inputs);
  const overlaid = new Set<string>();
  const overlays = (configuration === undefined ? [] : collectOverlays([configuration], { inputs })).map((overlay) => noteNames(overlay, overlaid));
  const pkgs = createPackages(registry, [createCollections(inputs, (name) => name in packageEntries, SYSTEM, context.nix), ...overlays]);
  const given: Given = { pkgs, inputs };
  const outcome = (result: EvaluationResult, roots: readonly string[], warnings: readonly string[] = []): RequestOutcome => ({ result, instantiation: instantiate(roots), warnings, inputs: context.inputs.declared() });

  switch (request.kind) {
    case "system": {
      const system = evaluateSystem(configuration, given, context.host);
      checkAssertions(system.assertions, system.options);
      const toplevel = (request.variant === "vm" ? system.config.system.build.vm : null) ?? system.config.system.build.toplevel;
      return outcome({ kind: "system", toplevel: describeDerivation(toplevel), hostName: system.config.networking.hostName }, [toplevel.drvPath], system.warnings);
    }
    case "shell": {
      const packages = request.packages?.map((name) => getPackage(pkgs, name));
      const shell = evaluateShell(configuration, given, packages);
      checkAssertions(shell.assertions, shell.options);
      const environment = createShellEnvironment(shell.config, pkgs);
      return outcome({ kind: "shell", shell: { name: shell.config.name, environment: describeDerivation(environment) } }, [environment.drvPath], shell.warnings);
    }
    case "package": {
      const found = getPackage(pkgs, request.name);
      return outcome({ kind: "package", package: { ...describeDerivation(found), mainProgram: found.meta.mainProgram } }, [found.drvPath]);
    }
    case "option": {
      const tree = evaluateTree(configuration, given, context.host);
      const { value, json } = findOption(tree, request.path);
      const derivation = isPackage(value) ? describeDerivation(value) : undefined;
      return outcome({ kind: "option", option: { path: request.path, value: json, derivation } }, derivation === undefined ? [] : [derivation.drvPath], tree.warnings);
    }
    case "option-docs": {
      const table = new ModuleTable();
      const options = describeTree(declareTree(modulesOf(configuration), given), table);
      return outcome({ kind: "option-docs", modules: table.modules, options }, []);
    }
    case "option-report": {
      const table = new ModuleTable();
      let isSound = true;
      const tree = settledTree(configuration, given, context.host, () => (isSound = false));
      if (tree !== undefined && "error" in tree) isSound = false;
      const report = reportVariant(declareTree(modulesOf(configuration), given), parsePath(request.path), tree, table);
      return outcome({ kind: "option-report", modules: table.modules, report, isSound }, []);
    }
    case "option-value": {
      const path = parsePath(request.path);
      const source = parseValue(findType(declareTree(modulesOf(configuration), given), path), request.text, path);
      return outcome({ kind: "option-value", path, source }, []);
    }
    case "inputs":
      return outcome({ kind: "inputs", places: {} }, []);
    case "package-list":
      return outcome({ kind: "package-list", packages: listPackages(pkgs, overlaid) }, []);
  }
}

/** @throws TsosError for what `defineSystem` and `defineShell` did not make. */
function checkConfiguration(definition: unknown): ModuleList | undefined {
  if (definition === undefined || isModuleList(definition)) return definition;
  if (definition instanceof Promise) {
    throw new TsosError({ code: "config.async", message: "the configuration is a Promise", hint: "an evaluation is synchronous: export defineSystem({ … }) itself" });
  }
  const what = typeof definition === "function" ? "a function" : Array.isArray(definition) ? "a list" : typeof definition === "object" ? "an object" : JSON.stringify(definition);
  throw new TsosError({ code: "config.not-a-configuration", message: `the default export must be what defineSystem or defineShell returns, got ${what}`, hint: "export default defineSystem(({ config, pkgs, lib }) => ({ … }))" });
}

/** The inputs that a configuration names, whether `defineInputs` made handles of them before or not. */
function declareInputs(configuration: ModuleList | undefined, table: InputTable): Readonly<Record<string, Input>> {
  if (configuration === undefined || !("inputs" in configuration)) return {};
  const [module] = configuration.modules;
  return table.declare(configuration.inputs as Readonly<Record<string, InputLike>>, undefined, module?.origin ?? {});
}

function evaluateSystem(configuration: ModuleList | undefined, given: Given, host: EvaluationHost, onProblem?: OnProblem): EvaluatedModules<Config> {
  if (configuration === undefined) throw new TsosError({ code: "config.no-system", message: "there is no configuration of a system", hint: "tsos init server makes one" });
  if (configuration.kind !== "system-config") throw wrongKind("defineSystem", "system.config.ts", "defineShell");
  let seen: OptionsView | undefined;
  const own = createModule({
    key: "tsos/runtime",
    config: ({ options }: { readonly options: OptionsView }) => {
      seen = options;
      return { system: { tsos: { version: TSOS_VERSION, activator: host.activator() } } };
    },
  }, undefined);
  try {
    return evaluateModules<Config>({ modules: [...systemModules, own], userModules: [configuration], specialArgs: given, onProblem });
  } catch (error) {
    throw blameDefinition(error, seen);
  }
}

function evaluateShell(configuration: ModuleList | undefined, given: Given, packages: readonly Package[] | undefined, onProblem?: OnProblem): EvaluatedModules<ShellConfig> {
  if (configuration !== undefined && configuration.kind !== "shell-config") throw wrongKind("defineShell", "shell.config.ts", "defineSystem");
  const own = packages === undefined ? [] : [createModule({ key: "tsos/command-line", config: { packages } }, undefined)];
  return evaluateModules<ShellConfig>({ modules: [...shellModules, ...own, ...(configuration === undefined ? [] : [configuration])], specialArgs: given, onProblem });
}

type OnProblem = (error: TsosError) => void;

function evaluateTree(configuration: ModuleList | undefined, given: Given, host: EvaluationHost, onProblem?: OnProblem): EvaluatedModules<Config> | EvaluatedModules<ShellConfig> {
  return configuration?.kind === "shell-config" ? evaluateShell(configuration, given, undefined, onProblem) : evaluateSystem(configuration, given, host, onProblem);
}

/** The modules whose options a configuration has; without one, those of a system. */
function modulesOf(configuration: ModuleList | undefined): readonly ModuleInput[] {
  const own = configuration === undefined ? [] : [configuration];
  return configuration?.kind === "shell-config" ? [...shellModules, ...own] : [...systemModules, ...own];
}

type SettledTree = EvaluatedModules<unknown> | FailedTree | undefined;

/** The settled tree for those who want to see what is there: what is wrong with it is a part of the answer. */
function settledTree(configuration: ModuleList | undefined, given: Given, host: EvaluationHost, onProblem: OnProblem): SettledTree {
  // Without a configuration nothing is set: some options have no default.
  if (configuration === undefined) return undefined;
  return orError(() => evaluateTree(configuration, given, host, onProblem));
}

function orError<T>(work: () => T): T | FailedTree {
  try {
    return work();
  } catch (error) {
    return { error: describeFailure(error) };
  }
}

/** An option, also of a variant that stands on the way to it. */
function reportVariant(root: OptionNode, path: readonly string[], tree: SettledTree, table: ModuleTable): OptionReport {
  const rest = pathInVariant(path);
  if (rest === undefined || rest.length === 0) return reportOption(root, path, tree === undefined || "error" in tree ? tree : tree.options, table);
  const variant = tree === undefined || "error" in tree ? tree : orError(() => findVariant(tree, path)?.variant);
  const report = reportVariant(root, rest, variant, table);
  const way = path.slice(0, path.length - rest.length);
  const placed = (option: OptionDescription): OptionDescription => ({ ...option, path: [...way, ...option.path] });
  return report.kind === "option" ? { ...report, option: placed(report.option) } : { ...report, path, options: report.options.map(placed) };
}

function wrongKind(expected: string, file: string, got: string): TsosError {
  return new TsosError({ code: "config.wrong-kind", message: `the configuration is made by ${got}, but ${expected} is needed here`, hint: `write it in ${file}, or name the file with --config` });
}

function getPackage(pkgs: Packages, name: string): Package {
  let value: unknown = pkgs;
  for (const part of name.split(".")) value = (typeof value === "object" && value !== null) || typeof value === "function" ? Reflect.get(value, part) : undefined;
  if (!isPackage(value)) throw new TsosError({ code: "config.not-a-package", message: `"pkgs.${name}" is not a package`, hint: "tsos pkg search lists the packages" });
  return value;
}

/** An option, what is inside one's value, or a branch of the tree. */
function findOption(tree: EvaluatedModules<unknown>, text: string): { readonly value: unknown; readonly json: unknown } {
  return findInTree(tree, parsePath(text));
}

function findInTree(tree: EvaluatedModules<unknown>, path: readonly string[]): { readonly value: unknown; readonly json: unknown } {
  const inside = findVariant(tree, path);
  if (inside !== undefined) return findInTree(inside.variant, inside.rest);
  let view: unknown = tree.options;
  let value: unknown = tree.config;
  let isValue = false;
  for (const [i, name] of path.entries()) {
    const inner: unknown = typeof value === "object" && value !== null && indexOf(name) in value ? Reflect.get(value, indexOf(name)) : undefined;
    if (!isValue) {
      view = Reflect.get(view as object, name);
      if (view === undefined) throw unknownPath(path.slice(0, i + 1), value);
      isValue = isOptionView(view as never);
    } else if (inner === undefined) {
      throw isModule(value) ? insideModule(path, i) : unknownPath(path.slice(0, i + 1), value);
    }
    value = inner;
  }
  return { value, json: isValue ? valueToJson(value) : branchToJson(view as never) };
}

function insideModule(path: readonly string[], depth: number): TsosError {
  const [module, whole] = [formatOptionPath(path.slice(0, depth)), formatOptionPath(path)];
  return new TsosError({
    code: "option.no-value",
    message: `nothing stands at "${whole}": the value of "${module}" is a module, which is evaluated where it is used`,
    hint: `tsos option show ${module} shows what defines it`,
  });
}

function parsePath(text: string): readonly string[] {
  try {
    return parseOptionPath(text);
  } catch (cause) {
    throw new TsosError({ code: "config.bad-option-path", message: cause instanceof Error ? cause.message : String(cause), hint: 'write it as services.nginx.virtualHosts."a.example".root' });
  }
}

/** `[0]` is the first item of a list. */
function indexOf(name: string): string {
  return /^\[(\d+)\]$/.exec(name)?.[1] ?? name;
}

function unknownPath(path: readonly string[], around: unknown): TsosError {
  const names = typeof around === "object" && around !== null ? Object.keys(around) : [];
  const near = findNearestName(path.at(-1) ?? "", names);
  return new TsosError({
    code: "option.unknown",
    message: `the option "${formatOptionPath(path)}" does not exist`,
    hint: near === undefined ? undefined : `did you mean "${formatOptionPath([...path.slice(0, -1), near])}"?`,
    data: { optionPath: path },
  });
}
