import type { HashAlgorithm } from "../hash/hash-algorithm.ts";
import type { IncludePath } from "../nar/dump-path.ts";
import type { Derivation } from "../derivation/derivation.ts";
import type { ByteString } from "../util/bytes.ts";
import type { ProgressListener } from "../util/progress.ts";
import type { ContentAddress, ContentAddressMethod } from "../store-path/content-address.ts";
import type { OutputId, Realisation } from "../narinfo/realisation.ts";
import type { StorePath } from "../store-path/store-path.ts";
import type { BuildService } from "./build-service.ts";
import type { NewPathInfo, ValidPathInfo } from "./path-info.ts";

/** An archive as it comes. */
export type NarSource = AsyncIterable<Uint8Array> & {
  /** All of it in one piece, in the place of the pieces; undefined where it has to be read in pieces. */
  readonly whole?: (() => Promise<Uint8Array | undefined>) | undefined;
};

/** What every store can do, be it a folder, a binary cache or another machine. */
export type Store = AsyncDisposable & {
  /** The logical folder of its paths: `/nix/store`, wherever the files really are. */
  readonly storeDir: string;
  /** `addNarToStore` takes contents before what they refer to is there, and waits for it by `AddOptions.after`. */
  readonly takesAhead?: boolean;
  findPathInfo(path: StorePath): Promise<ValidPathInfo | undefined>;
  /** @throws TsosError `store.invalid-path` */
  getPathInfo(path: StorePath): Promise<ValidPathInfo>;
  isValidPath(path: StorePath): Promise<boolean>;
  /** Those of `paths` that are valid. */
  queryValidPaths(paths: Iterable<StorePath>): Promise<Set<StorePath>>;
  /** @throws TsosError `store.invalid-path` */
  narFromPath(path: StorePath): NarSource;
  /**
   * Adds the NAR if it has the hash and size that `info` declares; nothing remains of one that has not. Its references
   * must be valid, or have been begun to be added before it: then it waits for them.
   */
  addNarToStore(info: NewPathInfo, nar: NarSource, options?: AddOptions): Promise<void>;
};

export type AddOptions = {
  readonly signal?: AbortSignal | undefined;
  /** The caller holds the path's lock (`lockPaths`) already. */
  readonly locked?: boolean | undefined;
  /** More will be added at once with it: it may be registered a little later, with them. */
  readonly patient?: boolean | undefined;
  /** Called when the contents are here and right, before they are registered. */
  readonly onReceived?: (() => void) | undefined;
  /** With `Store.takesAhead`: awaited with the contents here, before they are registered. */
  readonly after?: (() => Promise<void>) | undefined;
  /** With `Store.takesAhead`: called when what is added from now on is registered later than this, or with it. */
  readonly onQueued?: (() => void) | undefined;
  /** A derivation's output paths are the caller's own work; default: they are computed again, since another's may lie. */
  readonly ownDerivation?: boolean | undefined;
  /** Put these contents in the place of a valid path's, at once, whatever they are now; default: a valid path stays. */
  readonly repair?: boolean | undefined;
};

export type AddPathOptions = AddOptions & {
  /** Default `nar`. */
  readonly method?: ContentAddressMethod | undefined;
  /** Default `sha256`. */
  readonly algorithm?: HashAlgorithm | undefined;
  readonly references?: readonly StorePath[] | undefined;
  /** With the method `nar`: what of a folder goes along; default all. */
  readonly include?: IncludePath | undefined;
  /** Copy at once what is hashed: one read of what is new, a copy for nothing of what is there. Default false. */
  readonly likelyNew?: boolean | undefined;
};

export type TextToAdd = {
  readonly name: string;
  readonly contents: Uint8Array | ByteString;
  readonly references: readonly StorePath[];
};

export type ClosureOptions = {
  /** `references` (default): what the paths need. `referrers`: what needs them. */
  readonly direction?: "references" | "referrers" | undefined;
  /** Also the valid outputs of derivations (backwards: the derivers of outputs). */
  readonly includeOutputs?: boolean | undefined;
  /** Also the valid derivers of outputs (backwards: the outputs of derivations). */
  readonly includeDerivers?: boolean | undefined;
};

