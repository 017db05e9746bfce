import type { PackageChanges, PackageDefinition, PackageWith } from "./define-package.ts";

/**
 * Every name of the package set with its type. `pkgs` adds the embedded set by declaration merging; a
 * project that defines packages of its own in an overlay adds them the same way.
 *
 * @example
 * declare module "tsos" { interface Packages { readonly "my-tool": PackageOf<typeof myTool> } }
 */
export interface Packages {
  /** Makes a package of this set out of a definition, its arguments taken from the set but for `changes`. */
  callPackage<Options extends object>(definition: PackageDefinition<Options>, changes?: PackageChanges<Options>): PackageWith<Options>;
}

/** The names that `pkgs` has. */
export type PackageName = Extract<keyof Packages, string>;
