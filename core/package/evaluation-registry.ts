import type { StoreSource } from "./build-attributes.ts";
import { deriveFromAttributes } from "./derive.ts";
import type { IssuedPath } from "./issued-path.ts";
import type { RecordedDerivation } from "./recorded-derivation.ts";
import type { AttributePlace, DerivationAttributes } from "./derivation-attributes.ts";
import { createEvaluationStack, type EvaluationStack } from "./evaluation-stack.ts";
import type { InstantiatedSource, Instantiation } from "../derivation/instantiation.ts";
import type { Derivation } from "../derivation/derivation.ts";
import type { HashModuloCache } from "../derivation/hash-modulo-cache.ts";
import { DerivationMemory } from "./derivation-memory.ts";
import { TsosError } from "../error/tsos-error.ts";
import { isNix32 } from "../hash/nix32.ts";
import { makeTextPath } from "../store-path/make-store-path.ts";
import {
  DEFAULT_STORE_DIR,
  formatStorePath,
  parseStorePath,
  STORE_PATH_HASH_LENGTH,
  storePathHash,
  storePathName,
  type StorePath,
} from "../store-path/store-path.ts";
import { toByteString, type ByteString } from "../util/bytes.ts";
import { compareByteStrings } from "../util/ordering.ts";

/**
 * All that one evaluation has put towards the store: its derivations, inputs first, its sources, and every
 * store path that it gave out. A string that enters a derivation may hold only paths that stand here.
 */
export class EvaluationRegistry {
  readonly storeDir: string;
  /** The packages under evaluation. */
  readonly stack: EvaluationStack = createEvaluationStack();
  readonly #prefix: string;
  readonly #issued = new Map<string, IssuedPath>();
  readonly #derivations = new Map<StorePath, RecordedDerivation>();
  readonly #derived = new Map<string, RecordedDerivation>();
  readonly #sources = new Map<StorePath, InstantiatedSource>();
  readonly #hashes: HashModuloCache;
  /** Made by Nix expressions. */
  readonly #ofCollections = new Set<StorePath>();
  readonly #substituters = new Set<string>();
  readonly #trustedPublicKeys = new Set<string>();
  readonly #textPaths = new Map<string, StoreSource>();

  readonly #memory: DerivationMemory;

  /** @param options `memory`: of earlier evaluations in the same realm; default: of none */
  constructor(options: { readonly storeDir?: string | undefined; readonly memory?: DerivationMemory | undefined } = {}) {
    this.storeDir = options.storeDir ?? DEFAULT_STORE_DIR;
    this.#prefix = `${this.storeDir}/`;
    this.#memory = options.memory ?? new DerivationMemory(this.storeDir);
    // Those that a Nix expression made are recorded without their hashes.
    this.#hashes = this.#memory.begin((path) => this.getRecorded(formatStorePath(path, this.storeDir)).derivation);
  }

