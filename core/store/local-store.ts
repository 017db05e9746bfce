import { rmSync } from "node:fs";
import { basename } from "node:path";
import { derivationReferences } from "../derivation/derivation-store-path.ts";
import type { Derivation } from "../derivation/derivation.ts";
import { formatDerivation } from "../derivation/format-derivation.ts";
import { dumpPath } from "../nar/dump-path.ts";
import type { OutputId, Realisation } from "../narinfo/realisation.ts";
import type { StorePath } from "../store-path/store-path.ts";
import type { ByteString } from "../util/bytes.ts";
import { mayWrite } from "../util/may-access.ts";
import { compareByteStrings } from "../util/ordering.ts";
import { addNar } from "./add-nar.ts";
import { addPath, computePath } from "./add-path.ts";
import { addText } from "./add-text.ts";
import { collectGarbage } from "./collect-garbage.ts";
import { createStore } from "./create-store.ts";
import { StoreDatabase } from "./database.ts";
import { removeTree } from "./file-tree.ts";
import { addIndirectRoot, addPermanentRoot, findAllRoots } from "./find-roots.ts";
import { findRootsOf } from "./find-roots-of.ts";
import { OpenStore } from "./open-store.ts";
import { optimiseStore } from "./optimise-store.ts";
import { lockStorePaths } from "./path-lock.ts";
import type { NewPathInfo, ValidPathInfo } from "./path-info.ts";
import { finishBuildOutputs, registrationOf, scan } from "./register-build-outputs.ts";
import { sortUsersFirst } from "./sort-paths.ts";
import { makeStoreLayout, type StoreLayout } from "./store-layout.ts";
import type {
  AddOptions,
  AddPathOptions,
  ClosureOptions,
  GarbageOptions,
  GarbageResult,
  LocalStore,
  LocalStoreOptions,
  LockPathsOptions,
  NarSource,
  OptimiseOptions,
  OptimiseResult,
  PathLocks,
  RegisterBuildOutputsOptions,
  Root,
  RootWay,
  StoreProblem,
  TemporaryFolder,
  TextToAdd,
  VerifyOptions,
} from "./store.ts";
import { makeTemporaryFolder } from "./temporary-folder.ts";
import { verifyPath, verifyStore } from "./verify.ts";

/**
 * The store of this machine, or of the one whose root folder is `root`; made where there is none yet.
 *
 * @throws TsosError `store.schema` for a database of another version, `store.not-writable`
 */
export async function openLocalStore(options: LocalStoreOptions = {}): Promise<LocalStore> {
  const layout = makeStoreLayout(options);
  await createStore(layout);
  const readOnly = !mayWrite(layout.databaseDir) || !mayWrite(layout.realStoreDir);
  const database = new StoreDatabase(layout.database, { storeDir: layout.storeDir, readOnly, create: false });
  return new FolderStore(new OpenStore(layout, database, options.autoOptimise ?? false));
}

class FolderStore implements LocalStore {
  readonly takesAhead = true;
  readonly storeDir: string;
  readonly realStoreDir: string;
  readonly stateDir: string;
  readonly logDir: string;
  readonly readOnly: boolean;
  readonly #open: OpenStore;
  readonly #layout: StoreLayout;
  readonly #database: StoreDatabase;

  constructor(open: OpenStore) {
    this.#open = open;
    this.#layout = open.layout;
    this.#database = open.database;
    this.storeDir = open.layout.storeDir;
    this.realStoreDir = open.layout.realStoreDir;
    this.stateDir = open.layout.stateDir;
    this.logDir = open.layout.logDir;
    this.readOnly = open.database.readOnly;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#open[Symbol.asyncDispose]();
  }

  realPath(path: StorePath | string): string {
    return this.#open.realPath(path);
  }

  async findPathInfo(path: StorePath): Promise<ValidPathInfo | undefined> {
    return this.#database.findPathInfo(path);
  }

  async getPathInfo(path: StorePath): Promise<ValidPathInfo> {
    const info = this.#database.findPathInfo(path);
    if (info === undefined) throw this.#database.invalidPath(path);
    return info;
  }

  async isValidPath(path: StorePath): Promise<boolean> {
    return this.#open.isValid(path);
  }

  async queryValidPaths(paths: Iterable<StorePath>): Promise<Set<StorePath>> {
    return this.#database.validOf([...paths]);
  }

  async queryAllValidPaths(): Promise<StorePath[]> {
    return this.#database.allPaths().sort(compareByteStrings);
  }

