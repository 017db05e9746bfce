import type { PackageDefinition } from "./define-package.ts";
import type { Package } from "./package.ts";

/**
 * Every name of the package set with its type. `pkgs` adds the embedded set by declaration merging; a
 * project that defines packages of its own in an overlay adds them the same way.
 *
 * @example
 * declare module "tsos" { interface Packages { readonly "my-tool": Package } }
 */
export interface Packages {
  /** Makes a package of this set out of a definition, its arguments taken from the set but for `changes`. */
  callPackage(definition: PackageDefinition, changes?: Readonly<Record<string, unknown>>): Package;
}

/** The names that `pkgs` has. */
export type PackageName = Extract<keyof Packages, string>;
