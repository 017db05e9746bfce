import type { StorePath } from "../../store-path/store-path.ts";
import type { ByteString } from "../../util/bytes.ts";
import { compareByteStrings } from "../../util/ordering.ts";
import { canonicalPath } from "../canonical-path.ts";
import type { Evaluator } from "../evaluator.ts";
import { NixError } from "../nix-error.ts";
import type { NixFetcher, NixSource, UsedRegistries } from "../nix-fetcher.ts";
import { checkFlakeLock, formatFlakeLock, isFollowed, parseFlakeLock, type InputPath, type LockNode } from "./flake-lock.ts";
import { readFlake, withDir, type FlakeFile, type FlakeInput } from "./read-flake.ts";

export type LockOptions = {
  /** Only what is locked may be fetched. */
  readonly isPure: boolean;
  /** Inputs that are locked anew, as `a/b`. */
  readonly updates?: ReadonlySet<ByteString> | undefined;
  /** A lock file that counts as none: everything is locked anew. */
  readonly ignoreLock?: boolean | undefined;
  /** Inputs that stand for another source than the flake says, as `a/b`. */
  readonly overrides?: ReadonlyMap<ByteString, NixSource> | undefined;
  /** The text of another lock file that takes the place of the flake's own. */
  readonly referenceLock?: { readonly file: ByteString; readonly text: ByteString | undefined } | undefined;
};

/** A flake whose tree is in the store. */
export type FetchedFlake = {
  readonly file: FlakeFile;
  /** The tree's path in full, and the folder in it that holds the `flake.nix`. */
  readonly tree: ByteString;
  readonly folder: ByteString;
  /** What it was found to be, with `dir`. */
  readonly locked: NixSource;
  /** After the registries were asked, with `dir`. */
  readonly resolved: NixSource;
};

export type LockedFlake = {
  readonly flake: FetchedFlake;
  readonly storePath: StorePath;
  readonly lock: LockNode;
  /** The lock file's text as it should be, and as it is. */
  readonly text: ByteString;
  readonly present: ByteString | undefined;
};

type Override = { readonly input: FlakeInput; readonly file: FlakeFile | undefined; readonly tree: ByteString; readonly folder: ByteString; readonly parent: InputPath };

/** Fetches a flake and finds out what all of its inputs are: from its lock file where that still holds. */
export function lockFlake(e: Evaluator, fetcher: NixFetcher, ref: NixSource, options: LockOptions): LockedFlake {
  const { flake, storePath } = fetchFlake(e, fetcher, ref, options.isPure ? "none" : "all", []);
  return whileLocking(e, fetcher, flake, () => lockFetched(e, fetcher, { flake, storePath }, options));
}

/** What goes wrong in `lock` says of which flake's lock file. */
export function whileLocking<T>(e: Evaluator, fetcher: NixFetcher, flake: FetchedFlake, lock: () => T): T {
  try {
    return lock();
  } catch (error) {
    throw e.trace(error, `while updating the lock file of flake '${fetcher.formatFlakeRef(flake.locked)}'`);
  }
}

function lockFetched(e: Evaluator, fetcher: NixFetcher, { flake, storePath }: Pick<LockedFlake, "flake" | "storePath">, options: LockOptions): LockedFlake {
  const lockFile = options.referenceLock?.file ?? `${flake.folder}/flake.lock`;
  const present = options.referenceLock !== undefined ? options.referenceLock.text : e.io.fileKind(lockFile) === undefined ? undefined : e.io.readFile(lockFile);
  const old = present === undefined || options.ignoreLock === true ? undefined : parseFlakeLock(present, lockFile);
  const lock = new Locker(e, fetcher, options).lock(flake, old);
  checkFlakeLock(lock);
  return { flake, storePath, lock, text: formatFlakeLock(lock), present };
}

function fetchFlake(e: Evaluator, fetcher: NixFetcher, ref: NixSource, registries: UsedRegistries, path: InputPath): { readonly flake: FetchedFlake; readonly storePath: StorePath } {
  const { dir: asked, ...unresolved } = ref;
  const { dir: found, ...source }: NixSource = unresolved["type"] === "indirect" ? fetcher.resolve(unresolved, registries) : unresolved;
  const dir = typeof found === "string" ? found : typeof asked === "string" ? asked : "";
  const read = (wanted: NixSource) => {
    const { path: storePath, source: locked } = fetcher.fetch(wanted, false);
    const tree = `${e.io.storeDir}/${storePath}`;
    const folder = canonicalPath(dir === "" ? tree : `${tree}/${dir}`);
    const file = readFlake(e, { fetcher, folder, tree, shown: fetcher.formatFlakeRef(withDir(wanted, dir)), path });
    return { storePath, flake: { file, tree, folder, locked: withDir(locked, dir), resolved: withDir(wanted, dir) } };
  };
  const first = read(source);
  const { self } = first.flake.file;
  const unknown = Object.keys(self).find((name) => name !== "submodules" && name !== "lfs");
  if (unknown !== undefined) throw new NixError("eval", `flake 'self' attribute '${unknown}' is not supported`);
  // A flake may ask for its submodules.
  return Object.keys(self).every((name) => source[name] === self[name]) ? first : read({ ...source, ...self });
}