  async findPathFromHashPart(hashPart: string): Promise<StorePath | undefined> {
    return this.#database.findPathFromHashPart(hashPart);
  }

  async queryReferrers(path: StorePath): Promise<StorePath[]> {
    return this.#database.referrers(path);
  }

  async queryDeriversOf(paths: Iterable<StorePath>): Promise<Set<StorePath>> {
    return this.#database.deriversOf([...paths]);
  }

  async queryValidDerivers(path: StorePath): Promise<StorePath[]> {
    return this.#database.validDerivers(path);
  }

  async queryDerivationOutputs(derivation: StorePath): Promise<Map<string, StorePath>> {
    return this.#open.outputsOf(derivation);
  }

  async findRealisation(id: OutputId): Promise<Realisation | undefined> {
    return this.#database.findRealisation(id);
  }

  async queryRealisationsOf(path: StorePath): Promise<readonly Realisation[]> {
    return this.#database.realisationsOf(path);
  }

  async registerRealisations(realisations: readonly Realisation[]): Promise<void> {
    await this.#open.prepareToWrite();
    this.#database.transaction(() => this.#database.addRealisations(realisations));
  }

  async findOutputId(derivation: StorePath, output: string): Promise<OutputId | undefined> {
    return this.#open.outputId(derivation, output);
  }

