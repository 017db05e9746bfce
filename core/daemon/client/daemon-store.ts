import { createReadStream } from "node:fs";
import { derivationReferences } from "../../derivation/derivation-store-path.ts";
import type { Derivation } from "../../derivation/derivation.ts";
import { formatDerivation } from "../../derivation/format-derivation.ts";
import { TsosError } from "../../error/tsos-error.ts";
import { equalHashes, formatHash } from "../../hash/hash.ts";
import { dumpPath, narHashOfPath } from "../../nar/dump-path.ts";
import { computePath } from "../../store/add-path.ts";
import type { OutputId, Realisation } from "../../narinfo/realisation.ts";
import type { BuildService } from "../../store/build-service.ts";
import { linkTo } from "../../store/find-roots.ts";
import type { NewPathInfo, ValidPathInfo } from "../../store/path-info.ts";
import { scan } from "../../store/register-build-outputs.ts";
import { makeStoreLayout, realPathOf, type StoreLayout } from "../../store/store-layout.ts";
import type { AddOptions, AddPathOptions, ClosureOptions, GarbageOptions, GarbageResult, LocalStore, LocalStoreOptions, Root, RootWay, StoreProblem, TextToAdd, VerifyOptions } from "../../store/store.ts";
import { formatMethodAndAlgorithm } from "../../store-path/content-address.ts";
import { formatStorePath, type StorePath } from "../../store-path/store-path.ts";
import type { ByteString } from "../../util/bytes.ts";
import { compareByteStrings } from "../../util/ordering.ts";
import { readOptionalPath, readPath, readPaths, writePath, writePaths } from "../wire/path-codec.ts";
import { readPathInfo } from "../wire/path-info-codec.ts";
import { OPERATION } from "../wire/protocol.ts";
import type { WireReader } from "../wire/wire-reader.ts";
import type { WireWriter } from "../wire/wire-writer.ts";
import { addTexts } from "./add-texts.ts";
import { ClientStore } from "./client-store.ts";
import { closureByAsking, findRootsByAsking, sortByAsking } from "./closure-by-asking.ts";
import type { ConnectionPool } from "./connection-pool.ts";
import { createDaemonBuilds } from "./daemon-builds.ts";
import type { AskOptions, DaemonConnection } from "./daemon-connection.ts";
import { describeCollection, garbageRequest } from "./garbage-request.ts";
import { packTexts, type PackedText } from "./pack-texts.ts";

/** As many requests are on their way before an answer is read. */
const BATCH = 256;

/**
 * This machine's store as a user has it who may not write it: its files are read where they are, everything else is
 * asked of the daemon. What the connections asked for is kept alive until they are closed. Nix: libstore/uds-remote-store.cc.
 */
export class DaemonStore extends ClientStore implements LocalStore {
  readonly storeDir: string;
  readonly realStoreDir: string;
  readonly stateDir: string;
  readonly logDir: string;
  readonly readOnly = false;
  readonly builds: BuildService;
  /** For people and errors. */
  readonly name: string;
  readonly #layout: StoreLayout;
  readonly #pool: ConnectionPool<DaemonConnection>;

  constructor(pool: ConnectionPool<DaemonConnection>, options: LocalStoreOptions & { readonly name: string }) {
    super();
    this.#pool = pool;
    this.#layout = makeStoreLayout(options);
    this.name = options.name;
    this.storeDir = this.#layout.storeDir;
    this.realStoreDir = this.#layout.realStoreDir;
    this.stateDir = this.#layout.stateDir;
    this.logDir = this.#layout.logDir;
    this.builds = createDaemonBuilds(pool, this.storeDir);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool[Symbol.asyncDispose]();
  }