  /** The derivation of `attributes`: made, recorded, its paths issued. */
  derive(attributes: DerivationAttributes): RecordedDerivation {
    return deriveFromAttributes(this, this.#hashes, attributes);
  }

  /** What was recorded with `key`, which says all that a derivation is made from, here or in an earlier evaluation. */
  findDerived(key: string, inputDerivations: Derivation["inputDerivations"], inputSources: Derivation["inputSources"]): RecordedDerivation | undefined {
    const known = this.#derived.get(key);
    if (known !== undefined) return known;
    const remembered = this.#memory.find(key, inputDerivations, inputSources);
    return remembered === undefined ? undefined : this.record(remembered, key);
  }

  /** Records a whole derivation whose inputs are recorded already, and issues its paths. */
  record(recorded: RecordedDerivation, key?: string): RecordedDerivation {
    const known = this.#derivations.get(recorded.path);
    if (key !== undefined) {
      this.#derived.set(key, known ?? recorded);
      this.#memory.remember(key, known ?? recorded);
    }
    if (known !== undefined) return known;
    this.#derivations.set(recorded.path, recorded);
    this.#issue({ kind: "derivation", path: recorded.path });
    for (const [output, path] of recorded.outputs) this.#issue({ kind: "output", path, derivation: recorded.path, output });
    return recorded;
  }

  /** The same for what a Nix expression made: the caches of collections may have it. */
  recordOfCollection(recorded: RecordedDerivation): RecordedDerivation {
    this.#ofCollections.add(recorded.path);
    return this.record(recorded);
  }

  /** Binary caches for what Nix expressions make. */
  useCollectionCaches(substituters: readonly string[], trustedPublicKeys: readonly string[]): void {
    for (const url of substituters) this.#substituters.add(url);
    for (const key of trustedPublicKeys) this.#trustedPublicKeys.add(key);
  }

  #issue(issued: IssuedPath): void {
    // The same fixed output may come from two derivations (two mirrors of one file): either will do.
    const key = storePathHash(issued.path);
    if (!this.#issued.has(key)) this.#issued.set(key, issued);
  }

  findRecorded(path: StorePath): RecordedDerivation | undefined {
    return this.#derivations.get(path);
  }

  /** The derivation at `drvPath`, a store path in full. */
  getRecorded(drvPath: string): RecordedDerivation {
    const recorded = this.#derivations.get(parseStorePath(drvPath, this.storeDir));
    if (recorded === undefined) throw unknownStorePath(drvPath, undefined);
    return recorded;
  }

  /**
   * A text that goes into the store without a build.
   * @throws TsosError `package.text-refers-to-output` when it holds the path of something that must be built.
   */
  addText(name: string, text: string): StoreSource {
    const key = `${name}\0${text}`;
    const known = this.#textPaths.get(key);
    if (known !== undefined) return known;
    const contents = toByteString(text);
    const references = new Set<StorePath>();
    this.scan(contents, { derivation: name, attribute: "the text" }, (issued) => {
      if (issued.kind !== "source") {
        throw new TsosError({
          code: "package.text-refers-to-output",
          message: `the text "${name}" holds "${formatStorePath(issued.path, this.storeDir)}", which must be built first`,
          hint: "write it with writeText, which is itself built",
          data: { name, path: formatStorePath(issued.path, this.storeDir) },
        });
      }
      references.add(issued.path);
    });
    const path = makeTextPath({ name, contents, references, storeDir: this.storeDir });
    const full = formatStorePath(path, this.storeDir);
    if (!this.#sources.has(path)) {
      const sorted = [...references].sort(compareByteStrings).map((reference) => formatStorePath(reference, this.storeDir));
      this.#sources.set(path, { kind: "text", path: full, name, contents, references: sorted });
      this.#issue({ kind: "source", path });
    }
    const source = createSource(name, full);
    this.#textPaths.set(key, source);
    return source;
  }

  /** A file or folder of the project, or of an input's tree, whose store path whoever read it has computed. */
  addPath(name: string, path: string, file: string, how: { readonly method?: "nar" | "flat"; readonly excluded?: readonly string[]; readonly references?: readonly StorePath[]; readonly input?: string | undefined } = {}): StoreSource {
    const parsed = parseStorePath(path, this.storeDir);
    if (!this.#sources.has(parsed)) {
      const { method = "nar", excluded = [], references = [], input } = how;
      this.#sources.set(parsed, { kind: "path", path, name, file, ...(input === undefined ? {} : { input }), ...(method === "nar" ? {} : { method }), ...(excluded.length === 0 ? {} : { excluded }), ...(references.length === 0 ? {} : { references: references.map((reference) => formatStorePath(reference, this.storeDir)) }) });
      this.#issue({ kind: "source", path: parsed });
    }
    return createSource(name, path);
  }

  /** A text with references that its maker knows: a Nix expression's `toFile`. */
  addTextWithReferences(name: string, contents: ByteString, references: readonly StorePath[]): StorePath {
    const path = makeTextPath({ name, contents, references: new Set(references), storeDir: this.storeDir });
    if (!this.#sources.has(path)) {
      const sorted = [...references].sort(compareByteStrings).map((reference) => formatStorePath(reference, this.storeDir));
      this.#sources.set(path, { kind: "text", path: formatStorePath(path, this.storeDir), name, contents, references: sorted });
      this.#issue({ kind: "source", path });
    }
    return path;
  }

  /** The file or folder of the project that a store path in full was made of, relative to it. */
  findProjectFile(path: string): string | undefined {
    if (!path.startsWith(this.#prefix)) return undefined;
    const source = [...this.#sources.values()].find((one) => one.path === path);
    return source?.kind === "path" && source.input === undefined ? source.file : undefined;
  }

  /** What `path`, a store path in full, was issued as. */
  findIssued(path: string): IssuedPath | undefined {
    return path.startsWith(this.#prefix) ? this.#issued.get(path.slice(this.#prefix.length, this.#prefix.length + STORE_PATH_HASH_LENGTH)) : undefined;
  }

  /**
   * Calls `onPath` for each store path in `text`.
   * @throws TsosError `package.unknown-store-path` for one that this evaluation never issued.
   */
  scan(text: string, place: AttributePlace, onPath: (issued: IssuedPath) => void): void {
    const prefix = this.#prefix;
    for (let at = text.indexOf(prefix); at !== -1; at = text.indexOf(prefix, at + prefix.length)) {
      const start = at + prefix.length;
      const end = start + STORE_PATH_HASH_LENGTH;
      const hash = text.slice(start, end);
      // What has no hash (`/nix/store/`, `/nix/store/.links`) is no store path.
      if (text[end] !== "-" || !isNix32(hash)) continue;
      const issued = this.#issued.get(hash);
      if (issued === undefined || !text.startsWith(storePathName(issued.path), end + 1)) {
        throw unknownStorePath(/^[^\s"'<>:;,|&(){}[\]\\/]+/.exec(text.slice(start))?.[0] ?? hash, place, prefix);
      }
      onPath(issued);
    }
  }

  /** What `roots` (store paths in full: derivations, outputs or sources) reach, inputs first. */
  instantiation(roots: Iterable<string>): Instantiation {
    const derivations = new Set<StorePath>();
    const sources = new Set<StorePath>();
    const pending: StorePath[] = [];
    const reachDerivation = (path: StorePath): void => {
      if (derivations.has(path)) return;
      derivations.add(path);
      pending.push(path);
    };
    const reach = (path: StorePath): void => {
      if (this.#derivations.has(path)) return reachDerivation(path);
      const source = this.#sources.get(path);
      if (source === undefined || sources.has(path)) return;
      sources.add(path);
      for (const reference of source.references ?? []) reach(parseStorePath(reference, this.storeDir));
    };
    for (const root of roots) {
      const issued = this.findIssued(root);
      if (issued === undefined) throw unknownStorePath(root, undefined);
      reach(issued.kind === "output" ? issued.derivation : issued.path);
    }
    for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
      const recorded = this.#derivations.get(path);
      if (recorded === undefined) continue;
      for (const input of recorded.derivation.inputDerivations.keys()) reachDerivation(input);
      for (const source of recorded.derivation.inputSources) reach(source);
    }
    // Both maps keep the order of recording, in which inputs come first.
    return {
      derivations: [...this.#derivations.values()]
        .filter((recorded) => derivations.has(recorded.path))
        .map((recorded) => ({ path: formatStorePath(recorded.path, this.storeDir), contents: recorded.contents })),
      sources: [...this.#sources].filter(([path]) => sources.has(path)).map(([, source]) => source),
      ...this.#collectionCaches(derivations),
    };
  }

  #collectionCaches(reached: ReadonlySet<StorePath>): Pick<Instantiation, "collections"> {
    const derivations = [...this.#ofCollections].filter((path) => reached.has(path)).map((path) => formatStorePath(path, this.storeDir));
    if (derivations.length === 0 || this.#substituters.size === 0) return {};
    return { collections: { substituters: [...this.#substituters], trustedPublicKeys: [...this.#trustedPublicKeys], derivations } };
  }
}

function createSource(name: string, path: string): StoreSource {
  return Object.freeze({ kind: "source", name, path, toString: () => path, toJSON: () => path });
}

function unknownStorePath(path: string, place: AttributePlace | undefined, prefix = ""): TsosError {
  const where = place === undefined ? "" : ` in attribute "${place.attribute}" of derivation "${place.derivation}"`;
  return new TsosError({
    code: "package.unknown-store-path",
    message: `store path "${prefix}${path}"${where} was never issued by this evaluation`,
    hint: "use the package itself, as ${pkgs.NAME}, or path(\"./file\") for a file of the project",
    data: { path: `${prefix}${path}`, ...place },
  });
}