  async closure(paths: Iterable<StorePath>, options?: ClosureOptions): Promise<Set<StorePath>> {
    const start = [...new Set(paths)];
    const found = new Set(this.#database.closure(start, options));
    for (const path of start) if (!found.has(path)) throw this.#database.invalidPath(path);
    return found;
  }

  async sortTopologically(paths: Iterable<StorePath>): Promise<StorePath[]> {
    return sortUsersFirst(this.#database.referencesWithin([...new Set(paths)].sort(compareByteStrings)));
  }

  async *narFromPath(path: StorePath): AsyncIterable<Uint8Array> {
    this.#open.requireValid(path);
    yield* dumpPath(this.realPath(path));
  }

  addTextToStore(name: string, contents: Uint8Array | ByteString, references: readonly StorePath[], options: AddOptions = {}): Promise<StorePath> {
    return addText(this.#open, { name, contents, references }, options);
  }

  async addTextsToStore(texts: readonly TextToAdd[], options?: AddOptions): Promise<StorePath[]> {
    return Promise.all(texts.map((text) => addText(this.#open, text, { ownDerivation: true, ...options })));
  }

  async writeDerivation(derivation: Derivation, options?: AddOptions): Promise<StorePath> {
    const contents = formatDerivation(derivation, this.storeDir);
    return addText(this.#open, { name: `${derivation.name}.drv`, contents, references: [...derivationReferences(derivation)] }, { ownDerivation: true, ...options });
  }

  addNarToStore(info: NewPathInfo, nar: NarSource, options: AddOptions = {}): Promise<void> {
    return addNar(this.#open, info, nar, options);
  }

  addPathToStore(name: string, source: string, options: AddPathOptions = {}): Promise<StorePath> {
    return addPath(this.#open, name, source, options);
  }

  computePathForFile(name: string, source: string, options: AddPathOptions = {}): Promise<StorePath> {
    return computePath(this.storeDir, name, source, options);
  }

  async registerValidPaths(infos: readonly NewPathInfo[]): Promise<void> {
    await this.#open.prepareToWrite();
    await this.#open.temporaryRoots.add(infos.map(({ path }) => path));
    await this.#open.register({ objects: infos.map((info) => ({ info, temporary: undefined })), locked: true });
  }

  async registerBuildOutputs(options: RegisterBuildOutputsOptions): Promise<Map<string, ValidPathInfo>> {
    await this.#open.prepareToWrite();
    let folder: TemporaryFolder | undefined;
    try {
      const finished = await finishBuildOutputs(options, () => (folder ??= makeTemporaryFolder(this.realStoreDir)).path, this.storeDir);
      const failure = [...finished.values()].find((output) => output.failure !== undefined)?.failure;
      // What is not what was promised is kept for who asks for just that, and no more looked at.
      if (failure === undefined) await options.check?.(new Map([...finished].map(([name, { info }]) => [name, info])), new Map([...finished].map(([name, { folder: place }]) => [name, place])));
      options.signal?.throwIfAborted();
      const paths = [...finished.values()].map(({ info }) => info.path);
      await this.#open.temporaryRoots.add(paths);
      if (options.repair === true && failure === undefined) for (const { info, folder: place } of finished.values()) await this.#repair(info, place, options.signal);
      await this.#open.queue.add(registrationOf(finished, options, this.realStoreDir));
      await this.#open.optimiseAdded(paths);
      if (failure !== undefined) throw failure;
      const registered = new Map<string, ValidPathInfo>();
      for (const [name, { info }] of finished) registered.set(name, await this.getPathInfo(info.path));
      return registered;
    } finally {
      await folder?.[Symbol.asyncDispose]();
    }
  }

  /** Through an archive: the files are fresh, so nobody has a descriptor of a build's to change them by. */
  async #repair(info: NewPathInfo, folder: string, signal: AbortSignal | undefined): Promise<void> {
    if (!(await this.isValidPath(info.path)) || (await this.verifyPath(info.path, { signal })) === undefined) return;
    await this.addNarToStore(info, dumpPath(folder, { signal }), { repair: true, signal });
  }

  async scanReferences(path: StorePath, candidates: Iterable<StorePath>): Promise<Set<StorePath>> {
    return (await scan(dumpPath(this.realPath(path)), candidates)).references;
  }

  async addSignatures(path: StorePath, signatures: readonly string[]): Promise<void> {
    await this.#open.prepareToWrite();
    this.#database.transaction(() => {
      const info = this.#database.findPathInfo(path);
      if (info === undefined) throw this.#database.invalidPath(path);
      this.#database.setSignatures(path, [...new Set([...info.signatures, ...signatures])].sort(compareByteStrings));
    });
  }

  async deleteInvalidPath(path: StorePath): Promise<void> {
    await this.#open.prepareToWrite();
    if (!this.#open.isValid(path)) await removeTree(this.realPath(path));
  }

  async createTemporaryFolder(): Promise<TemporaryFolder> {
    await this.#open.prepareToWrite();
    return makeTemporaryFolder(this.realStoreDir);
  }

  lockPaths(paths: Iterable<StorePath>, options: { readonly wait: false }): Promise<PathLocks | undefined>;
  lockPaths(paths: Iterable<StorePath>, options?: LockPathsOptions & { readonly wait?: true }): Promise<PathLocks>;
  async lockPaths(paths: Iterable<StorePath>, options: LockPathsOptions = {}): Promise<PathLocks | undefined> {
    await this.#open.prepareToWrite();
    return lockStorePaths(this.realStoreDir, paths, { ...options, wait: options.wait ?? true });
  }

  async flush(): Promise<void> {
    if (!this.readOnly) this.#database.flush();
  }

  async addTemporaryRoot(...paths: readonly StorePath[]): Promise<void> {
    // Who cannot write here cannot keep anything alive either, and must still be able to read.
    if (!this.readOnly) await this.#open.temporaryRoots.add(paths);
  }

  async addIndirectRoot(link: string): Promise<void> {
    await this.#open.prepareToWrite();
    addIndirectRoot(this.#layout, link);
  }

  async addPermanentRoot(path: StorePath, link: string): Promise<void> {
    await this.#open.prepareToWrite();
    await this.#open.temporaryRoots.add([path]);
    this.#open.requireValid(path);
    this.#database.flush();
    addPermanentRoot(this.#layout, path, link);
  }

  async findRoots(): Promise<Root[]> {
    return findAllRoots(this.#layout, this.#database, { keepStale: this.readOnly });
  }

  async findRootsOf(path: StorePath): Promise<readonly RootWay[]> {
    return findRootsOf(this.#database, await this.findRoots(), path);
  }

  async collectGarbage(options: GarbageOptions = {}): Promise<GarbageResult> {
    if (!options.dryRun) await this.#open.prepareToWrite();
    return collectGarbage(this.#layout, this.#database, options);
  }

  async verify(options: VerifyOptions = {}): Promise<StoreProblem[]> {
    return verifyStore(this.#layout, this.#database, options);
  }

  async verifyPath(path: StorePath, { signal }: { readonly signal?: AbortSignal | undefined } = {}): Promise<StoreProblem | undefined> {
    return verifyPath(this.#layout, this.#database, path, signal);
  }

  async removeLink({ link }: StoreProblem & { readonly kind: "modified-link" }): Promise<void> {
    await this.#open.prepareToWrite();
    rmSync(`${this.#layout.linksDir}/${basename(link)}`, { force: true });
  }

  optimise(paths?: Iterable<StorePath>, options: OptimiseOptions = {}): Promise<OptimiseResult> {
    return optimiseStore(this.#open, paths, options);
  }
}
