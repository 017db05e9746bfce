import type { BuildAttributes, CompileAttributes, StoreSource } from "./build-attributes.ts";
import type { EvaluationRegistry } from "./evaluation-registry.ts";
import type { Package } from "./package.ts";
import type { Packages } from "./packages.ts";

/** What a helper of the package set works with. */
export type HelperContext = {
  readonly pkgs: Packages;
  readonly registry: EvaluationRegistry;
  /** The platform that packages are built for: `x86_64-linux`. */
  readonly system: string;
  /** A package from a build's attributes; `compile` turns them into the derivation's. */
  createPackage(attributes: BuildAttributes, compile: CompileAttributes): Package;
  /** A text in the store, without a build. It may hold paths of other sources, not of what must be built. */
  toFile(name: string, contents: string): StoreSource;
};

/** A name of the package set that is no package: a function, or a set of them. */
export type HelperDefinition<T> = {
  readonly kind: "helper-definition";
  call(context: HelperContext): T;
};

/**
 * Defines a function of the package set, such as `mkDerivation`, `writeText` or `fetchurl`. What it returns is
 * written down where it is made of the set, since the set's type is made of its helpers'.
 *
 * @example
 * export const writeText = defineHelper(({ createPackage }) => (name: string, text: string): Package => …);
 */
export function defineHelper<T>(call: (context: HelperContext) => T): HelperDefinition<T> {
  return { kind: "helper-definition", call };
}

/** The type that a helper has in `Packages`. */
export type HelperValue<D> = D extends HelperDefinition<infer T> ? T : never;

export function isHelperDefinition(value: unknown): value is HelperDefinition<unknown> {
  return typeof value === "object" && value !== null && (value as { readonly kind?: unknown }).kind === "helper-definition";
}
