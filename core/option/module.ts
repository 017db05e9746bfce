import { TsosError } from "../error/tsos-error.ts";
import { findNearestName } from "../util/suggest.ts";
import type { DefinitionSite } from "./definition.ts";
import type { OverlayFunction } from "./foreign-types.ts";
import type { OptionTree } from "./option.ts";
import type { OptionType } from "./option-type.ts";
import { previewValue } from "./preview-value.ts";

/** A module as the evaluator takes it; `defineModule` and `defineSystem` make it. */
export type Module = {
  readonly kind: "module";
  /** A name by which others can disable it, and by which two copies are one. */
  readonly key: string | undefined;
  readonly file: string | undefined;
  /**
   * Made where the module was: its stack tells the file, and is formatted only when asked for. Where the module is a
   * definition in another one, `site` says where.
   */
  readonly origin: { readonly stack?: string | undefined; readonly site?: DefinitionSite | undefined } | undefined;
  readonly imports: ModuleImports;
  readonly disabledModules: readonly (string | ModuleInput)[];
  readonly options: OptionTree | undefined;
  /** Options that another option stands for; their type is the other's. */
  readonly aliases: readonly OptionAlias[];
  readonly freeformType: OptionType | undefined;
  /** Laid over the package set before anything is evaluated, in the order of the modules. */
  readonly overlays: readonly OverlayFunction[];
  readonly defaults: ConfigFunction | undefined;
  readonly config: ConfigFunction | object | undefined;
  readonly meta: Readonly<Record<string, unknown>> | undefined;
};

export type OptionAlias = {
  readonly from: readonly string[];
  readonly to: readonly string[];
  readonly visible: boolean;
};

export type ConfigFunction = (args: never) => unknown;

/** Other modules that belong to one, or a function of what is known before anything is evaluated: `specialArgs`. */
export type ModuleImports = readonly ModuleInput[] | ((args: never) => readonly ModuleInput[]);

/** A module, a function that is only its `config`, or a configuration that another imports whole. */
export type ModuleInput = Module | ConfigFunction | ModuleList;

/** What holds modules: a system's or a shell's configuration. */
export type ModuleList = {
  readonly kind: "system-config" | "shell-config";
  readonly modules: readonly Module[];
  /** Arguments of all functions, those of `imports` too. */
  readonly specialArgs: Readonly<Record<string, unknown>>;
};

const KEYS: ReadonlySet<string> = new Set([
  "key", "file", "imports", "disabledModules", "options", "freeformType", "overlays", "defaults", "config", "meta",
]);

/**
 * A module of its parts, unchecked by types: `defineModule` is the typed way.
 * @throws TsosError `option.bad-module` for a part that no module has.
 */
export function createModule(
  parts: Partial<Omit<Module, "kind" | "origin">>,
  origin: Module["origin"],
  what: string = "defineModule",
): Module {
  const given: unknown = parts;
  if (typeof given !== "object" || given === null || Array.isArray(given)) {
    throw new TsosError({
      code: "option.bad-module",
      message: `${what} takes an object or a function, got ${previewValue(given)}`,
      hint: `${what}(({ config, pkgs, lib }) => ({ … }))`,
    });
  }
  for (const key of Object.keys(parts)) {
    if (!KEYS.has(key) && key !== "aliases" && key !== "inputs") {
      throw new TsosError({
        code: "option.bad-module",
        message: `${what} does not take "${key}"; expected ${keysOf(what).map((name) => `"${name}"`).join(", ")}`,
        hint: hintForKey(key, what),
        data: { key },
      });
    }
  }
  for (const name of ["imports", "disabledModules", "overlays"] as const) {
    if (parts[name] !== undefined && !Array.isArray(parts[name]) && !(name === "imports" && typeof parts[name] === "function")) {
      throw new TsosError({ code: "option.bad-module", message: `"${name}" of ${what} must be a list of ${name === "overlays" ? "functions, (final, prev) => ({ … })" : "modules"}`, data: { key: name } });
    }
  }
  return {
    kind: "module",
    key: parts.key,
    file: parts.file,
    origin,
    imports: parts.imports ?? [],
    disabledModules: parts.disabledModules ?? [],
    options: parts.options,
    aliases: parts.aliases ?? [],
    freeformType: parts.freeformType,
    overlays: parts.overlays ?? [],
    defaults: parts.defaults,
    config: parts.config,
    meta: parts.meta,
  };
}

function keysOf(what: string): readonly string[] {
  return what === "defineSystem" || what === "defineShell" ? [...KEYS, "inputs", "specialArgs"] : [...KEYS];
}

function hintForKey(key: string, what: string): string {
  if (key === "specialArgs") return "specialArgs belongs to defineSystem and defineShell; a module gives arguments to the others with config: { _module: { args: { … } } }";
  const nearest = findNearestName(key, keysOf(what));
  return nearest === undefined ? `definitions of options go under config: ${what}({ config: { ${key}: … } })` : `did you mean "${nearest}"?`;
}

export function isModule(value: unknown): value is Module {
  return typeof value === "object" && value !== null && (value as Partial<Module>).kind === "module" && "imports" in value;
}

export function isModuleList(value: unknown): value is ModuleList {
  if (typeof value !== "object" || value === null) return false;
  const { kind, modules } = value as Partial<ModuleList>;
  return (kind === "system-config" || kind === "shell-config") && Array.isArray(modules);
}
