import type { Package, PackageMeta, PackageUpdate } from "./package.ts";
import type { BuildAttributes } from "./build-attributes.ts";
import type { Packages } from "./packages.ts";
import { createDefinedPackage } from "./create-package.ts";
import type { EvaluationRegistry } from "./evaluation-registry.ts";

/** What `build` is called with: the whole package set, the package's own options, and its name and version. */
export type BuildArguments<Options extends object> = Packages & Options & { readonly pname: string; readonly version: string };

export type PackageInit<Options extends object> = PackageMeta & {
  readonly pname: string;
  readonly version: string;
  /** The package's own options with their defaults; `override` changes them. */
  readonly options?: Options | undefined;
  readonly build: (args: BuildArguments<Options>) => Package;
  /** A derivation that fails when the package does not work. */
  readonly test?: ((args: BuildArguments<Options> & { readonly self: Package }) => Package) | undefined;
  readonly update?: PackageUpdate | undefined;
  /** Further properties of the package value. */
  readonly passthru?: Readonly<Record<string, unknown>> | undefined;
};

/** A package on one page, before a package set has called it. */
export type PackageDefinition<Options extends object = object> = {
  readonly kind: "package-definition";
  /** The package's own options with their defaults. */
  readonly options: Options;
  readonly pname: string;
  readonly version: string;
  readonly meta: PackageMeta;
  /** Makes the package out of a set. */
  call(registry: EvaluationRegistry, packages: Packages, changes?: Readonly<Record<string, unknown>>): Package;
};

/** What `override` of a package may change: its own options, its name and version, and the packages that it is made of. */
export type PackageChanges<Options extends object> = Partial<Options> & { readonly pname?: string; readonly version?: string } & {
  readonly [Name in Exclude<keyof Packages, keyof Options | "pname" | "version">]?: Packages[Name];
};

/** A package whose own options the type checker knows. */
export interface PackageWith<Options extends object> extends Package {
  override(changes: PackageChanges<Options>): PackageWith<Options>;
  overrideAttrs(change: (previous: BuildAttributes) => BuildAttributes): PackageWith<Options>;
}

/**
 * The package that a definition makes, for a project's own names in `pkgs`.
 * @example
 * declare module "tsos" { interface Packages { readonly mytool: PackageOf<typeof mytool> } }
 */
export type PackageOf<Definition> = Definition extends PackageDefinition<infer Options> ? PackageWith<Options> : Package;

/**
 * Defines a package: what it is, how it is built, how it is tested, where new versions come from.
 *
 * @example
 * export default definePackage({
 *   pname: "hello",
 *   version: "2.12.1",
 *   description: "program that prints a friendly greeting",
 *   license: "GPL-3.0-or-later",
 *   mainProgram: "hello",
 *   build: ({ pname, version, mkDerivation, fetchurl }) =>
 *     mkDerivation({ pname, version, src: fetchurl({ url: "mirror://…", hash: "sha256-…" }) }),
 *   test: ({ self, runCommand }) => runCommand("hello-test", {}, `${self}/bin/hello > $out`),
 * });
 * // → pkgs.hello, whose `${pkgs.hello}` is "/nix/store/…-hello-2.12.1"
 */
export function definePackage<Options extends object = Record<never, never>>(init: PackageInit<Options>): PackageDefinition<Options> {
  const { pname, version, description, homepage, license, mainProgram, priority } = init;
  const meta: PackageMeta = { description, homepage, license, mainProgram, priority };
  return {
    kind: "package-definition",
    // Without any, the type has no names either.
    options: init.options ?? ({} as Options),
    pname,
    version,
    meta,
    call(registry, packages, changes) {
      const argumentsOf = (changed: Readonly<Record<string, unknown>>, self?: Package) =>
        layArguments(packages, { ...init.options, pname, version, ...(self === undefined ? {} : { self }), ...changed });
      return createDefinedPackage(
        {
          registry,
          pname,
          version,
          meta,
          update: init.update,
          passthru: init.passthru,
          options: Object.keys(init.options ?? {}),
          takes: (name) => name === "pname" || name === "version" || Object.hasOwn(init.options ?? {}, name) || Reflect.has(packages, name),
          // The proxy below answers for every name of these types, by the set or by the options.
          build: (changed) => init.build(argumentsOf(changed) as BuildArguments<Options>),
          test: (changed, self) => init.test?.(argumentsOf(changed, self) as BuildArguments<Options> & { readonly self: Package }),
        },
        changes,
      );
    },
  };
}

/** `own` before `packages`, without reading anything of either. */
function layArguments(packages: Packages, own: Readonly<Record<string, unknown>>): object {
  return new Proxy(own, {
    get: (target, key) => (Object.hasOwn(target, key) ? Reflect.get(target, key) : Reflect.get(packages, key)),
    has: (target, key) => Object.hasOwn(target, key) || Reflect.has(packages, key),
  });
}

export function isPackageDefinition(value: unknown): value is PackageDefinition {
  return typeof value === "object" && value !== null && (value as { readonly kind?: unknown }).kind === "package-definition";
}
