import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  fchmodSync,
  futimesSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { basename, dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { TsosError } from "../error/tsos-error.ts";
import { checkDerivation } from "../derivation/check-derivation.ts";
import { derivationOutputPaths } from "../derivation/derivation-output-paths.ts";
import { derivationReferences } from "../derivation/derivation-store-path.ts";
import type { Derivation } from "../derivation/derivation.ts";
import { formatDerivation } from "../derivation/format-derivation.ts";
import { HashModuloCache } from "../derivation/hash-modulo-cache.ts";
import { parseDerivation } from "../derivation/parse-derivation.ts";
import { equalHashes, formatHash, hashBytes, type Hash } from "../hash/hash.ts";
import { createHasher } from "../hash/hasher.ts";
import { dumpPath } from "../nar/dump-path.ts";
import { restorePath } from "../nar/restore-path.ts";
import { writeNar } from "../nar/write-nar.ts";
import { makeContentAddressedPath, makeTextPath } from "../store-path/make-store-path.ts";
import { formatStorePath, isDerivationPath, storePathName, type StorePath } from "../store-path/store-path.ts";
import { byteStringToBytes, type ByteString } from "../util/bytes.ts";
import { lockFile, tryLockFile, type FileLock } from "../util/file-lock.ts";
import { compareByteStrings } from "../util/ordering.ts";
import { createActivityIds, type ProgressListener } from "../util/progress.ts";
import { canonicaliseRestored, CANONICAL_TIME } from "./canonicalise.ts";
import { collectGarbage } from "./collect-garbage.ts";
import { contentHashOfPath } from "./content-hash.ts";
import { StoreDatabase } from "./database.ts";
import { removeTree } from "./file-tree.ts";
import { addIndirectRoot, addPermanentRoot, findAllRoots } from "./find-roots.ts";
import { optimiseTrees } from "./optimise.ts";
import { lockStorePaths } from "./path-lock.ts";
import type { NewPathInfo, ValidPathInfo } from "./path-info.ts";
import { finishBuildOutputs, hashModuloSelf, registrationOf, scan } from "./register-build-outputs.ts";
import { RegistrationQueue, type Registration } from "./registration-queue.ts";
import { SCHEMA_VERSION } from "./schema.ts";
import { sortUsersFirst } from "./sort-paths.ts";
import { makeStoreLayout, realPathOf, RESERVED_BYTES, type StoreLayout } from "./store-layout.ts";
import type {
  AddOptions,
  AddPathOptions,
  ClosureOptions,
  GarbageOptions,
  GarbageResult,
  LocalStore,
  LocalStoreOptions,
  OptimiseResult,
  PathLocks,
  RegisterBuildOutputsOptions,
  Root,
  StoreProblem,
  TemporaryFolder,
  TextToAdd,
  VerifyOptions,
} from "./store.ts";
import { makeTemporaryFolder } from "./temporary-folder.ts";
import { TemporaryRoots } from "./temporary-roots.ts";
import { replaceContents } from "./replace-contents.ts";
import { verifyPath, verifyStore } from "./verify.ts";

/**
 * The store of this machine, or of the one whose root folder is `root`; made where there is none yet.
 *
 * @throws TsosError `store.schema` for a database of another version, `store.not-writable`
 */
export async function openLocalStore(options: LocalStoreOptions = {}): Promise<LocalStore> {
  const layout = makeStoreLayout(options);
  if (readSchemaVersion(layout) !== SCHEMA_VERSION) await createStore(layout);
  const readOnly = !isWritable(layout.databaseDir) || !isWritable(layout.realStoreDir);
  const database = new StoreDatabase(layout.database, { storeDir: layout.storeDir, readOnly, create: false });
  return new FolderStore(layout, database, options.autoOptimise ?? false);
}

function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** @returns 0 when there is no store yet */
function readSchemaVersion(layout: StoreLayout): number {
  let text: string;
  try {
    text = readFileSync(layout.schema, "latin1");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return 0;
    throw error;
  }
  const version = Number(text.trim());
  if (version !== SCHEMA_VERSION) {
    throw new TsosError({
      code: "store.schema",
      message: `the store's database "${layout.databaseDir}" has the version "${text.trim()}", expected "${SCHEMA_VERSION}"`,
      hint: version < SCHEMA_VERSION ? "a current Nix upgrades it when it first opens it" : "a newer program made it",
      data: { databaseDir: layout.databaseDir, version },
    });
  }
  return version;
}

async function createStore(layout: StoreLayout): Promise<void> {
  try {
    for (const folder of [
      layout.linksDir,
      layout.databaseDir,
      layout.temporaryRootsDir,
      `${layout.gcRootsDir}/per-user`,
      `${layout.profilesDir}/per-user`,
    ]) {
      // Without regard to the umask: a folder in which all may write is one in which somebody puts another's profile.
      mkdirSync(folder, { recursive: true, mode: 0o755 });
    }
  } catch (error) {
    throw new TsosError({
      code: "store.not-writable",
      message: `cannot make a store in "${layout.realStoreDir}": ${error instanceof Error ? error.message : String(error)}`,
      hint: "run as a user who may write there, or name another root",
      data: { storeDir: layout.realStoreDir },
      cause: error,
    });
  }
  // Who makes the store at the same moment goes on to write, and holds the lock shared for as long as that takes.
  let lock = tryLockFile(layout.bigLock);
  while (lock === undefined) {
    if (readSchemaVersion(layout) === SCHEMA_VERSION) return;
    await sleep(10);
    lock = tryLockFile(layout.bigLock);
  }
  using _lock = lock;
  if (readSchemaVersion(layout) === SCHEMA_VERSION) return;
  if (!existsSync(layout.gcLock)) writeFileSync(layout.gcLock, "", { mode: 0o600 });
  if (!existsSync(layout.reserved)) writeFileSync(layout.reserved, Buffer.alloc(RESERVED_BYTES, "X"), { mode: 0o600 });
  new StoreDatabase(layout.database, { storeDir: layout.storeDir, readOnly: false, create: true })[Symbol.dispose]();
  // Last, and at once: whoever sees it may trust the tables.
  writeFileSync(`${layout.schema}.tmp`, String(SCHEMA_VERSION), { flush: true });
  renameSync(`${layout.schema}.tmp`, layout.schema);
}

class FolderStore implements LocalStore {
  readonly storeDir: string;
  readonly realStoreDir: string;
  readonly stateDir: string;
  readonly logDir: string;
  readonly readOnly: boolean;
  readonly #layout: StoreLayout;
  readonly #database: StoreDatabase;
  readonly #queue: RegistrationQueue;
  readonly #temporaryRoots: TemporaryRoots;
  /** Held while this store writes, so that nobody changes the schema meanwhile. */
  #bigLock: Promise<FileLock> | undefined;
  /** One temporary folder for all that is being added, there only while something is. */
  #scratch: { readonly folder: TemporaryFolder; users: number; files: number } | undefined;
  /** Paths on their way into the queue: who refers to one must come after it. */
  readonly #announced = new Map<StorePath, Promise<void>>();

  readonly #autoOptimise: boolean;
  /** Of derivations that came from elsewhere: what they are checked by. */
  readonly #hashes: HashModuloCache;

  constructor(layout: StoreLayout, database: StoreDatabase, autoOptimise: boolean) {
    this.#autoOptimise = autoOptimise;
    this.#hashes = new HashModuloCache({ storeDir: layout.storeDir, getDerivation: (path) => this.#readDerivation(path) });
    this.#layout = layout;
    this.#database = database;
    this.#queue = new RegistrationQueue(layout.realStoreDir, () => this.#database);
    this.#temporaryRoots = new TemporaryRoots(layout);
    this.storeDir = layout.storeDir;
    this.realStoreDir = layout.realStoreDir;
    this.stateDir = layout.stateDir;
    this.logDir = layout.logDir;
    this.readOnly = database.readOnly;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#queue.drain();
    await this.#scratch?.folder[Symbol.asyncDispose]();
    this.#scratch = undefined;
    this.#temporaryRoots[Symbol.dispose]();
    this.#database[Symbol.dispose]();
    (await this.#bigLock)?.release();
  }

  realPath(path: StorePath | string): string {
    return realPathOf(this.#layout, path);
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
    return this.#database.findId(path) !== undefined;
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

  async queryValidDerivers(path: StorePath): Promise<StorePath[]> {
    return this.#database.validDerivers(path);
  }

  async queryDerivationOutputs(derivation: StorePath): Promise<Map<string, StorePath>> {
    return this.#database.derivationOutputs(derivation);
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
    if (this.#database.findId(path) === undefined) throw this.#database.invalidPath(path);
    yield* dumpPath(this.realPath(path));
  }

  async addTextToStore(
    name: string,
    contents: Uint8Array | ByteString,
    references: readonly StorePath[],
    options: AddOptions = {},
  ): Promise<StorePath> {
    const bytes = typeof contents === "string" ? byteStringToBytes(contents) : contents;
    const hash = hashBytes("sha256", bytes);
    const path = makeTextPath({ name, hash, references, storeDir: this.storeDir });
    const announcement = this.#announce(path);
    try {
      await this.#prepareToWrite();
      await this.#temporaryRoots.add([path]);
      if (this.#database.findId(path) !== undefined) return path;
      await announcement.after(references);
      options.signal?.throwIfAborted();
      const { narHash, narSize } = describeText(bytes);
      const info: NewPathInfo = {
        path,
        narHash,
        narSize,
        references: [...new Set(references)].sort(compareByteStrings),
        contentAddress: { method: "text", hash },
      };
      const outputs = isDerivationPath(path) ? this.#outputsOf(parseDerivation(bytes, derivationName(path), this.storeDir), options) : [];
      const { file, release } = this.#borrowTemporaryName();
      try {
        writeCanonicalFile(file, bytes);
        const registered = this.#queue.add({
          objects: [{ info, temporary: file, small: true }],
          locked: options.locked ?? false,
          also: outputs.length === 0 ? undefined : (database) => database.addDerivationOutputs(path, outputs),
        });
        announcement.end();
        await registered;
      } finally {
        await release();
      }
      return path;
    } finally {
      announcement.end();
    }
  }

  /** Says that a path is on its way into the queue; who refers to it waits (`after`) until it is there, or will not be. */
  #announce(path: StorePath): { after(references: readonly StorePath[]): Promise<void>; end(): void } {
    let end = (): void => {};
    const announced = new Promise<void>((resolve) => (end = resolve));
    if (!this.#announced.has(path)) this.#announced.set(path, announced);
    return {
      after: async (references) => {
        for (const reference of references) if (reference !== path) await this.#announced.get(reference);
      },
      end: () => {
        end();
        if (this.#announced.get(path) === announced) this.#announced.delete(path);
      },
    };
  }

  async addTextsToStore(texts: readonly TextToAdd[], options?: AddOptions): Promise<StorePath[]> {
    return Promise.all(texts.map(({ name, contents, references }) => this.addTextToStore(name, contents, references, { ownDerivation: true, ...options })));
  }

  async writeDerivation(derivation: Derivation, options?: AddOptions): Promise<StorePath> {
    const text = formatDerivation(derivation, this.storeDir);
    return this.addTextToStore(`${derivation.name}.drv`, text, [...derivationReferences(derivation)], { ownDerivation: true, ...options });
  }

  async addNarToStore(info: NewPathInfo, nar: AsyncIterable<Uint8Array>, options: AddOptions = {}): Promise<ValidPathInfo> {
    await this.#prepareToWrite();
    await this.#temporaryRoots.add([info.path]);
    const known = this.#database.findPathInfo(info.path);
    if (known !== undefined && options.repair !== true) return known;
    // First what may fail: who refers to an announced path waits until it is there or given up.
    const { file, release } = this.#borrowTemporaryName();
    const announcement = this.#announce(info.path);
    try {
      const meter = createMeter("sha256", options.signal);
      await restorePath(meter.pass(nar), file);
      const got = meter.result();
      if (!equalHashes(got.hash, info.narHash) || got.size !== info.narSize) throw this.#narMismatch(info, got);
      await canonicaliseRestored(file, dirname(file), options);
      await this.#checkContentAddress(info, file);
      options.onReceived?.();
      await announcement.after(info.references);
      options.signal?.throwIfAborted();
      if (known === undefined) {
        const registered = this.#register({ objects: [{ info, temporary: file }], locked: options.locked ?? false });
        announcement.end();
        await registered;
      } else {
        await using _locks = options.locked === true ? undefined : await this.lockPaths([info.path], { signal: options.signal });
        await replaceContents(this.#layout, this.#database, known, info, file);
      }
    } finally {
      announcement.end();
      await release();
    }
    await this.#optimiseAdded([info.path]);
    return this.getPathInfo(info.path);
  }

  async addPathToStore(name: string, source: string, options: AddPathOptions = {}): Promise<StorePath> {
    const { method = "nar", algorithm = "sha256", references = [], signal, include } = options;
    await this.#prepareToWrite();
    // A source that is there already, which is the usual case of an evaluation, is only read. Only what turns out
    // to be new is copied, and hashed again as it is copied: it may change in between.
    const expected = await this.computePathForFile(name, source, options);
    await this.#temporaryRoots.add([expected]);
    if (this.#database.findId(expected) !== undefined) return expected;
    const { file, release } = this.#borrowTemporaryName();
    try {
      const meter = createMeter("sha256", signal);
      await restorePath(meter.pass(dumpPath(source, { signal, include })), file);
      await canonicaliseRestored(file, dirname(file), { signal });
      const { hash: narHash, size: narSize } = meter.result();
      const hash = method === "nar" && algorithm === "sha256" ? narHash : await contentHashOfPath(file, method, algorithm, { signal });
      const contentAddress = { method, hash };
      const path = makeContentAddressedPath(name, contentAddress, { others: references, self: false }, this.storeDir);
      await this.#temporaryRoots.add([path]);
      const info: NewPathInfo = { path, narHash, narSize, references: [...new Set(references)].sort(compareByteStrings), contentAddress };
      await this.#register({ objects: [{ info, temporary: file }], locked: options.locked ?? false });
      await this.#optimiseAdded([path]);
      return path;
    } finally {
      await release();
    }
  }

  async computePathForFile(name: string, source: string, options: AddPathOptions = {}): Promise<StorePath> {
    const { method = "nar", algorithm = "sha256", references = [], signal, include } = options;
    const hash = await contentHashOfPath(source, method, algorithm, { signal, include });
    return makeContentAddressedPath(name, { method, hash }, { others: references, self: false }, this.storeDir);
  }

  async registerValidPaths(infos: readonly NewPathInfo[]): Promise<void> {
    await this.#prepareToWrite();
    await this.#temporaryRoots.add(infos.map(({ path }) => path));
    await this.#register({ objects: infos.map((info) => ({ info, temporary: undefined })), locked: true });
  }

  async registerBuildOutputs(options: RegisterBuildOutputsOptions): Promise<Map<string, ValidPathInfo>> {
    await this.#prepareToWrite();
    let folder: TemporaryFolder | undefined;
    try {
      const finished = await finishBuildOutputs(options, () => (folder ??= makeTemporaryFolder(this.realStoreDir)).path, this.storeDir);
      await options.check?.(new Map([...finished].map(([name, { info }]) => [name, info])));
      options.signal?.throwIfAborted();
      await this.#temporaryRoots.add([...finished.values()].map(({ info }) => info.path));
      await this.#queue.add(registrationOf(finished, options.derivationPath, this.realStoreDir));
      await this.#optimiseAdded([...finished.values()].map(({ info }) => info.path));
      const registered = new Map<string, ValidPathInfo>();
      for (const [name, { info }] of finished) registered.set(name, await this.getPathInfo(info.path));
      return registered;
    } finally {
      await folder?.[Symbol.asyncDispose]();
    }
  }

  async scanReferences(path: StorePath, candidates: Iterable<StorePath>): Promise<Set<StorePath>> {
    return (await scan(dumpPath(this.realPath(path)), candidates)).references;
  }

  async addSignatures(path: StorePath, signatures: readonly string[]): Promise<void> {
    await this.#prepareToWrite();
    this.#database.transaction(() => {
      const info = this.#database.findPathInfo(path);
      if (info === undefined) throw this.#database.invalidPath(path);
      this.#database.setSignatures(path, [...new Set([...info.signatures, ...signatures])].sort(compareByteStrings));
    });
  }

  async deleteInvalidPath(path: StorePath): Promise<void> {
    await this.#prepareToWrite();
    if (this.#database.findId(path) === undefined) await removeTree(this.realPath(path));
  }

  async createTemporaryFolder(): Promise<TemporaryFolder> {
    await this.#prepareToWrite();
    return makeTemporaryFolder(this.realStoreDir);
  }

  lockPaths(paths: Iterable<StorePath>, options: { readonly wait: false }): Promise<PathLocks | undefined>;
  lockPaths(
    paths: Iterable<StorePath>,
    options?: { readonly wait?: true; readonly signal?: AbortSignal | undefined; readonly onWait?: (path: StorePath) => void },
  ): Promise<PathLocks>;
  async lockPaths(
    paths: Iterable<StorePath>,
    options: { readonly wait?: boolean; readonly signal?: AbortSignal | undefined; readonly onWait?: (path: StorePath) => void } = {},
  ): Promise<PathLocks | undefined> {
    await this.#prepareToWrite();
    return lockStorePaths(this.realStoreDir, paths, { ...options, wait: options.wait ?? true });
  }

  async flush(): Promise<void> {
    if (!this.readOnly) this.#database.flush();
  }

  async addTemporaryRoot(...paths: readonly StorePath[]): Promise<void> {
    // Who cannot write here cannot keep anything alive either, and must still be able to read.
    if (!this.readOnly) await this.#temporaryRoots.add(paths);
  }

  async addIndirectRoot(link: string): Promise<void> {
    await this.#prepareToWrite();
    addIndirectRoot(this.#layout, link);
  }

  async addPermanentRoot(path: StorePath, link: string): Promise<void> {
    await this.#prepareToWrite();
    await this.#temporaryRoots.add([path]);
    if (this.#database.findId(path) === undefined) throw this.#database.invalidPath(path);
    this.#database.flush();
    addPermanentRoot(this.#layout, path, link);
  }

  async findRoots(): Promise<Root[]> {
    return findAllRoots(this.#layout, this.#database, { keepStale: this.readOnly });
  }

  async findRootsOf(path: StorePath): Promise<readonly { readonly root: Root; readonly way: readonly StorePath[] }[]> {
    const users = new Set(this.#database.closure([path], { direction: "referrers" }));
    users.add(path);
    const roots = (await this.findRoots()).filter((root) => users.has(root.path));
    // From the path upwards, breadth first, so that each way is a shortest one.
    const next = new Map<StorePath, StorePath>();
    const reached = [path];
    for (const current of reached) {
      for (const user of this.#database.referrers(current)) {
        if (user === path || next.has(user) || !users.has(user)) continue;
        next.set(user, current);
        reached.push(user);
      }
    }
    return roots.map((root) => {
      const way: StorePath[] = [];
      for (let step: StorePath | undefined = root.path; step !== undefined; step = next.get(step)) way.push(step);
      return { root, way };
    });
  }

  async collectGarbage(options: GarbageOptions = {}): Promise<GarbageResult> {
    if (!options.dryRun) await this.#prepareToWrite();
    return collectGarbage(this.#layout, this.#database, options);
  }

  async verify(options: VerifyOptions = {}): Promise<StoreProblem[]> {
    return verifyStore(this.#layout, this.#database, options);
  }

  async verifyPath(path: StorePath, { signal }: { readonly signal?: AbortSignal | undefined } = {}): Promise<StoreProblem | undefined> {
    return verifyPath(this.#layout, this.#database, path, signal);
  }

  async removeLink({ link }: StoreProblem & { readonly kind: "modified-link" }): Promise<void> {
    await this.#prepareToWrite();
    rmSync(`${this.#layout.linksDir}/${basename(link)}`, { force: true });
  }

  async optimise(
    paths?: Iterable<StorePath>,
    { signal, report }: { readonly signal?: AbortSignal | undefined; readonly report?: ProgressListener | undefined } = {},
  ): Promise<OptimiseResult> {
    await this.#prepareToWrite();
    const wanted = paths === undefined ? this.#database.allPaths() : [...paths];
    // No collector takes them from here on, and those it took before are left out.
    await this.#temporaryRoots.add(wanted);
    const valid = this.#database.validOf(wanted);
    const chosen = wanted.filter((path) => valid.has(path)).sort(compareByteStrings);
    const id = createActivityIds()();
    report?.({ kind: "start", id, activity: "optimise", subject: this.realStoreDir, total: chosen.length, unit: "items" });
    let outcome: "done" | "failed" = "failed";
    try {
      const result = await optimiseTrees(this.#layout, chosen.map((path) => this.realPath(path)), {
        signal,
        lookAhead: true,
        onTree: (done) => report?.({ kind: "progress", id, done, total: chosen.length }),
      });
      outcome = "done";
      return result;
    } finally {
      report?.({ kind: "stop", id, outcome });
    }
  }

  /** After they are valid: what is shared must be on disk. */
  async #optimiseAdded(paths: readonly StorePath[]): Promise<void> {
    if (this.#autoOptimise) await optimiseTrees(this.#layout, paths.map((path) => this.realPath(path)));
  }

  async #prepareToWrite(): Promise<void> {
    if (this.readOnly) {
      throw new TsosError({
        code: "store.not-writable",
        message: `the store "${this.realStoreDir}" is not writable for this user`,
        hint: "run as the user that owns it, or use the daemon that serves it",
        data: { storeDir: this.realStoreDir },
      });
    }
    await (this.#bigLock ??= lockFile(this.#layout.bigLock, { mode: "shared" }));
  }

  async #register(registration: Registration): Promise<void> {
    const derivations = registration.objects
      .filter(({ info }) => isDerivationPath(info.path))
      .map(({ info, temporary }) => {
        const derivation = parseDerivation(readFileSync(temporary ?? this.realPath(info.path)), derivationName(info.path), this.storeDir);
        return [info.path, this.#outputsOf(derivation, {})] as const;
      });
    await this.#queue.add({
      ...registration,
      also(database) {
        registration.also?.(database);
        for (const [path, outputs] of derivations) database.addDerivationOutputs(path, outputs);
      },
    });
  }

  #readDerivation(path: StorePath): Derivation {
    if (this.#database.findId(path) === undefined) throw this.#database.invalidPath(path);
    return parseDerivation(readFileSync(this.realPath(path)), derivationName(path), this.storeDir);
  }

  #outputsOf(derivation: Derivation, { ownDerivation = false }: Pick<AddOptions, "ownDerivation">): (readonly [string, StorePath])[] {
    // One that came from elsewhere with wrong output paths would give others' paths to its contents.
    if (!ownDerivation) checkDerivation(derivation, this.#hashes.get, this.storeDir);
    return [...derivationOutputPaths(derivation, this.storeDir)].flatMap(([name, path]) => (path === undefined ? [] : [[name, path] as const]));
  }

  async #checkContentAddress(info: NewPathInfo, file: string): Promise<void> {
    const claimed = info.contentAddress;
    if (claimed === undefined) return;
    const self = info.references.includes(info.path);
    const { method, hash: { algorithm } } = claimed;
    const got =
      self && method === "nar"
        ? await hashModuloSelf(dumpPath(file), info.path, algorithm)
        : method === "nar" && algorithm === "sha256"
          ? info.narHash
          : await contentHashOfPath(file, method, algorithm);
    const others = info.references.filter((path) => path !== info.path);
    const path = makeContentAddressedPath(storePathName(info.path), claimed, { others, self }, this.storeDir);
    if (equalHashes(got, claimed.hash) && path === info.path) return;
    const data = { path: formatStorePath(info.path, this.storeDir), wanted: formatHash(claimed.hash, "sri"), got: formatHash(got, "sri") };
    throw new TsosError({
      code: "store.hash-mismatch",
      message: `the contents of "${data.path}" have the hash "${data.got}", expected "${data.wanted}" by its content address`,
      data,
    });
  }

  #narMismatch(info: NewPathInfo, got: { readonly hash: Hash; readonly size: number }): TsosError {
    const data = {
      path: formatStorePath(info.path, this.storeDir),
      wanted: formatHash(info.narHash, "sri"),
      got: formatHash(got.hash, "sri"),
      wantedSize: info.narSize,
      gotSize: got.size,
    };
    return new TsosError({
      code: "store.hash-mismatch",
      message: `the archive for "${data.path}" has the hash "${data.got}" and ${got.size} bytes, expected "${data.wanted}" and ${info.narSize} bytes`,
      data,
    });
  }

  /** A name in a temporary folder; what is still there at the release is removed. */
  #borrowTemporaryName(): { readonly file: string; readonly release: () => Promise<void> } {
    const scratch = (this.#scratch ??= { folder: makeTemporaryFolder(this.realStoreDir), users: 0, files: 0 });
    scratch.users++;
    const file = `${scratch.folder.path}/${scratch.files++}`;
    return {
      file,
      release: async () => {
        scratch.users--;
        if (scratch.users === 0) {
          if (this.#scratch === scratch) this.#scratch = undefined;
          // The folder with all that was not moved away.
          await scratch.folder[Symbol.asyncDispose]();
        } else {
          await removeTree(file);
        }
      },
    };
  }
}

function derivationName(path: StorePath): string {
  return storePathName(path).slice(0, -".drv".length);
}

function describeText(contents: Uint8Array): { readonly narHash: Hash; readonly narSize: number } {
  const hasher = createHasher("sha256");
  let narSize = 0;
  for (const part of writeNar({ kind: "regular", executable: false, contents })) {
    hasher.update(part);
    narSize += part.length;
  }
  return { narHash: { algorithm: "sha256", digest: hasher.digest() }, narSize };
}

function writeCanonicalFile(file: string, contents: Uint8Array): void {
  const descriptor = openSync(file, constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY, 0o600);
  try {
    for (let written = 0; written < contents.length; ) written += writeSync(descriptor, contents, written);
    // Without regard to the umask.
    fchmodSync(descriptor, 0o444);
    futimesSync(descriptor, CANONICAL_TIME, CANONICAL_TIME);
  } finally {
    closeSync(descriptor);
  }
}

/** Hashes and counts what passes through. */
function createMeter(
  algorithm: Hash["algorithm"],
  signal: AbortSignal | undefined,
): { pass(source: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array>; result(): { readonly hash: Hash; readonly size: number } } {
  const hasher = createHasher(algorithm);
  let size = 0;
  return {
    async *pass(source) {
      for await (const chunk of source) {
        signal?.throwIfAborted();
        hasher.update(chunk);
        size += chunk.length;
        yield chunk;
      }
    },
    result: () => ({ hash: { algorithm, digest: hasher.digest() }, size }),
  };
}
