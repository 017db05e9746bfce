import { TsosError } from "../error/tsos-error.ts";
import type { Definable } from "../option/modifier.ts";
import { checkNixModules, type NixModuleParts, type NixosConfigOf, type NixosDefinitionsOf, type NixosModuleArguments, type NixValue } from "./define-nixos-system.ts";
import type { Input } from "./inputs.ts";
import type { NixFile } from "./nix-file.ts";

/**
 * What is known of the pinned tree of home-manager: declarations that `tsos update` makes of it fill in `options`. Without
 * them every name is taken.
 */
export interface PinnedHome {}

/** A home's configuration as a module reads it. */
export type HomeConfig = PinnedHome extends { readonly options: infer O } ? NixosConfigOf<O> : { readonly [name: string]: NixValue };

/** What a module of a home may define. */
export type HomeDefinitions = PinnedHome extends { readonly options: infer O } ? NixosDefinitionsOf<O> : Readonly<Record<string, unknown>>;

/** What a module of home-manager is called with. */
export interface HomeModuleArguments {
  readonly config: HomeConfig;
  /** The declared options, as `lib` of nixpkgs looks at them. */
  readonly options: { readonly [name: string]: NixValue };
  readonly pkgs: NixosModuleArguments["pkgs"];
  /** nixpkgs' own `lib`, with home-manager's as `lib.hm`. */
  readonly lib: { readonly hm: NixValue } & NixosModuleArguments["lib"];
  readonly modulesPath: string;
  /** The configuration of the machine, where the home belongs to one of NixOS. */
  readonly osConfig?: NixosModuleArguments["config"];
  readonly [name: string]: NixValue;
}

/**
 * A module of home-manager: definitions, or an object with `imports`, `options` and `config`, or a function that gives
 * one, or a file with one in the Nix language. In a home of its own, and as `home-manager.users.NAME` of a machine.
 */
export type HomeModule = NixFile | HomeModuleBody | ((args: HomeModuleArguments) => Definable<HomeModuleBody>);

/** A module of home-manager as an object. */
export type HomeModuleBody =
  | (HomeDefinitions & { readonly imports?: readonly HomeImport[] })
  | ({ readonly imports?: readonly HomeImport[]; readonly config?: Definable<HomeDefinitions> } & NixModuleParts);

/** In `imports` also the path of a file in full. */
export type HomeImport = HomeModule | string;

export type HomeDefinition = {
  /** The input whose packages it has; its options `config` and `overlays` are those of the packages. */
  readonly nixpkgs: Input;
  /** The input whose modules they are. */
  readonly homeManager: Input;
  readonly modules: readonly HomeModule[];
  /** What modules are given beside the usual, known before any of them is evaluated. */
  readonly extraSpecialArgs?: Readonly<Record<string, unknown>>;
};

/** A user's home: what `home.config.ts` exports. */
export type HomeConfiguration = HomeDefinition & { readonly kind: "home-config" };

/**
 * A user's home by home-manager's own modules, with definitions that may be TypeScript; what its
 * `homeManagerConfiguration` is in the Nix language.
 *
 * @example
 * const inputs = defineInputs({
 *   nixpkgs: github("NixOS/nixpkgs", "nixos-26.05"),
 *   homeManager: github("nix-community/home-manager", "release-26.05"),
 * });
 * export default defineHome({
 *   nixpkgs: inputs.nixpkgs,
 *   homeManager: inputs.homeManager,
 *   modules: [
 *     { home: { username: "ann", homeDirectory: "/home/ann", stateVersion: "26.05" } },
 *     ({ pkgs }) => ({ home: { packages: [pkgs.ripgrep] }, programs: { git: { enable: true } } }),
 *   ],
 * });
 * @throws TsosError `home.bad-definition`
 */
export function defineHome(definition: HomeDefinition): HomeConfiguration {
  const given: unknown = definition;
  if (typeof given !== "object" || given === null) throw bad(`defineHome takes an object, got ${given === null ? "null" : typeof given}`);
  const { nixpkgs, homeManager, modules, extraSpecialArgs = {} } = definition;
  for (const name of Object.keys(definition)) {
    if (!["nixpkgs", "homeManager", "modules", "extraSpecialArgs"].includes(name)) throw bad(`defineHome does not take "${name}"; expected "nixpkgs", "homeManager", "modules" or "extraSpecialArgs"`, "definitions of options go into a module");
  }
  if (!isInput(nixpkgs)) throw bad('"nixpkgs" must be an input', 'const inputs = defineInputs({ nixpkgs: github("NixOS/nixpkgs", "nixos-26.05"), … })');
  if (!isInput(homeManager)) throw bad('"homeManager" must be an input', 'const inputs = defineInputs({ homeManager: github("nix-community/home-manager", "release-26.05"), … })');
  if (!Array.isArray(modules)) throw bad('"modules" must be a list');
  checkNixModules(modules, bad);
  return Object.freeze({ kind: "home-config", nixpkgs, homeManager, modules, extraSpecialArgs });
}

export function isHomeConfiguration(value: unknown): value is HomeConfiguration {
  return typeof value === "object" && value !== null && (value as { readonly kind?: unknown }).kind === "home-config";
}

function isInput(value: unknown): value is Input {
  return (value as Partial<Input> | undefined)?.kind === "input";
}

function bad(message: string, hint?: string): TsosError {
  return new TsosError({ code: "home.bad-definition", message, hint });
}
