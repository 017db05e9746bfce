import { TsosError } from "../error/tsos-error.ts";
import type { Definable } from "../option/modifier.ts";
import { checkNixDefinition } from "./check-nix-definition.ts";
import type { NixModuleParts, NixosConfigOf, NixosDefinitionsOf, NixosModuleArguments, NixosOptionsWith } from "./define-nixos-system.ts";
import type { Input } from "./input.ts";
import type { NixFile } from "./nix-file.ts";
import type { NixValue } from "./nix-value.ts";

/**
 * What is known of the pinned tree of home-manager: declarations that `tsos update` makes of it fill in `options`. Without
 * them every name is taken.
 */
export interface PinnedHome {}

/** Options that modules of the project or of other inputs declare for a home, by their paths, as `NixosOwnOptions` has those of a machine. */
export interface HomeOwnOptions {}

/** A home's configuration as a module reads it. */
export type HomeConfig = PinnedHome extends { readonly options: infer O } ? NixosConfigOf<NixosOptionsWith<O, HomeOwnOptions>> : { readonly [name: string]: NixValue };

/** What a module of a home may define. */
export type HomeDefinitions = PinnedHome extends { readonly options: infer O } ? NixosDefinitionsOf<NixosOptionsWith<O, HomeOwnOptions>> : Readonly<Record<string, unknown>>;

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
  checkNixDefinition(definition, {
    caller: "defineHome",
    names: ["nixpkgs", "homeManager", "modules", "extraSpecialArgs"],
    inputs: {
      nixpkgs: 'const inputs = defineInputs({ nixpkgs: github("NixOS/nixpkgs", "nixos-26.05"), … })',
      homeManager: 'const inputs = defineInputs({ homeManager: github("nix-community/home-manager", "release-26.05"), … })',
    },
    refuse: (message, hint) => new TsosError({ code: "home.bad-definition", message, hint }),
  });
  const { nixpkgs, homeManager, modules, extraSpecialArgs = {} } = definition;
  return Object.freeze({ kind: "home-config", nixpkgs, homeManager, modules, extraSpecialArgs });
}

export function isHomeConfiguration(value: unknown): value is HomeConfiguration {
  return typeof value === "object" && value !== null && (value as { readonly kind?: unknown }).kind === "home-config";
}