/** Nix: libflake/flake.cc, lockFlake */
class Locker {
  readonly #e: Evaluator;
  readonly #fetcher: NixFetcher;
  readonly #options: LockOptions;
  readonly #overrides = new Map<string, Override>();
  readonly #parents: string[] = [];
  /** Overrides of the command line, which are not remembered as what was asked for. */
  readonly #commanded = new Set<string>();
  readonly #overridesUsed = new Set<string>();
  readonly #updatesUsed = new Set<ByteString>();

  constructor(e: Evaluator, fetcher: NixFetcher, options: LockOptions) {
    this.#e = e;
    this.#fetcher = fetcher;
    this.#options = options;
  }

  lock(flake: FetchedFlake, old: LockNode | undefined): LockNode {
    const root: LockNode = { inputs: new Map() };
    this.#parents.push(key(flake.resolved));
    const { overrides = new Map<ByteString, NixSource>(), updates = new Set<ByteString>() } = this.#options;
    for (const [path, source] of overrides) {
      this.#overrides.set(key(path.split("/")), { input: { source, isFlake: true, overrides: new Map() }, file: undefined, tree: flake.tree, folder: flake.folder, parent: [] });
      this.#commanded.add(key(path.split("/")));
    }
    this.#compute(flake.file.inputs, root, [], old, [], flake, false);
    for (const [path, source] of overrides) {
      if (!this.#overridesUsed.has(key(path.split("/")))) this.#e.io.log(`warning: the flag '--override-input ${path} ${this.#fetcher.formatFlakeRef(source)}' does not match any input`);
    }
    for (const path of updates) if (!this.#updatesUsed.has(path)) this.#e.io.log(`warning: '${path}' does not match any input of this flake`);
    return root;
  }

  /**
   * @param followsPrefix what `follows` of the old node is relative to: its own flake's path when it comes from that
   * flake's lock file
   * @param trustLock the inputs come from the lock file itself
   */
  #compute(inputs: ReadonlyMap<ByteString, FlakeInput>, node: LockNode, prefix: InputPath, oldNode: LockNode | undefined, followsPrefix: InputPath, at: Pick<FetchedFlake, "tree" | "folder">, trustLock: boolean): void {
    const addOverrides = (input: FlakeInput, path: InputPath): void => {
      for (const [id, override] of input.overrides) {
        const inner = [...path, id];
        if ((override.source !== undefined || override.follows !== undefined) && !this.#overrides.has(key(inner))) {
          this.#overrides.set(key(inner), { input: override, file: undefined, tree: at.tree, folder: at.folder, parent: prefix });
        }
        addOverrides(override, inner);
      }
    };
    for (const [id, input] of inputs) addOverrides(input, [...prefix, id]);
    for (const path of this.#overrides.keys()) {
      const parts = JSON.parse(path) as InputPath;
      const id = parts.at(-1)!;
      if (key(parts.slice(0, -1)) === key(prefix) && !inputs.has(id)) this.#e.io.log(`warning: input '${prefix.join("/")}' has an override for a non-existent input '${id}'`);
    }
    for (const [id, input] of [...inputs].sort(([a], [b]) => compareByteStrings(a, b))) {
      const path = [...prefix, id];
      try {
        this.#computeInput(id, input, node, prefix, oldNode, followsPrefix, at, trustLock);
      } catch (error) {
        throw this.#e.trace(error, `while updating the flake input '${path.join("/")}'`);
      }
    }
  }

  #computeInput(id: ByteString, own: FlakeInput, node: LockNode, prefix: InputPath, oldNode: LockNode | undefined, followsPrefix: InputPath, at: Pick<FetchedFlake, "tree" | "folder">, trustLock: boolean): void {
    const fetcher = this.#fetcher;
    const path = [...prefix, id];
    const override = this.#overrides.get(key(path));
    const isCommanded = this.#commanded.has(key(path));
    if (override !== undefined) this.#overridesUsed.add(key(path));
    const input = override === undefined ? own : { ...override.input, isFlake: own.isFlake };
    const from = override ?? at;
    if (input.follows !== undefined) {
      node.inputs.set(id, input.follows);
      return;
    }
    const source: NixSource = input.source ?? { type: "indirect", id };
    const relative = source["type"] === "path" && typeof source["path"] === "string" && !source["path"].startsWith("/") ? source["path"] : undefined;
    const parent = relative === undefined ? undefined : (override?.parent ?? prefix);
    const old = oldNode !== undefined && this.#options.updates?.has(path.join("/")) !== true ? oldNode.inputs.get(id) : undefined;
    const oldLock = old === undefined || isFollowed(old) ? undefined : old;
    this.#updatesUsed.add(path.join("/"));
    const registries: UsedRegistries = this.#options.isPure ? "none" : "limited";
    const getFlake = (ref: NixSource, used: UsedRegistries = registries): FetchedFlake => {
      if (relative === undefined) return fetchFlake(this.#e, fetcher, ref, used, path).flake;
      const folder = canonicalPath(`${from.folder}/${relative}${typeof ref["dir"] === "string" ? `/${ref["dir"]}` : ""}`);
      const file = readFlake(this.#e, { fetcher, folder, tree: from.tree, shown: fetcher.formatFlakeRef(ref), path });
      return { file, tree: from.tree, folder, locked: ref, resolved: ref };
    };

    if (oldLock?.lock !== undefined && !isCommanded && key(canonical(fetcher, oldLock.lock.original)) === key(canonical(fetcher, source)) && key(oldLock.lock.parent) === key(parent)) {
      const child: LockNode = { inputs: new Map(), lock: oldLock.lock };
      node.inputs.set(id, child);
      let mustFetch = [...(this.#options.updates ?? [])].some((update) => update.startsWith(`${path.join("/")}/`));
      const assumed = new Map<ByteString, FlakeInput>();
      for (const [name, inner] of oldLock.inputs) {
        if (!isFollowed(inner)) {
          assumed.set(name, { source: inner.lock!.original, isFlake: inner.lock!.isFlake, overrides: new Map() });
        } else {
          // The flake may have changed: what follows in the lock file must still be asked for.
          if (!trustLock && !this.#overrides.has(key([...path, name]))) {
            mustFetch = true;
            break;
          }
          assumed.set(name, { isFlake: true, follows: [...followsPrefix, ...inner], overrides: new Map() });
        }
      }
      if (mustFetch) {
        const flake = getFlake(oldLock.lock.locked);
        this.#compute(flake.file.inputs, child, path, oldLock, followsPrefix, flake, false);
      } else {
        this.#compute(assumed, child, path, oldLock, followsPrefix, at, true);
      }
      return;
    }

    const { dir, ...plain } = source;
    if (this.#options.isPure && relative === undefined && !fetcher.isLocked(plain)) throw new NixError("eval", `cannot update unlocked flake input '${path.join("/")}' in pure mode`);
    const original = isCommanded && own.source !== undefined ? own.source : source;
    if (!input.isFlake) {
      const locked = relative !== undefined ? source : withDir(fetcher.fetch(plain["type"] === "indirect" ? withoutDir(fetcher.resolve(plain, registries)) : plain, false).source, dir);
      node.inputs.set(id, { inputs: new Map(), lock: { locked, original, isFlake: false, parent } });
      return;
    }
    const flake = getFlake(source, isCommanded && !this.#options.isPure ? "all" : registries);
    const child: LockNode = { inputs: new Map(), lock: { locked: flake.locked, original, isFlake: true, parent } };
    node.inputs.set(id, child);
    if (this.#parents.includes(key(source))) throw new NixError("eval", `found circular import of flake '${fetcher.formatFlakeRef(source)}'`);
    this.#parents.push(key(source));
    const lockFile = `${flake.folder}/flake.lock`;
    const theirs = this.#e.io.fileKind(lockFile) === undefined ? undefined : parseFlakeLock(this.#e.io.readFile(lockFile), lockFile);
    this.#compute(flake.file.inputs, child, path, theirs, path, flake, false);
    this.#parents.pop();
  }
}

/** Two texts of one value are the same. */
function key(value: unknown): string {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return JSON.stringify(value) ?? "";
  return JSON.stringify(Object.fromEntries(Object.entries(value).sort(([a], [b]) => compareByteStrings(a, b))));
}

/** Old lock files have `?dir=` in the URL as well. */
function canonical(fetcher: NixFetcher, source: NixSource): NixSource {
  const { url, dir } = source;
  if (typeof url !== "string" || typeof dir !== "string" || !url.includes("dir=")) return source;
  const { dir: _, ...parsed } = fetcher.parseFlakeRef(`git+${url}`, { allowMissing: true });
  return { ...source, url: parsed["url"] ?? url };
}

function withoutDir({ dir: _, ...source }: NixSource): NixSource {
  return source;
}
