import type { DerivationAttributes, DerivationValue } from "./derivation-attributes.ts";
import type { Package, PackageMeta } from "./package.ts";

/** A path in the store: a package, a source, or a string that holds one. */
export type StoreObject = Package | StoreSource | string;

/** Something in the store that is not built: a text or a file of the project. */
export interface StoreSource {
  readonly kind: "source";
  readonly name: string;
  /** The store path, in full. */
  readonly path: string;
  toString(): string;
  toJSON(): string;
}

/**
 * The attributes of a build: those that stdenv's phases know, and any other, which the builder finds in its
 * environment. `overrideAttrs` changes them.
 */
export interface BuildAttributes {
  readonly pname?: string | undefined;
  readonly version?: string | undefined;
  /** Default: `pname-version`. */
  readonly name?: string | undefined;
  readonly outputs?: readonly string[] | undefined;
  /** An archive, or a folder. */
  readonly src?: StoreObject | undefined;
  /** The folder that unpacking leaves and the phases run in; default: the only one there is. */
  readonly sourceRoot?: string | undefined;
  readonly patches?: readonly StoreObject[] | undefined;
  /** Tools that run during the build. */
  readonly nativeBuildInputs?: readonly StoreObject[] | undefined;
  /** Libraries that the result uses. */
  readonly buildInputs?: readonly StoreObject[] | undefined;
  /** Libraries that whoever uses the result needs too. */
  readonly propagatedBuildInputs?: readonly StoreObject[] | undefined;
  readonly configureFlags?: readonly (string | Package)[] | undefined;
  readonly makeFlags?: readonly string[] | undefined;
  readonly buildFlags?: readonly string[] | undefined;
  readonly installFlags?: readonly string[] | undefined;
  readonly checkFlags?: readonly string[] | undefined;
  readonly doCheck?: boolean | undefined;
  readonly dontConfigure?: boolean | undefined;
  readonly dontBuild?: boolean | undefined;
  readonly dontInstall?: boolean | undefined;
  readonly dontFixup?: boolean | undefined;
  readonly dontStrip?: boolean | undefined;
  readonly enableParallelBuilding?: boolean | undefined;
  /** Environment variables, kept apart from the builder's own settings. */
  readonly env?: Readonly<Record<string, DerivationValue>> | undefined;
  readonly phases?: readonly string[] | undefined;
  readonly meta?: PackageMeta | undefined;
  /** Properties of the package value that do not enter the derivation. */
  readonly passthru?: Readonly<Record<string, unknown>> | undefined;
  readonly [attribute: string]: unknown;
}

/** Turns a build's attributes into the derivation's own. */
export type CompileAttributes = (attributes: BuildAttributes) => DerivationAttributes;
