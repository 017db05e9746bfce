import { ANY_ITEM, ANY_NAME, describeFailure } from "./describe-options.ts";
import type { DefinitionDescription, ModuleDescription, OptionDescription, OptionReport, OptionState } from "../../core/config/option-description.ts";
import { NIX_PROJECT, type EvaluationRequest, type EvaluationResult } from "../../core/config/protocol.ts";
import { TsosError } from "../../core/error/tsos-error.ts";
import { isHomeConfiguration, isPackage, type EvaluationRegistry, type HomeConfiguration, type Input, type NixosSystemConfig, type Package } from "../../core/index.ts";
import type { TreeCommit } from "../../core/interop/nixos-system.ts";
import type { SettledModules } from "../../core/interop/settle-modules.ts";
import { formatOptionPath, parseOptionPath } from "../../core/option/option-path.ts";
import { previewValue } from "../../core/option/preview-value.ts";
import { findNearestName } from "../../core/util/suggest.ts";
import { describeDerivation } from "./derivation-result.ts";
import type { NixInputs } from "./nix-inputs.ts";
import { findNixOption, isNixOption, isNixView, type NixView } from "./nix-option-type.ts";
import { valueToJson } from "./option-value.ts";
import { parseValue } from "./parse-value.ts";

export type NixosOutcome = { readonly result: EvaluationResult; readonly roots: readonly string[]; readonly warnings: readonly string[] };

type View = NixView;

/** A configuration whose modules are those of a Nix expression. */
export type NixModulesConfiguration = NixosSystemConfig | HomeConfiguration;

/** Answers a request about a machine of NixOS or a home; undefined for what does not depend on the configuration. */
export function evaluateNixosRequest(definition: NixModulesConfiguration, context: { readonly request: EvaluationRequest; readonly registry: EvaluationRegistry; readonly nix: NixInputs }, platform: string): NixosOutcome | undefined {
  const { request } = context;
  const open = opener(definition, context.nix, platform);
  const readsIt = request.kind === "system" || request.kind === "option" || request.kind === "package" || request.kind === "option-report" || request.kind === "option-value";
  return readsIt ? open().settled(() => answer(definition, request, open())) : answer(definition, request, undefined);
}

function answer(definition: NixModulesConfiguration, request: EvaluationRequest, opened: SettledModules | undefined): NixosOutcome | undefined {
  const open = (): SettledModules => opened!;
  switch (request.kind) {
    case "system": {
      if (isHomeConfiguration(definition)) {
        if (request.variant === "vm") throw new TsosError({ code: "home.no-machine", message: "the configuration is a home, and a machine is needed here", hint: "name the file of a machine with --config" });
        const home = open();
        const generation = home.toplevel as Package;
        const { username, homeDirectory } = home.config["home"] as View;
        return { result: { kind: "system", toplevel: describeDerivation(generation), hostName: String(username), home: { user: String(username), directory: String(homeDirectory) } }, roots: [generation.drvPath], warnings: [] };
      }
      if (request.variant === "vm") {
        throw new TsosError({ code: "nixos.unsupported", message: `"tsos machine" does not boot systems of NixOS' own modules`, hint: "tsos build system.build.vm gives a script that boots it in a virtual machine" });
      }
      const system = open();
      const toplevel = system.toplevel as Package;
      return { result: { kind: "system", toplevel: describeDerivation(toplevel), hostName: hostName(system), isNixos: true }, roots: [toplevel.drvPath], warnings: [] };
    }
    case "option": {
      const path = parsePath(request.path);
      const value = path.join(".") === (isHomeConfiguration(definition) ? "home.activationPackage" : "system.build.toplevel") ? open().toplevel : select(open().config, path);
      const derivation = isPackage(value) ? describeDerivation(value) : undefined;
      return { result: { kind: "option", option: { path: request.path, value: readableJson(value, 0), derivation } }, roots: derivation === undefined ? [] : [derivation.drvPath], warnings: [] };
    }
    case "package": {
      const value = select(open().pkgs, request.name.split("."), "pkgs");
      if (!isPackage(value)) throw new TsosError({ code: "config.not-a-package", message: `"pkgs.${request.name}" is not a package`, hint: "it is a function or a set of packages" });
      return { result: { kind: "package", package: { ...describeDerivation(value), mainProgram: value.meta.mainProgram } }, roots: [value.drvPath], warnings: [] };
    }
    case "shell":
      throw new TsosError({ code: "config.wrong-kind", message: `the configuration is made by ${isHomeConfiguration(definition) ? "defineHome" : "defineNixosSystem"}, but defineShell is needed here`, hint: "write it in shell.config.ts, or name the file with --config" });
    case "option-report": {
      const modules: ModuleDescription[] = [];
      const report = reportOption(open(), parsePath(request.path), modules);
      const label = shortener(definition);
      return { result: { kind: "option-report", modules: modules.map((module) => ({ label: label(module.label) })), report, isSound: true }, roots: [], warnings: [] };
    }
    case "option-docs":
      return { result: { kind: "option-docs", modules: [], options: [], pinned: (isHomeConfiguration(definition) ? definition.homeManager : definition.nixpkgs).name }, roots: [], warnings: [] };
    case "option-value": {
      const path = parsePath(request.path);
      const found = findNixOption(open().options, path);
      if (found.kind === "branch") throw new TsosError({ code: "option.not-an-option", message: `"${formatOptionPath(path)}" is a set of options; expected the path of one option`, hint: `tsos option show ${formatOptionPath(path)} lists them` });
      return { result: { kind: "option-value", path, source: parseValue(found.type, request.text, path) }, roots: [], warnings: [] };
    }
    case "inputs":
    case "package-list":
      return undefined;
  }
}

