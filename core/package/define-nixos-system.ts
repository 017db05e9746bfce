import { TsosError } from "../error/tsos-error.ts";
import type { Input } from "./inputs.ts";
import type { NixFile } from "./nix-file.ts";

/**
 * A value of NixOS' tree of options, or of nixpkgs. Which options there are depends on the pinned tree, so without
 * declarations made from that tree nothing is known of their types.
 */
// The one `any` of the public interface: every other type would refuse what is right.
export type NixValue = any;

/** NixOS' configuration as a module reads it; declarations made from a pinned tree extend it. */
export interface NixosConfig {
  readonly [name: string]: NixValue;
}

/** What a module of NixOS is called with. A project extends it with what its `specialArgs` hold. */
export interface NixosModuleArguments {
  readonly config: NixosConfig;
  /** The declared options, as `lib` of nixpkgs looks at them. */
  readonly options: NixosConfig;
  /** The packages as the configuration has them: with its overlays. */
  readonly pkgs: NixosConfig;
  /** nixpkgs' own `lib`. */
  readonly lib: NixosConfig;
  readonly modulesPath: string;
  readonly [name: string]: NixValue;
}

/**
 * A module of NixOS: definitions, or an object with `imports`, `options` and `config`, or a function that gives one,
 * or a file with one in the Nix language.
 */
export type NixosModule = NixFile | Readonly<Record<string, unknown>> | ((args: NixosModuleArguments) => object);

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
  const given: unknown = definition;
  if (typeof given !== "object" || given === null) throw bad(`defineNixosSystem takes an object, got ${given === null ? "null" : typeof given}`);
  const { nixpkgs, modules, specialArgs = {} } = definition;
  for (const name of Object.keys(definition)) {
    if (!["nixpkgs", "modules", "specialArgs"].includes(name)) throw bad(`defineNixosSystem does not take "${name}"; expected "nixpkgs", "modules" or "specialArgs"`, "definitions of options go into a module");
  }
  if ((nixpkgs as Partial<Input> | undefined)?.kind !== "input") throw bad('"nixpkgs" must be an input', 'const inputs = defineInputs({ nixpkgs: github("NixOS/nixpkgs", "nixos-26.05") })');
  if (!Array.isArray(modules)) throw bad('"modules" must be a list');
  for (const [index, module] of (modules as readonly unknown[]).entries()) {
    if ((typeof module === "object" && module !== null && !Array.isArray(module)) || typeof module === "function") continue;
    throw bad(`modules[${index}] is ${typeof module === "string" ? `the string "${module}"` : Array.isArray(module) ? "a list" : module === null ? "null" : typeof module}, expected a module`, 'a file in the Nix language is nixFile("./name.nix") or inputs.NAME.nixFile("path/name.nix")');
  }
  return Object.freeze({ kind: "nixos-config", nixpkgs, modules, specialArgs });
}

export function isNixosSystemConfig(value: unknown): value is NixosSystemConfig {
  return typeof value === "object" && value !== null && (value as { readonly kind?: unknown }).kind === "nixos-config";
}

function bad(message: string, hint?: string): TsosError {
  return new TsosError({ code: "nixos.bad-definition", message, hint });
}
