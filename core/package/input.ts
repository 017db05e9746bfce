import type { ModuleInput } from "../option/module.ts";
import type { Package } from "./package.ts";
import type { NixFile } from "./nix-file.ts";
import type { ProjectFiles } from "./project-files.ts";

/** What is not about where the source is: handed to whoever makes something of it, kept in no lock file. */
export type InputOptions = {
  /** Whether a `flake.nix` in it is one to evaluate; false takes it as nothing but a tree. */
  readonly flake?: boolean;
  /** For a source of packages: nixpkgs' own `config`, such as `{ allowUnfree: true }`. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** For a source of packages: what is laid over them, as functions of the finished set and of the one before. */
  readonly overlays?: readonly ((final: NixPackages, prev: NixPackages) => Readonly<Record<string, unknown>>)[];
  /**
   * For a source of packages: the binary caches that have them, asked for nothing else. Default: the public cache of
   * NixOS; none: `[]`.
   */
  readonly substituters?: readonly string[];
  /** Whose signatures count for those, as `name:base64`. Default: the public cache's key. */
  readonly trustedPublicKeys?: readonly string[];
};

/**
 * Packages of a Nix expression, such as nixpkgs: `pkgs.NAME` of an input of that name. What is no package there
 * (functions, sets of packages, `lib`) is as it is; who knows its type says so.
 */
export interface NixPackages {
  readonly [name: string]: NixPackage;
}

/** A package of a Nix expression; also what else stands among packages there. */
export type NixPackage = Package & {
  readonly [name: string]: unknown;
};

/** Where a source outside of the project is; `github(…)` and its like make it. */
export type InputSpec = {
  readonly kind: "input-spec";
  /** In the names of Nix's input schemes, or a URL. */
  readonly source: Readonly<Record<string, string | number | boolean>> | string;
  readonly options: InputOptions;
};

/** A source as a configuration uses it. It is fetched when something of it is first read. */
export type Input = {
  readonly kind: "input";
  readonly name: string;
  /** The store path of its tree; whatever uses the string depends on it. The same as `` `${input}` ``. */
  readonly outPath: string;
  /** The hash of its tree, in SRI form. */
  readonly narHash: string;
  /** The commit, where it has one. */
  readonly rev: string | undefined;
  readonly shortRev: string | undefined;
  /** When it was last changed, in seconds since 1970. */
  readonly lastModified: number | undefined;
  readonly options: InputOptions;
  /** A file or folder of it, in a store path of its own: what uses it is not built again when other parts change. */
  path(path: string, options?: { readonly name?: string }): string;
  /** The text of one of its files. */
  readFile(path: string): string;
  /** The names in one of its folders, sorted. */
  readFolder(path?: string): ReturnType<ProjectFiles["readFolder"]>;
  /**
   * The default export of one of its TypeScript files, for `imports`.
   * @example imports: [inputs.common.module("modules/users.ts")]
   */
  module(path: string): ModuleInput;
  /**
   * What one of its Nix files evaluates to; without a path its `default.nix`. Sets, lists and functions are evaluated
   * when they are used, derivations are packages.
   *
   * @example inputs.site.nix("package.nix")({ inherit: pkgs.nixpkgs.stdenv })
   * @throws TsosError `nix.evaluation` with Nix's own trace
   */
  nix<T = unknown>(path?: string): T;
  /**
   * One of its Nix files, unevaluated: for the modules of a NixOS system, and wherever Nix would take its path.
   *
   * @example modules: [inputs.hardware.nixFile("lenovo/thinkpad/x230/default.nix")]
   */
  nixFile(path: string): NixFile;
  toString(): string;
  toJSON(): string;
};

/** A URL with options: `{ url: "path:../nixpkgs", config: { allowUnfree: true } }`. */
export type InputUrl = InputOptions & { readonly url: string };

/** What names a source: a spec, a URL in the form of flakes (`github:owner/repo`), alone or with options, or `path("./folder")`. */
export type InputLike = InputSpec | InputUrl | string;
