import { readFileSync } from "node:fs";
import { TsosError } from "../error/tsos-error.ts";
import { checkDerivation } from "../derivation/check-derivation.ts";
import { derivationOutputPaths } from "../derivation/derivation-output-paths.ts";
import type { Derivation } from "../derivation/derivation.ts";
import { hashDerivationModulo } from "../derivation/hash-derivation-modulo.ts";
import { HashModuloCache } from "../derivation/hash-modulo-cache.ts";
import { parseDerivation } from "../derivation/parse-derivation.ts";
import type { OutputId } from "../narinfo/realisation.ts";
import { isDerivationPath, storePathName, type StorePath } from "../store-path/store-path.ts";
import { lockFile, type FileLock } from "../util/file-lock.ts";
import { Announcements } from "./announcements.ts";
import type { StoreDatabase } from "./database.ts";
import { optimiseTrees } from "./optimise.ts";
import { RegistrationQueue, type Registration } from "./registration-queue.ts";
import { ScratchFiles } from "./scratch-files.ts";
import { realPathOf, type StoreLayout } from "./store-layout.ts";
import type { AddOptions } from "./store.ts";
import { TemporaryRoots } from "./temporary-roots.ts";

/** One process's hold on a store's folder: its database, its locks, and what is on its way into it. */
export class OpenStore implements AsyncDisposable {
  readonly layout: StoreLayout;
  readonly database: StoreDatabase;
  readonly temporaryRoots: TemporaryRoots;
  readonly scratch: ScratchFiles;
  readonly announcements = new Announcements();
  readonly queue: RegistrationQueue;
  readonly #autoOptimise: boolean;
  /** Held while this store writes, so that nobody changes the schema meanwhile. */
  #bigLock: Promise<FileLock> | undefined;
  /** Of derivations that came from elsewhere: what they are checked by. */
  readonly #hashes: HashModuloCache;

  constructor(layout: StoreLayout, database: StoreDatabase, autoOptimise: boolean) {
    this.layout = layout;
    this.database = database;
    this.#autoOptimise = autoOptimise;
    this.#hashes = new HashModuloCache({ storeDir: layout.storeDir, getDerivation: (path) => this.#readDerivation(path) });
    this.queue = new RegistrationQueue(layout.realStoreDir, () => database, () => this.announcements.areAny);
    this.temporaryRoots = new TemporaryRoots(layout);
    this.scratch = new ScratchFiles(layout.realStoreDir);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.queue.drain();
    await this.scratch[Symbol.asyncDispose]();
    this.temporaryRoots[Symbol.dispose]();
    this.database[Symbol.dispose]();
    (await this.#bigLock)?.release();
  }

  realPath(path: StorePath | string): string {
    return realPathOf(this.layout, path);
  }

  isValid(path: StorePath): boolean {
    return this.database.findId(path) !== undefined;
  }

  /** @throws TsosError `store.invalid-path` */
  requireValid(path: StorePath): void {
    if (!this.isValid(path)) throw this.database.invalidPath(path);
  }

  /** To be awaited before anything of the store is changed. @throws TsosError `store.not-writable` */
  async prepareToWrite(): Promise<void> {
    if (this.database.readOnly) {
      throw new TsosError({
        code: "store.not-writable",
        message: `the store "${this.layout.realStoreDir}" is not writable for this user`,
        hint: "run as the user that owns it, or use the daemon that serves it",
        data: { storeDir: this.layout.realStoreDir },
      });
    }
    await (this.#bigLock ??= lockFile(this.layout.bigLock, { mode: "shared" }));
  }

  /** Makes valid what is in place or under a temporary name; of derivations, their outputs' paths are noted too. */
  async register(registration: Registration): Promise<void> {
    const derivations = registration.objects
      .filter(({ info }) => isDerivationPath(info.path))
      .map(({ info, temporary }) => [info.path, this.knownOutputs(info.path, readFileSync(temporary ?? this.realPath(info.path)), {})] as const);
    await this.queue.add({
      ...registration,
      also(database) {
        registration.also?.(database);
        for (const [path, outputs] of derivations) database.addDerivationOutputs(path, outputs);
      },
    });
  }

  /** The outputs of a derivation's text whose paths are known. @throws TsosError when they are not those it must have */
  knownOutputs(path: StorePath, text: Uint8Array, { ownDerivation = false }: Pick<AddOptions, "ownDerivation">): (readonly [string, StorePath])[] {
    const derivation = parseDerivation(text, derivationName(path), this.layout.storeDir);
    // One that came from elsewhere with wrong output paths would give others' paths to its contents.
    if (!ownDerivation) {
      checkDerivation(derivation, this.#hashes.get, this.layout.storeDir);
      // Who has it as an input may come in the same stream, while this one waits to be registered.
      this.#hashes.add(path, derivation);
    }
    return [...derivationOutputPaths(derivation, this.layout.storeDir)].flatMap(([name, output]) => (output === undefined ? [] : [[name, output] as const]));
  }

  /** Output name → path, of those that are known: stated by the derivation, or kept as realisations. */
  outputsOf(path: StorePath): Map<string, StorePath> {
    const known = this.database.derivationOutputs(path);
    if (!this.database.hasRealisations() || !this.isValid(path)) return known;
    for (const name of this.#readDerivation(path).outputs.keys()) {
      const id = known.has(name) ? undefined : this.outputId(path, name);
      const realisation = id === undefined ? undefined : this.database.findRealisation(id);
      if (realisation !== undefined) known.set(name, realisation.path);
    }
    return known;
  }

  /** What realisations of an output are kept under. @throws TsosError `store.invalid-path` */
  outputId(path: StorePath, output: string): OutputId | undefined {
    const { base16 } = hashDerivationModulo(this.#readDerivation(path), this.#hashes.get, { maskOutputs: true, storeDir: this.layout.storeDir });
    const derivationHash = typeof base16 === "object" ? base16.get(output) : base16;
    return derivationHash === undefined ? undefined : { derivationHash, output };
  }

  /** After they are valid: what is shared must be on disk. */
  async optimiseAdded(paths: readonly StorePath[]): Promise<void> {
    if (this.#autoOptimise) await optimiseTrees(this.layout, paths.map((path) => this.realPath(path)));
  }

  #readDerivation(path: StorePath): Derivation {
    this.requireValid(path);
    return parseDerivation(readFileSync(this.realPath(path)), derivationName(path), this.layout.storeDir);
  }
}

function derivationName(path: StorePath): string {
  return storePathName(path).slice(0, -".drv".length);
}