  realPath(path: StorePath | string): string {
    return realPathOf(this.#layout, path);
  }

  findPathInfo(path: StorePath): Promise<ValidPathInfo | undefined> {
    return this.#pool.use((connection) => connection.findPathInfo(path));
  }

  async getPathInfo(path: StorePath): Promise<ValidPathInfo> {
    const info = await this.findPathInfo(path);
    if (info !== undefined) return info;
    const shown = formatStorePath(path, this.storeDir);
    throw new TsosError({ code: "store.invalid-path", message: `path "${shown}" is not valid`, data: { path: shown } });
  }

  isValidPath(path: StorePath): Promise<boolean> {
    return this.#pool.use((connection) => connection.isValidPath(path));
  }

  async queryValidPaths(paths: Iterable<StorePath>): Promise<Set<StorePath>> {
    const asked = [...paths];
    return asked.length === 0 ? new Set() : this.#pool.use((connection) => connection.queryValidPaths(asked));
  }

  async queryAllValidPaths(): Promise<StorePath[]> {
    return (await this.#ask(OPERATION.queryAllValidPaths, () => {}, (reader) => readPaths(reader, this.storeDir))).sort(compareByteStrings);
  }

  findPathFromHashPart(hashPart: string): Promise<StorePath | undefined> {
    return this.#ask(OPERATION.queryPathFromHashPart, (writer) => void writer.text(hashPart), (reader) => readOptionalPath(reader, this.storeDir));
  }

  queryReferrers(path: StorePath): Promise<StorePath[]> {
    return this.#queryPaths(OPERATION.queryReferrers, path);
  }

  async queryDeriversOf(paths: Iterable<StorePath>): Promise<Set<StorePath>> {
    const infos = await Promise.all([...paths].map((path) => this.findPathInfo(path)));
    return new Set(infos.flatMap((info) => (info?.deriver === undefined ? [] : [info.deriver])));
  }

  queryValidDerivers(path: StorePath): Promise<StorePath[]> {
    return this.#queryPaths(OPERATION.queryValidDerivers, path);
  }

  async queryDerivationOutputs(derivation: StorePath): Promise<Map<string, StorePath>> {
    const outputs = await this.#ask(OPERATION.queryDerivationOutputMap, (writer) => writePath(writer, derivation, this.storeDir), (reader) => reader.map(() => readOptionalPath(reader, this.storeDir)));
    return new Map([...outputs].flatMap(([name, path]) => (path === undefined ? [] : [[name, path] as const])));
  }

  closure(paths: Iterable<StorePath>, options: ClosureOptions = {}): Promise<Set<StorePath>> {
    return closureByAsking(this, paths, options);
  }

  sortTopologically(paths: Iterable<StorePath>): Promise<StorePath[]> {
    return sortByAsking(this, paths);
  }

  async *narFromPath(path: StorePath): AsyncIterable<Uint8Array> {
    await this.getPathInfo(path);
    yield* dumpPath(this.realPath(path));
  }

  async addTextToStore(name: string, contents: Uint8Array | ByteString, references: readonly StorePath[], options?: AddOptions): Promise<StorePath> {
    return (await this.addTextsToStore([{ name, contents, references }], options))[0]!;
  }

  addTextsToStore(texts: readonly TextToAdd[], { signal }: AddOptions = {}): Promise<StorePath[]> {
    const send = (missing: readonly PackedText[]): Promise<unknown> =>
      // Neither repaired nor taken on our word: a text proves its name.
      this.#ask(OPERATION.addMultipleToStore, (writer) => void writer.boolean(false).boolean(false), undefined, { frames: packTexts(missing, this.storeDir) }, signal);
    return addTexts(this, texts, send);
  }

  writeDerivation(derivation: Derivation, options?: AddOptions): Promise<StorePath> {
    return this.addTextToStore(`${derivation.name}.drv`, formatDerivation(derivation, this.storeDir), [...derivationReferences(derivation)], options);
  }

  async addNarToStore(info: NewPathInfo, nar: AsyncIterable<Uint8Array>, { signal, onReceived }: AddOptions = {}): Promise<void> {
    await this.addTemporaryRoot(info.path);
    if (!(await this.isValidPath(info.path))) await this.#pool.use((connection) => connection.addNar(info, nar), signal);
    onReceived?.();
  }

  async addPathToStore(name: string, file: string, options: AddPathOptions = {}): Promise<StorePath> {
    const { method = "nar", algorithm = "sha256", references = [], signal, include, likelyNew = false } = options;
    if (!likelyNew) {
      const expected = await this.computePathForFile(name, file, options);
      await this.addTemporaryRoot(expected);
      if (await this.isValidPath(expected)) return expected;
    }
    const { path } = await this.#ask(
      OPERATION.addToStore,
      (writer) => {
        writer.text(name).string(`${method === "text" ? "" : "fixed:"}${formatMethodAndAlgorithm(method, algorithm)}`);
        writePaths(writer, references, this.storeDir);
        writer.boolean(false);
      },
      (reader) => readPathInfo(reader, this.storeDir),
      { frames: method === "flat" || method === "text" ? createReadStream(file) : dumpPath(file, { signal, include }) },
      signal,
    );
    return path;
  }

  computePathForFile(name: string, file: string, options: AddPathOptions = {}): Promise<StorePath> {
    return computePath(this.storeDir, name, file, options);
  }

  async scanReferences(path: StorePath, candidates: Iterable<StorePath>): Promise<Set<StorePath>> {
    return (await scan(dumpPath(this.realPath(path)), candidates)).references;
  }

  findRealisation(id: OutputId): Promise<Realisation | undefined> {
    return this.#pool.use((connection) => connection.findRealisation(id));
  }

  /** The protocol has no such question. */
  async queryRealisationsOf(): Promise<readonly Realisation[]> {
    return [];
  }

  async registerRealisations(realisations: readonly Realisation[]): Promise<void> {
    for (const realisation of realisations) await this.#pool.use((connection) => connection.addRealisation(realisation));
  }

  async findOutputId(): Promise<undefined> {
    return undefined;
  }

  async addSignatures(path: StorePath, signatures: readonly string[]): Promise<void> {
    await this.#ask(
      OPERATION.addSignatures,
      (writer) => {
        writePath(writer, path, this.storeDir);
        writer.strings(signatures);
      },
      (reader) => reader.number(),
    );
  }