/** An exclusive hold on store paths that are about to be made; `await using` releases it. */
export type PathLocks = AsyncDisposable & {
  /** Releases the locks; after a path became valid its lock file goes too (`remove`, the default). */
  release(options?: { readonly remove?: boolean }): void;
};

export type LockPathsOptions = {
  /** Wait for who holds one of them; default true. */
  readonly wait?: boolean;
  readonly signal?: AbortSignal | undefined;
  readonly onWait?: (path: StorePath) => void;
};

/** A folder in the store, on its file system, that the garbage collector leaves alone while it is held. */
export type TemporaryFolder = AsyncDisposable & { readonly path: string };

/** One output of a derivation, built, about to be registered. */
export type BuiltOutput = {
  readonly name: string;
  /** Where a path is known beforehand; a floating output's follows from its contents. */
  readonly path?: StorePath | undefined;
  /** Where the builder left it: the real final place, or anywhere on the store's file system. */
  readonly folder: string;
  /** The path that the builder was told, if another than `path`: its hash is rewritten to the final one. */
  readonly scratchPath?: StorePath | undefined;
  /** What the derivation promised: contents are copied to fresh inodes (unless `ownFiles`) and must have this hash. */
  readonly contentAddress?: ContentAddress | undefined;
  /** This process made the files itself, so nobody else has a descriptor that could still change them. */
  readonly ownFiles?: boolean | undefined;
  /** Registered without references, whatever its contents name. Nix: `unsafeDiscardReferences` */
  readonly discardReferences?: boolean | undefined;
  /** A floating output: its content address is computed this way. */
  readonly floating?: { readonly method: ContentAddressMethod; readonly algorithm: HashAlgorithm } | undefined;
};

export type RegisterBuildOutputsOptions = {
  readonly derivationPath: StorePath;
  readonly outputs: readonly BuiltOutput[];
  /** What the outputs may refer to besides themselves: the closure of the inputs. */
  readonly candidates: Iterable<StorePath>;
  /** Called with all outputs scanned and hashed, and where their final contents are, before anything is registered; what it throws fails them all. */
  readonly check?: ((infos: ReadonlyMap<string, NewPathInfo>, folders: ReadonlyMap<string, string>) => void | Promise<void>) | undefined;
  /** Put the contents of valid paths that are damaged right; default: a valid path stays. */
  readonly repair?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
};

export type Root = {
  /** The path kept alive. */
  readonly path: StorePath;
  /** What keeps it: a link, or `{temp:PID}`, or a file under `/proc`. */
  readonly source: string;
};

/** A root and the way from it to what it keeps, both ends included. */
export type RootWay = { readonly root: Root; readonly way: readonly StorePath[] };

export type GarbageOptions = {
  /** Only say what would be deleted. */
  readonly dryRun?: boolean | undefined;
  /** Spare what was registered at or after this time, and all that it needs. */
  readonly olderThan?: Date | undefined;
  /** Automatic roots (of results and shells) that were last made before this time keep nothing and are forgotten. */
  readonly rootsOlderThan?: Date | undefined;
  /** Stop when this many bytes are freed. */
  readonly maxFreed?: number | undefined;
  /** Delete these only (each must be dead). */
  readonly paths?: readonly StorePath[] | undefined;
  /** Keep the outputs of live derivations: default false, as Nix. */
  readonly keepOutputs?: boolean | undefined;
  /** Keep the derivers of live paths: default true, as Nix. */
  readonly keepDerivations?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly report?: ProgressListener | undefined;
};

export type GarbageResult = {
  /** Dead paths, valid ones first users before used; deleted unless `dryRun`. */
  readonly deleted: readonly string[];
  /** How many paths are alive. */
  readonly alive: number;
  /** In a dry run: the sum of the NAR sizes of what would go. */
  readonly bytesFreed: number;
};

