/** The public API: what a user imports from `"tsos"`. Pure, so that it runs in the evaluation isolate. */
export type { BuildAttributes, CompileAttributes, StoreObject, StoreSource } from "./package/build-attributes.ts";
export { defineHelper, type HelperContext, type HelperDefinition, type HelperValue } from "./package/define-helper.ts";
export { definePackage, type BuildArguments, type PackageChanges, type PackageDefinition, type PackageInit, type PackageOf, type PackageWith } from "./package/define-package.ts";
export type { DerivationAttributes, DerivationValue } from "./package/derivation-attributes.ts";
export { EvaluationRegistry } from "./package/evaluation-registry.ts";
export type { Instantiation } from "./derivation/instantiation.ts";
export { defineInputs } from "./package/define-inputs.ts";
export type { Input, InputLike, InputOptions, InputSpec, InputUrl, NixPackage, NixPackages } from "./package/input.ts";
export { git, github, gitlab, sourcehut, tarball, type ForgeInput, type GitInput, type TarballInput } from "./package/input-spec.ts";
export { defineHome, isHomeConfiguration, type HomeConfig, type HomeConfiguration, type HomeDefinition, type HomeDefinitions, type HomeImport, type HomeModule, type HomeModuleArguments, type HomeModuleBody, type HomeOwnOptions, type PinnedHome } from "./package/define-home.ts";
export { defineNixosSystem, isNixosSystemConfig, type NixosConfig, type NixModuleParts, type NixosImport, type NixosAddedDefinitions, type NixosConfigOf, type NixosDefinable, type NixosDefinitions, type NixosDefinitionsOf, type NixosModuleBody, type NixosOption, type NixosOptionsWith, type NixosOwnOptions, type PinnedNixos, type NixosModule, type NixosModuleArguments, type NixosSystemConfig, type NixosSystemDefinition } from "./package/define-nixos-system.ts";
export type { NixDagEntry, NixGvariant, NixValue } from "./package/nix-value.ts";
export type { NixFile } from "./package/nix-file.ts";
export { isPackage, type Package, type PackageMeta, type PackageUpdate } from "./package/package.ts";
export { createPackageSet, type Overlay, type PackageSetEntry } from "./package/package-set.ts";
// Whole, so that `declare module "tsos"` can add the packages of a project.
export type * from "./package/packages.ts";
export { nixExpression, nixFile, path, readFile, readFolder } from "./package/project-files.ts";
export { isSecret, secretFile, type Secret } from "./package/secret.ts";
import type { Package } from "./package/package.ts";
import type { Overlay } from "./package/package-set.ts";
import type { Packages } from "./package/packages.ts";
import type { Input, InputLike } from "./package/input.ts";
import type { Secret } from "./package/secret.ts";

// What core/option, which is on a lower floor, knows only by name.
declare module "./option/registry.ts" {
  interface CommonArguments {
    /** The package set. */
    readonly pkgs: Packages;
    /** The inputs of the configuration by their names. */
    readonly inputs: Inputs;
  }
  interface ImportArguments {
    readonly inputs: Inputs;
  }
  interface ForeignTypes {
    readonly package: Package;
    readonly secret: Secret;
    readonly overlay: Overlay;
    readonly inputLike: InputLike | Input;
  }
}

export type { Assertion } from "./option/base-options.ts";
export type { Config, ConfigOf, DeclaringModule, Definitions, DefinitionsOf, OptionAt, OptionRemoved, Options, ShellConfig, ShellDefinitions, ShellOptions } from "./option/config-types.ts";
export { defineModule } from "./option/define-module.ts";
export { defineShell, type ShellConfiguration } from "./option/define-shell.ts";
export { defineSystem, type SystemConfig } from "./option/define-system.ts";
export { lib, type Lib } from "./option/lib.ts";
export type { AnyModified, Definable, Modified } from "./option/modifier.ts";
export type { ExtendModules, ModuleExtension } from "./option/evaluate-modules.ts";
export type { Module, ModuleInput } from "./option/module.ts";
export { defineOptions, option, type Option, type OptionTree } from "./option/option.ts";
export type { OptionType } from "./option/option-type.ts";
export type { OptionsOf, OptionsView, OptionView } from "./option/options-view.ts";
// Whole, since only so can `declare module "tsos"` extend its interfaces.
export type * from "./option/registry.ts";
export { types } from "./option/types.ts";
export { variantType, type VariantDefinition } from "./option/variant-type.ts";

export { dedent } from "./util/dedent.ts";
export { TsosError, type TsosErrorInit } from "./error/tsos-error.ts";
export { MANIFEST_VERSION, type EtcEntry, type SystemManifest, type UserEntry } from "./system/manifest.ts";
export { toplevelEntries, type ToplevelParts } from "./system/toplevel.ts";