  /** The daemon sees to it after each request that makes something valid. */
  async flush(): Promise<void> {}

  async addTemporaryRoot(...paths: readonly StorePath[]): Promise<void> {
    for (let i = 0; i < paths.length; i += BATCH) {
      const batch = paths.slice(i, i + BATCH);
      await this.#pool.use((connection) => connection.askMany(OPERATION.addTempRoot, batch, (writer, path) => writePath(writer, path, this.storeDir), (reader) => reader.number()));
    }
  }

  async addIndirectRoot(link: string): Promise<void> {
    await this.#ask(OPERATION.addIndirectRoot, (writer) => void writer.text(link), (reader) => reader.number());
  }

  /** The link is this user's own; the daemon only learns where it is. */
  async addPermanentRoot(path: StorePath, link: string): Promise<void> {
    await this.addTemporaryRoot(path);
    await this.getPathInfo(path);
    await this.addIndirectRoot(linkTo(this.#layout, path, link));
  }

  async findRoots(): Promise<Root[]> {
    const roots = await this.#ask(OPERATION.findRoots, () => {}, (reader) =>
      reader.list(async () => {
        const source = await reader.text();
        return { source, path: await readPath(reader, this.storeDir) };
      }),
    );
    return roots;
  }

  async findRootsOf(path: StorePath): Promise<readonly RootWay[]> {
    return findRootsByAsking(this, await this.findRoots(), path);
  }

  async collectGarbage(options: GarbageOptions = {}): Promise<GarbageResult> {
    if (options.olderThan !== undefined || options.rootsOlderThan !== undefined) throw this.notForClients("collecting by age");
    const request = garbageRequest(options, this.storeDir);
    const answer = await this.#ask(OPERATION.collectGarbage, request.write, request.read, {}, options.signal);
    return describeCollection(this, options, answer);
  }

  /** The daemon says which paths are wrong as it finds them; its answer is only whether there are any. */
  async verify({ checkContents = false, signal }: VerifyOptions = {}): Promise<StoreProblem[]> {
    const hasProblems = await this.#ask(OPERATION.verifyStore, (writer) => void writer.boolean(checkContents).boolean(false), (reader) => reader.boolean(), {}, signal);
    return hasProblems ? [{ kind: "database", message: `"${this.name}" found what it warned of above` }] : [];
  }

  async verifyPath(path: StorePath, { signal }: { readonly signal?: AbortSignal | undefined } = {}): Promise<StoreProblem | undefined> {
    const { narHash, narSize } = await this.getPathInfo(path);
    try {
      const { hash, size } = await narHashOfPath(this.realPath(path), { signal });
      if (!equalHashes(hash, narHash)) return { kind: "modified", path, expected: formatHash(narHash, "sri"), actual: formatHash(hash, "sri") };
      return size === narSize ? undefined : { kind: "wrong-size", path, expected: narSize, actual: size };
    } catch (cause) {
      signal?.throwIfAborted();
      return { kind: "unreadable", path, cause };
    }
  }

  #queryPaths(operation: number, path: StorePath): Promise<StorePath[]> {
    return this.#ask(operation, (writer) => writePath(writer, path, this.storeDir), (reader) => readPaths(reader, this.storeDir));
  }

  #ask<T>(operation: number, write: (writer: WireWriter) => void, read: ((reader: WireReader) => Promise<T>) | undefined, options?: AskOptions, signal?: AbortSignal): Promise<T> {
    return this.#pool.use((connection) => connection.ask(operation, write, read, options), signal);
  }
}
