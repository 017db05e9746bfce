import { TsosError } from "../error/tsos-error.ts";
import type { Definable } from "../option/modifier.ts";
import { checkNixDefinition } from "./check-nix-definition.ts";
import type { Input } from "./input.ts";
import type { NixFile } from "./nix-file.ts";
import type { NixValue } from "./nix-value.ts";

/**
 * What is known of the pinned tree: declarations that `tsos update` makes of it fill in `options` and `packages`. Without
 * them every name is taken.
 */
export interface PinnedNixos {}

/** An option of NixOS: what reading it gives, and what may be defined. */
export type NixosOption<Read, Define = Read> = { readonly [nixosOption]: readonly [read: Read, define: Define] };
declare const nixosOption: unique symbol;

/** A definition as it is, or what `lib.mkIf`, `lib.mkForce` and their like make of one. */
export type NixosDefinable<T> = Definable<T>;

/** What options hold when they are read. */
export type NixosConfigOf<T> = { readonly [K in keyof T]: T[K] extends NixosOption<infer Read, infer _> ? Read : NixosConfigOf<T[K]> };

/** What may be said of options. */
export type NixosDefinitionsOf<T> = { readonly [K in keyof T]?: Definable<T[K] extends NixosOption<infer _, infer Define> ? Define : NixosDefinitionsOf<T[K]>> };

/** Whatever is in NixOS' tree, for a tree that nothing is known of. */
type AnyNixosConfig = { readonly [name: string]: NixValue };

/**
 * Options that modules of the project or of other inputs declare, by their paths: the declarations of a pinned tree do not have them.
 *
 * @example
 * declare module "tsos" {
 *   interface NixosOwnOptions {
 *     readonly "services.greeter.enable": boolean;
 *     readonly "services.greeter.port": number;
 *   }
 * }
 */
export interface NixosOwnOptions {}

/** The options of a tree, with those that a project names by their paths. */
export type NixosOptionsWith<Tree, Own> = [keyof Own] extends [never] ? Tree : Tree & Intersection<{ [Path in keyof Own & string]: OptionAtPath<Path, Own[Path]> }[keyof Own & string]>;
type OptionAtPath<Path extends string, Value> = Path extends `${infer First}.${infer Rest}` ? { readonly [Name in First]: OptionAtPath<Rest, Value> } : { readonly [Name in Path]: NixosOption<Value> };
type Intersection<Union> = (Union extends unknown ? (one: Union) => void : never) extends (all: infer All) => void ? All : never;

/** NixOS' configuration as a module reads it. */
export type NixosConfig = PinnedNixos extends { readonly options: infer O } ? NixosConfigOf<NixosOptionsWith<O, NixosOwnOptions>> : AnyNixosConfig;

/** Options that modules of other inputs declare, which the declarations of a pinned tree do not have. A project may add its own. */
export interface NixosAddedDefinitions {
  /** Of home-manager's `nixos` module: `users.NAME` is a `HomeModule`. */
  readonly "home-manager"?: NixValue;
}

/** What a module of NixOS may define. */
export type NixosDefinitions = PinnedNixos extends { readonly options: infer O } ? NixosDefinitionsOf<NixosOptionsWith<O, NixosOwnOptions>> & NixosAddedDefinitions : Readonly<Record<string, unknown>>;

/** What a module of NixOS is called with. A project extends it with what its `specialArgs` hold. */
export interface NixosModuleArguments {
  readonly config: NixosConfig;
  /** The declared options, as `lib` of nixpkgs looks at them. */
  readonly options: AnyNixosConfig;
  /** The packages as the configuration has them: with its overlays. */
  readonly pkgs: PinnedNixos extends { readonly packages: infer P } ? P : AnyNixosConfig;
  /** nixpkgs' own `lib`. */
  readonly lib: AnyNixosConfig & { toString(value: NixValue): string };
  readonly modulesPath: string;
  readonly [name: string]: NixValue;
}

/** What a module of nixpkgs' module system can have beside definitions and imports. */
export type NixModuleParts = { readonly disabledModules?: readonly NixValue[]; readonly options?: NixValue; readonly key?: string; readonly freeformType?: NixValue; readonly meta?: NixValue; readonly _class?: string; readonly _file?: string };

/** A module as an object: definitions, or with the parts that a module can have. */
export type NixosModuleBody =
  | (NixosDefinitions & { readonly imports?: readonly NixosImport[] })
  | ({ readonly imports?: readonly NixosImport[]; readonly config?: Definable<NixosDefinitions> } & NixModuleParts);

/**
 * A module of NixOS: definitions, or an object with `imports`, `options` and `config`, or a function that gives one,
 * or a file with one in the Nix language.
 */
export type NixosModule = NixFile | NixosModuleBody | ((args: NixosModuleArguments) => Definable<NixosModuleBody>);

/** In `imports` also the path of a file in full, such as `${modulesPath}/profiles/minimal.nix`. */
export type NixosImport = NixosModule | string;

export type NixosSystemDefinition = {
  /** The input whose NixOS it is. */
  readonly nixpkgs: Input;
  readonly modules: readonly NixosModule[];
  /** What modules are given beside the usual, known before any of them is evaluated. */
  readonly specialArgs?: Readonly<Record<string, unknown>>;
};

/** A machine of NixOS: what `system.config.ts` exports. */
export type NixosSystemConfig = NixosSystemDefinition & { readonly kind: "nixos-config" };

/**
 * A machine whose modules are NixOS' own, and whose definitions may be TypeScript.
 *
 * @example
 * const inputs = defineInputs({ nixpkgs: github("NixOS/nixpkgs", "nixos-26.05") });
 * export default defineNixosSystem({
 *   nixpkgs: inputs.nixpkgs,
 *   modules: [
 *     nixFile("./hardware-configuration.nix"),
 *     ({ pkgs }) => ({ services: { openssh: { enable: true } }, environment: { systemPackages: [pkgs.git] } }),
 *   ],
 * });
 * @throws TsosError `nixos.bad-definition`
 */
export function defineNixosSystem(definition: NixosSystemDefinition): NixosSystemConfig {
  checkNixDefinition(definition, {
    caller: "defineNixosSystem",
    names: ["nixpkgs", "modules", "specialArgs"],
    inputs: { nixpkgs: 'const inputs = defineInputs({ nixpkgs: github("NixOS/nixpkgs", "nixos-26.05") })' },
    refuse: (message, hint) => new TsosError({ code: "nixos.bad-definition", message, hint }),
  });
  const { nixpkgs, modules, specialArgs = {} } = definition;
  return Object.freeze({ kind: "nixos-config", nixpkgs, modules, specialArgs });
}

export function isNixosSystemConfig(value: unknown): value is NixosSystemConfig {
  return typeof value === "object" && value !== null && (value as { readonly kind?: unknown }).kind === "nixos-config";
}
