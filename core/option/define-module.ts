import type { Checked, Definitions, Unwritten, Written } from "./config-types.ts";
import type { Definable } from "./modifier.ts";
import type { OverlayFunction } from "./foreign-types.ts";
import { createModule } from "./module.ts";
import type { Module, ModuleInput } from "./module.ts";
import type { OptionTree } from "./option.ts";
import type { OptionType } from "./option-type.ts";
import type { ImportArguments, ModuleArguments } from "./registry.ts";

/** The parts of a module that do not depend on the configuration. */
export type ModuleParts<Special = unknown> = {
  /** A name by which `disabledModules` finds it, and by which two copies are one. */
  readonly key?: string;
  /** Where it stands, when that is not where it is made. */
  readonly file?: string;
  /**
   * Other modules that belong to it; each is taken once, however often it is imported. A function gets the
   * configuration's `specialArgs`, `inputs` and `lib`, but not `config`: which modules there are comes first.
   */
  readonly imports?: readonly ModuleInput[] | ((args: ImportArguments & Special) => readonly ModuleInput[]);
  /** Modules that are left out: themselves or their keys. */
  readonly disabledModules?: readonly (string | ModuleInput)[];
  /** The type of definitions that have no option. */
  readonly freeformType?: OptionType;
  /**
   * Changes of the package set, laid over it before anything is evaluated: what they make is in every module's
   * `pkgs`. They cannot depend on the configuration.
   * @example
   * overlays: [(final, prev) => ({ hello: prev.hello.overrideAttrs(() => ({ doCheck: false })) })]
   */
  readonly overlays?: readonly OverlayFunction[];
  /** For people and tools: maintainers, documentation. */
  readonly meta?: Readonly<Record<string, unknown>>;
};

/**
 * A module: options that it declares, and what it defines.
 *
 * `config` is plain code. It is run against a snapshot of the configuration and again whenever what it read
 * changes, so it must return the same for the same, and change nothing. `defaults` is the same for values that
 * are only defaults (priority 1400) of options whose default depends on the configuration.
 *
 * @example
 * const options = defineOptions({ services: { hello: { enable: option(types.bool, { default: false }) } } });
 * declare module "tsos" { interface OptionModules { hello: typeof options } }
 * export default defineModule({
 *   options,
 *   config: ({ config, pkgs, lib }) => lib.mkIf(config.services.hello.enable, {
 *     environment: { systemPackages: [pkgs.hello] },
 *   }),
 * });
 */
export function defineModule<C extends object = (SystemFunction | Definitions) & Unwritten, D extends object = (SystemFunction | Definitions) & Unwritten>(
  module: DeclaringParts & {
    readonly config?: Checked<C, ModuleArguments, Definitions>;
    readonly defaults?: Checked<D, ModuleArguments, Definitions>;
  } & Written<"config", C, ModuleArguments, Definitions> &
    Written<"defaults", D, ModuleArguments, Definitions>,
): Module {
  return createModule(module as Partial<Module>, new Error("defineModule"));
}

/** The `config` of a module, by which an editor completes. */
export type SystemFunction = (args: ModuleArguments) => Definable<Definitions>;

export type DeclaringParts<Special = unknown> = ModuleParts<Special> & { readonly options?: OptionTree };
