import type { Derivation } from "../derivation/derivation.ts";
import type { Hash } from "../hash/hash.ts";
import type { NixFetcher } from "./nix-fetcher.ts";
import type { StorePath } from "../store-path/store-path.ts";
import type { ByteString } from "../util/bytes.ts";

export type NixFileKind = "regular" | "directory" | "symlink" | "unknown";

export type AddPathOptions = {
  readonly include?: ((path: ByteString, kind: NixFileKind) => boolean) | undefined;
  readonly references?: readonly StorePath[] | undefined;
  readonly expected?: Hash | undefined;
};

/** A file as it was when it was read. */
export type SourceFile = {
  /** SHA-256 of its bytes, in base 16. */
  readonly hash: string;
  text(): ByteString;
};

/**
 * All that an evaluation can see or do outside of itself. Everything is synchronous, as the language is; paths are byte
 * strings and absolute. What is not allowed throws a NixError of kind `restricted`.
 */
export type NixIo = {
  readonly storeDir: ByteString;
  readonly home: ByteString | undefined;
  readonly currentSystem: ByteString | undefined;
  /** Asked once it is wanted: what depends on it is different each time. */
  readonly currentTime: (() => number) | undefined;
  /** `<name/…>`: prefix ("" for a folder of names) and path. */
  readonly searchPath: readonly { readonly prefix: ByteString; readonly path: ByteString }[];
  /** No file but what the evaluation itself put into the store, no environment, no clock. */
  readonly pure: boolean;
  /** Where an entry of the search path leads: a path that is there, fetched first where it is a URL. */
  /** The store path of what a URL, `channel:…` or `flake:…` names. @throws NixError */
  fetchEntry?(value: ByteString): ByteString;
  findSearchPathEntry(path: ByteString): ByteString | undefined;
  getEnvironment(name: ByteString): ByteString;
  /** @throws NixError of kind `restricted` where a file may not be seen: `fileKind` finds nothing there */
  checkAccess(path: ByteString): void;
  /** Folders that are there, as they are asked for, and where they really are: for who remembers kinds of files. */
  readonly resolvedFolders?: Map<ByteString, ByteString>;
  /** Without following a symbolic link at its end; undefined where there is nothing. */
  fileKind(path: ByteString): NixFileKind | undefined;
  readFile(path: ByteString): ByteString;
  /** The same for a file that is to be evaluated: its text may not be wanted if it was parsed before. */
  readSource?(path: ByteString): SourceFile;
  readDirectory(path: ByteString): ReadonlyMap<ByteString, NixFileKind>;
  readLink(path: ByteString): ByteString;
  /** Copies a file or folder as the coercion of a path does; the result is the base name in the store. */
  copyToStore(path: ByteString): StorePath;
  /**
   * The same under a name of its own; `include` says of each path below whether it goes along. Undefined where it is not
   * what was expected; what is expected and there already is not read.
   */
  addPath(path: ByteString, name: ByteString, method: "nar" | "flat", options: AddPathOptions): StorePath | undefined;
  /** What a valid path refers to; none where it is not valid. */
  references(path: StorePath): readonly StorePath[];
  isValid(path: StorePath): boolean;
  /** @throws NixError where it is not valid and cannot be made so; does nothing where the store is only computed with */
  ensureValid(path: StorePath): void;
  addText(name: string, contents: ByteString, references: readonly StorePath[]): StorePath;
  /** A derivation whose paths are known; called once for each `derivationStrict`. */
  addDerivation(path: StorePath, contents: ByteString, derivation: Derivation): void;
  /** A derivation that an expression uses and did not make, such as one that a string from elsewhere carries. */
  readDerivation?(path: StorePath): Derivation | undefined;
  /**
   * Makes what a string with context refers to valid, before files are read through it: sources must be there already,
   * outputs are built. The result is what placeholders in the string stand for.
   */
  realise(context: ReadonlySet<ByteString>): ReadonlyMap<ByteString, ByteString>;
  /** Sources from elsewhere; undefined where an evaluation gets none. */
  readonly fetcher?: NixFetcher | undefined;
  /** `trace: …`, warnings. */
  log(message: ByteString): void;
};