export type VerifyOptions = {
  /** Read every file and compare its NAR hash, not only its presence. */
  readonly checkContents?: boolean | undefined;
  /** Leave what is missing registered, for who is about to repair it. */
  readonly keepMissing?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly report?: ProgressListener | undefined;
};

export type OptimiseOptions = { readonly signal?: AbortSignal | undefined; readonly report?: ProgressListener | undefined };

export type OptimiseResult = { readonly filesLinked: number; readonly bytesFreed: number };

export type StoreProblem =
  /** `kept`: still needed by valid paths, so it could not be unregistered. */
  | { readonly kind: "missing"; readonly path: StorePath; readonly kept: boolean }
  | { readonly kind: "modified"; readonly path: StorePath; readonly expected: string; readonly actual: string }
  | { readonly kind: "wrong-size"; readonly path: StorePath; readonly expected: number; readonly actual: number }
  | { readonly kind: "unreadable"; readonly path: StorePath; readonly cause: unknown }
  | { readonly kind: "modified-link"; readonly link: string }
  | { readonly kind: "database"; readonly message: string };

/** A store whose files are on this machine. */
export type LocalStore = Store & {
  /** Who makes paths valid here where this process may not: the daemon that serves the store. */
  readonly builds?: BuildService | undefined;
  /** The real folder of the paths. */
  readonly realStoreDir: string;
  readonly stateDir: string;
  readonly logDir: string;

  /** `/nix/store/…` (or a path in it, below a store path) → where it really is. */
  realPath(path: StorePath | string): string;
  /** Whether files may be added: false on a database that this user cannot write. */
  readonly readOnly: boolean;

  queryAllValidPaths(): Promise<StorePath[]>;
  findPathFromHashPart(hashPart: string): Promise<StorePath | undefined>;
  /** Who refers to `path`, itself included where it does. */
  queryReferrers(path: StorePath): Promise<StorePath[]>;
  /** Valid derivations that have `path` as an output. */
  queryValidDerivers(path: StorePath): Promise<StorePath[]>;
  /** The derivations, valid or not, that the valid of `paths` were made by as far as it was told. */
  queryDeriversOf(paths: Iterable<StorePath>): Promise<Set<StorePath>>;
  /** Output name → path, of those that are known (a floating one is after its build). */
  queryDerivationOutputs(derivation: StorePath): Promise<Map<string, StorePath>>;
  /** The paths and all they need (or all that need them). @throws TsosError `store.invalid-path` */
  closure(paths: Iterable<StorePath>, options?: ClosureOptions): Promise<Set<StorePath>>;
  /** Users before what they use. */
  sortTopologically(paths: Iterable<StorePath>): Promise<StorePath[]>;

  /**
   * Adds a text by content. Many at once share one sync and one transaction, so start them together; one may
   * refer to another that was started before it and is not yet valid.
   */
  addTextToStore(name: string, contents: Uint8Array | ByteString, references: readonly StorePath[], options?: AddOptions): Promise<StorePath>;
  /** The same for a list, inputs before their users. */
  addTextsToStore(texts: readonly TextToAdd[], options?: AddOptions): Promise<StorePath[]>;
  writeDerivation(derivation: Derivation, options?: AddOptions): Promise<StorePath>;
  /** Copies a file or folder in. */
  addPathToStore(name: string, file: string, options?: AddPathOptions): Promise<StorePath>;
  /** Where `addPathToStore` would put it, without putting it there. */
  computePathForFile(name: string, file: string, options?: AddPathOptions): Promise<StorePath>;
  /** Registers what lies in its final place already, canonical. References must be valid or in `infos`. */
  registerValidPaths(infos: readonly NewPathInfo[]): Promise<void>;
  /**
   * Takes the finished outputs of one derivation: makes them canonical, hashes and scans them in one read, moves
   * them to their place and registers them together, or not at all. The caller holds the outputs' locks and has
   * added them as temporary roots.
   *
   * @returns output name → what was registered
   * @throws TsosError `store.hash-mismatch` when a promised content address is not met; what was made is registered under
   * the name that it has (`data.kept`), unless it refers to something
   */
  registerBuildOutputs(options: RegisterBuildOutputsOptions): Promise<Map<string, ValidPathInfo>>;
  /** Which of `candidates` the path's contents name. */
  scanReferences(path: StorePath, candidates: Iterable<StorePath>): Promise<Set<StorePath>>;
  /** The path that an output turned out to be, where that is known and the path is valid. */
  findRealisation(id: OutputId): Promise<Realisation | undefined>;
  /** Of which outputs a path is known to be what they turned out to be. */
  queryRealisationsOf(path: StorePath): Promise<readonly Realisation[]>;
  /** Remembers them, on the caller's word. @throws TsosError `store.invalid-path` */
  registerRealisations(realisations: readonly Realisation[]): Promise<void>;
  /** By hash modulo: what realisations of the outputs of a valid derivation are kept under; undefined where nothing can be. */
  findOutputId(derivation: StorePath, output: string): Promise<OutputId | undefined>;
  addSignatures(path: StorePath, signatures: readonly string[]): Promise<void>;
  /** Removes an invalid path's files, as before building it again; leaves a valid one. */
  deleteInvalidPath(path: StorePath): Promise<void>;

  /** A folder of one's own in the store, flocked so that no collector removes it, gone when disposed. */
  createTemporaryFolder(): Promise<TemporaryFolder>;
  /** Nix's path locks, in order of the paths; undefined when one is held elsewhere and `wait` is false. */
  lockPaths(paths: Iterable<StorePath>, options: { readonly wait: false }): Promise<PathLocks | undefined>;
  lockPaths(paths: Iterable<StorePath>, options?: LockPathsOptions & { readonly wait?: true }): Promise<PathLocks>;

  /** After it, what this store registered survives a power cut: to be called before something durable points to it. */
  flush(): Promise<void>;
  /** Keeps paths alive for as long as this process lives; they need not be valid yet. */
  addTemporaryRoot(...paths: readonly StorePath[]): Promise<void>;
  /** Makes a link outside the store, once it points into it, a root: `gcroots/auto/…` → link. */
  addIndirectRoot(link: string): Promise<void>;
  /** Makes `link` point to `path`, and it a root. */
  addPermanentRoot(path: StorePath, link: string): Promise<void>;
  findRoots(): Promise<Root[]>;
  /** The roots that reach `path`, each with the way from it to `path`; empty when it is garbage. */
  findRootsOf(path: StorePath): Promise<readonly RootWay[]>;
  collectGarbage(options?: GarbageOptions): Promise<GarbageResult>;
  verify(options?: VerifyOptions): Promise<StoreProblem[]>;
  /** What is wrong with one valid path's contents; undefined when they are what is registered. */
  verifyPath(path: StorePath, options?: { readonly signal?: AbortSignal | undefined }): Promise<StoreProblem | undefined>;
  /** Removes what `verify` found in `.links` not to be what its name says. */
  removeLink(problem: StoreProblem & { readonly kind: "modified-link" }): Promise<void>;
  /** Makes equal files of `paths` (default: of all) one file. */
  optimise(paths?: Iterable<StorePath>, options?: OptimiseOptions): Promise<OptimiseResult>;
};

export type LocalStoreOptions = {
  /** As Nix's `local?root=`: real files under `root + /nix`, logical paths in `/nix/store`. */
  readonly root?: string | undefined;
  /** Default `/nix/store`. */
  readonly storeDir?: string | undefined;
  /** Where the store's files really are; default `storeDir`, or `/nix/store` below `root`. */
  readonly realStoreDir?: string | undefined;
  /** Default `/nix/var/nix`, below `root`. */
  readonly stateDir?: string | undefined;
  /** Default `/nix/var/log/nix`, below `root`. */
  readonly logDir?: string | undefined;
  /** Share equal files of whatever is added (`optimise`); default false. */
  readonly autoOptimise?: boolean | undefined;
};