function opener(definition: NixModulesConfiguration, nix: NixInputs, platform: string): () => SettledModules {
  let opened: SettledModules | undefined;
  const { nixpkgs, modules } = definition;
  return () => {
    if (opened !== undefined) return opened;
    const { config, overlays } = nixpkgs.options;
    nix.useCaches(nixpkgs);
    const common = { modules, config, overlays, system: platform };
    opened = isHomeConfiguration(definition)
      ? nix.scope().homeConfiguration({ ...common, nixpkgs: showTree(nixpkgs, "default.nix"), homeManager: showTree(definition.homeManager, "lib/default.nix"), extraSpecialArgs: definition.extraSpecialArgs ?? {} })
      : nix.scope().nixosSystem({ ...common, nixpkgs: showTree(nixpkgs, "nixos/lib/eval-config.nix"), specialArgs: definition.specialArgs ?? {}, commit: commitOf(nixpkgs) });
    return opened;
  };
}

function commitOf(input: Input): TreeCommit | undefined {
  const { rev, shortRev, lastModified, narHash } = input;
  return rev === undefined || shortRev === undefined || lastModified === undefined ? undefined : { outPath: String(input), rev, shortRev, lastModified, narHash };
}

/** Named, the input is shown to expressions. */
function showTree(input: Input, file: string): string {
  return input.nixFile(file).path.slice(0, -`/${file}`.length);
}

/** Files as people know them: of the project, or of a tree that is pinned. */
function shortener(definition: NixModulesConfiguration): (file: string) => string {
  const trees = [definition.nixpkgs, ...(isHomeConfiguration(definition) ? [definition.homeManager] : [])].map((input) => `${String(input.nixFile(".").path).replace(/\/\.?$/, "")}/`);
  return (file) => [...trees, `${NIX_PROJECT}/`].reduce((shown, folder) => (shown.startsWith(folder) ? shown.slice(folder.length) : shown), file);
}

function hostName(system: SettledModules): string {
  return String((system.config["networking"] as View)["hostName"]);
}

function select(from: unknown, path: readonly string[], root = ""): unknown {
  let value = from;
  for (const [i, name] of path.entries()) {
    const key = /^\[(\d+)\]$/.exec(name)?.[1] ?? name;
    if (!isNixView(value) || !(key in value)) {
      const near = isNixView(value) && !isPackage(value) ? findNearestName(name, Object.keys(value)) : undefined;
      const shown = (last: string): string => (root === "" ? formatOptionPath([...path.slice(0, i), last]) : [root, ...path.slice(0, i), last].join("."));
      throw new TsosError({ code: root === "" ? "option.unknown" : "config.not-a-package", message: root === "" ? `the option "${shown(name)}" does not exist` : `there is no "${shown(name)}"`, hint: near === undefined ? undefined : `did you mean "${shown(near)}"?`, data: { optionPath: path.slice(0, i + 1) } });
    }
    value = value[key];
  }
  return value;
}

function parsePath(text: string): readonly string[] {
  try {
    return text === "" ? [] : parseOptionPath(text);
  } catch (cause) {
    throw new TsosError({ code: "config.bad-option-path", message: cause instanceof Error ? cause.message : String(cause), hint: 'write it as services.nginx.virtualHosts."a.example".root' });
  }
}

const DEEPEST = 30;

