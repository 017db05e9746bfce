/**
 * The interfaces that other folders and users' projects extend. A user writes `declare module "tsos"`, this
 * repository's own files name this file.
 */
import type { Lib } from "./lib.ts";
import type { Config, Options, ShellConfig, ShellOptions } from "./config-types.ts";
import type { ExtendModules } from "./evaluate-modules.ts";

/**
 * Every module's declared options by the module's name. `Config` and `Definitions` are made of them.
 *
 * @example
 * const options = defineOptions({ services: { hello: { enable: option(types.bool, { default: false }) } } });
 * declare module "tsos" { interface OptionModules { hello: typeof options } }
 */
export interface OptionModules {}

/** The same for the options of a dev shell. */
export interface ShellOptionModules {}

/**
 * The options of tsos's own modules as they are written down when tsos is built, so that a user's program need not
 * infer them. Empty in this repository's own program, where they are in `OptionModules`.
 */
export interface DeclaredOptions {}

/** The same of dev shells. */
export interface DeclaredShellOptions {}

/**
 * The configuration's inputs as its modules are given them. A project names its own, so that their names are known:
 *
 * @example
 * declare module "tsos" { interface Inputs { common: Input } }
 */
export interface Inputs {}

/** What every function of a configuration is given besides `config`: `pkgs` is added by `core/index.ts`. */
export interface CommonArguments {
  readonly lib: Lib;
}

/**
 * What `specialArgs` of the configuration gives to every function, also to those of `imports`. A project names its own,
 * so that its modules know them by their types:
 *
 * @example
 * const specialArgs = { site: "fra1" };
 * declare module "tsos" { interface SpecialArguments extends Readonly<typeof specialArgs> {} }
 * export default defineSystem({ specialArgs, imports: ({ site }) => [sites[site]] });
 */
export interface SpecialArguments {}

/** What an `imports` function is given: what is known before anything is evaluated. `inputs` is added by `core/index.ts`. */
export interface ImportArguments extends SpecialArguments {
  readonly lib: Lib;
}

/** What a module's `config` function is given. Projects that pass `_module.args` add theirs here. */
export interface ModuleArguments extends CommonArguments, SpecialArguments {
  /** The merged configuration. What is read of it is noted, and the module runs again when that changes. */
  readonly config: Config;
  /** The declared options: whether they are defined, by whom, with which priority. */
  readonly options: Options;
  /** The same modules and others, evaluated on their own: a variant of the machine. */
  readonly extendModules: ExtendModules<Config>;
}

/** What the `config` function of a module of a dev shell is given. */
export interface ShellArguments extends CommonArguments, SpecialArguments {
  readonly config: ShellConfig;
  readonly options: ShellOptions;
}

/** Types that live on higher floors: `core/index.ts` says what a package and a secret are. */
export interface ForeignTypes {}
