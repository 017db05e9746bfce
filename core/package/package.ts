import type { BuildAttributes } from "./build-attributes.ts";

/** What people and tools want to know of a package; nothing of it enters the derivation. */
export type PackageMeta = {
  /** One line, a noun phrase without a full stop. */
  readonly description?: string | undefined;
  readonly homepage?: string | undefined;
  /** An SPDX expression. */
  readonly license?: string | undefined;
  /** The file in `bin` that stands for the package. */
  readonly mainProgram?: string | undefined;
  /** Of two packages in a profile that hold the same file, the lower number wins. Default 5. */
  readonly priority?: number | undefined;
};

/**
 * A package: a derivation that is made only when something asks for it, seen through one of its outputs. In
 * a string it is the path of that output, and whatever uses the string depends on it.
 *
 * @example
 * `${pkgs.git}/bin/git`       // "/nix/store/…-git-2.47.3/bin/git"
 * `${pkgs.openssl.dev}/include`
 */
export interface Package {
  readonly kind: "derivation";
  /** The same as `kind`, as Nix spells it. */
  readonly type: "derivation";
  readonly name: string;
  readonly pname: string;
  readonly version: string;
  readonly meta: PackageMeta;
  readonly outputs: readonly string[];
  /** The output that this value stands for. */
  readonly outputName: string;
  readonly outPath: string;
  readonly drvPath: string;
  /** The attributes that it was made of, as `overrideAttrs` sees them. */
  readonly attributes: BuildAttributes;

  readonly out: Package;
  readonly bin: Package;
  readonly dev: Package;
  readonly lib: Package;
  readonly man: Package;
  readonly doc: Package;
  /**
   * The package seen through another output.
   * @throws TsosError `package.unknown-output`
   */
  output(name: string): Package;

  /** A derivation that runs the package; absent where its author gave none. */
  readonly test: Package | undefined;
  /** How the package's author says that new versions are found. */
  readonly update: PackageUpdate | undefined;

  /**
   * The same package built with other arguments: other packages, or its own options.
   * @throws TsosError `package.not-overridable` when it was not made by `definePackage`.
   */
  override(changes: Readonly<Record<string, unknown>>): Package;
  /** The same package with other attributes; what `change` returns is laid over what it is given. */
  overrideAttrs(change: (previous: BuildAttributes) => BuildAttributes): Package;

  /** The output's path. */
  toString(): string;
  toJSON(): string;
}

/** Where new versions of a package are found. */
export type PackageUpdate =
  | { readonly kind: "debian"; readonly package: string }
  | { readonly kind: "debian-source"; readonly package: string }
  | { readonly kind: "npm"; readonly package: string };

export function isPackage(value: unknown): value is Package {
  return (
    (typeof value === "object" || typeof value === "function") &&
    value !== null &&
    // A view of a configuration throws on reading what it has not; this asks without reading.
    "drvPath" in value &&
    (value as { readonly kind?: unknown }).kind === "derivation"
  );
}