/** A part of the configuration as JSON; of what cannot be evaluated on its own (options without a value) the reason stands there. */
function readableJson(value: unknown, depth: number): unknown {
  if (typeof value !== "object" || value === null || isPackage(value)) return valueToJson(value);
  if (depth > DEEPEST) return "…";
  const inside = (read: () => unknown): unknown => {
    try {
      return readableJson(read(), depth + 1);
    } catch (error) {
      if (error instanceof TsosError && error.code === "nix.evaluation") return `<error: ${error.message.split("\n")[0]?.trim()}>`;
      throw error;
    }
  };
  if (Array.isArray(value)) return Array.from({ length: value.length }, (_, index) => inside(() => (value as readonly unknown[])[index]));
  if ((value as { readonly kind?: unknown }).kind === "nix-path") return String(value);
  return Object.fromEntries(Object.keys(value).map((name) => [name, inside(() => (value as View)[name])]));
}

/** As `nixos-option` tells: what is declared, by whom, who defines it, and what comes out. */
function reportOption(system: SettledModules, path: readonly string[], table: ModuleDescription[]): OptionReport {
  const found = findNixOption(system.options, path);
  if (found.kind === "branch") return { kind: "branch", path, options: [...branch(found.node, path, table, 0)] };
  const { option, whole, wholeLength, inside, type } = found;
  const described = describe(option, path, table);
  const shown = inside === 0 ? described : { ...described, type: type.description, default: undefined, example: undefined };
  if (path.some((name) => name === ANY_NAME || name === ANY_ITEM)) return { kind: "option", option: shown };
  let value: Pick<OptionState, "value" | "error">;
  try {
    value = { value: readableJson(select(system.config, path), 0) };
  } catch (error) {
    value = { error: describeFailure(error) };
  }
  return { kind: "option", option: shown, state: { definitions: definitionsOf(whole, path.slice(wholeLength), table), ...value } };
}

function* branch(node: unknown, path: readonly string[], table: ModuleDescription[], depth: number): Generator<OptionDescription> {
  if (isNixOption(node)) yield describe(node, path, table);
  else if (isNixView(node) && !Array.isArray(node) && depth < DEEPEST) for (const name of Object.keys(node)) if (name !== "_module") yield* branch(node[name], [...path, name], table, depth + 1);
}

function site(file: string, table: ModuleDescription[]): { readonly module: number; readonly path: readonly string[] } {
  const known = table.findIndex(({ label }) => label === file);
  if (known >= 0) return { module: known, path: [] };
  table.push({ label: file });
  return { module: table.length - 1, path: [] };
}

function describe(option: View, path: readonly string[], table: ModuleDescription[]): OptionDescription {
  const text = (name: string): string | undefined => {
    const value = name in option ? option[name] : undefined;
    return typeof value === "string" ? value : isNixView(value) && "text" in value ? String(value["text"]) : undefined;
  };
  const shown = (name: string): { readonly text: string } | { readonly value: unknown } | undefined => {
    const literal = text(`${name}Text`) ?? (name in option && isNixView(option[name]) && "_type" in (option[name] as View) ? text(name) : undefined);
    if (literal !== undefined) return { text: literal };
    try {
      return name in option ? { value: readableJson(option[name], 0) } : undefined;
    } catch {
      return { text: "computed" };
    }
  };
  const type = option["type"] as View | undefined;
  return {
    path,
    type: type !== undefined && "description" in type ? String(type["description"]) : "unspecified value",
    typescript: "unknown",
    description: text("description"),
    default: shown("default"),
    example: shown("example"),
    readOnly: "readOnly" in option && option["readOnly"] === true,
    internal: "internal" in option && option["internal"] === true,
    relatedPackages: [],
    declarations: [...(option["declarations"] as readonly unknown[])].map((file) => site(String(file), table)),
  };
}

/** What defines an option, or of that what says something of `inside`: of parts of a value that is all that is known. */
function definitionsOf(option: View, inside: readonly string[], table: ModuleDescription[]): readonly DefinitionDescription[] {
  const priority = "highestPrio" in option ? Number(option["highestPrio"]) : 100;
  return [...(option["definitionsWithLocations"] as readonly View[])].flatMap((definition) => {
    let value: unknown = definition["value"];
    for (const name of inside) {
      const key = /^\[(\d+)\]$/.exec(name)?.[1] ?? name;
      // A module, or something that is modified, is shown as a whole.
      if (!isNixView(value) || typeof value === "function" || "_type" in value) break;
      if (!(key in value)) return [];
      value = value[key];
    }
    const shown = readableJson(value, 0);
    return [{ site: site(String(definition["file"]), table), value: shown, preview: previewValue(shown), priority, order: 1000, counts: true }];
  });
}
