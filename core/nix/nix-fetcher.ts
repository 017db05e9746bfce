import type { Hash } from "../hash/hash.ts";
import type { StorePath } from "../store-path/store-path.ts";
import type { ByteString } from "../util/bytes.ts";

/** A source as the language writes it: `{ type = "github"; owner = "a"; repo = "b"; }`; of a flake with its `dir`. */
export type NixSource = Readonly<Record<string, ByteString | number | boolean>>;

/** Which registries may say what a name stands for: only the global one for what a flake of others asks. */
export type UsedRegistries = "all" | "limited" | "none";

export type FlakeRefOptions = {
  /** What paths are relative to; without one only absolute paths are known. */
  readonly folder?: ByteString | undefined;
  /** A relative path stays one: for who knows the tree that it is in. */
  readonly keepRelative?: boolean | undefined;
  /** A folder without a `flake.nix` will do. */
  readonly allowMissing?: boolean | undefined;
};

/**
 * How an evaluation gets at sources that are elsewhere. What is wrong is a NixError, in the reference's words where it
 * has such.
 */
export type NixFetcher = {
  /** @throws NixError of kind `restricted` where a restricted evaluation may not fetch it */
  checkUri(uri: ByteString): void;
  parse(url: ByteString): NixSource;
  check(source: NixSource): NixSource;
  format(source: NixSource): ByteString;
  /** Whether it names one tree for ever. */
  isLocked(source: NixSource): boolean;
  /** `git@host:path` and plain paths as URLs. */
  fixGitUrl(url: ByteString): ByteString;
  /** `nixpkgs`, `github:a/b?dir=c`, `./x`: with `dir`, where it has one. */
  parseFlakeRef(text: ByteString, options: FlakeRefOptions): NixSource;
  formatFlakeRef(source: NixSource): ByteString;
  /** An entry before all of them; with `dir`, where it has one. */
  overrideRegistry(from: NixSource, to: NixSource): void;
  /** What the registries say of a name; with `dir`, where they do. */
  resolve(source: NixSource, registries: UsedRegistries): NixSource;
  /** Into the store. `isFinal`: its attributes are from a lock file, and stay as they are. */
  fetch(source: NixSource, isFinal: boolean): { readonly path: StorePath; readonly source: NixSource };
  /** Lets the evaluation see a path that is there already, since its expected hash names it. */
  allow(path: StorePath): void;
  /** One file, as it is; `hash` is the SHA-256 of its bytes. */
  fetchFile(url: ByteString, name: ByteString): { readonly path: StorePath; readonly hash: Hash };
  /** A path of a binary cache with all that it needs; `toPath`: made content-addressed ("" where the name is not known). */
  fetchClosure(request: { readonly fromStore: ByteString; readonly fromPath: StorePath; readonly toPath?: StorePath | "" | undefined; readonly inputAddressed: boolean }): StorePath;
};
