import { copyPaths } from "../cache/copy-paths.ts";
import { isTrusted, type Trust } from "../cache/trust.ts";
import { TsosError } from "../error/tsos-error.ts";
import { hashBytes, type Hash } from "../hash/hash.ts";
import { hashModuloSelf } from "../store/register-build-outputs.ts";
import { sortUsersFirst } from "../store/sort-paths.ts";
import type { LocalStore, Store } from "../store/store.ts";
import { makeFixedOutputPath } from "../store-path/make-store-path.ts";
import { formatStorePath, storePathHash, storePathName, type StorePath } from "../store-path/store-path.ts";

/** What `fetchClosure` asks: a path of another store, and what it shall be here. */
export type ClosureRequest = {
  readonly fromStore: string;
  readonly fromPath: string;
  /** The path after it was made content-addressed; "" is not known yet. */
  readonly toPath?: string | undefined;
  readonly inputAddressed: boolean;
};

export type ClosureFetcher = (request: ClosureRequest) => Promise<StorePath>;

export type ClosureFetcherOptions = {
  /** The binary cache of a URL. */
  readonly openCache: (url: string) => Promise<Store>;
  /** Who may say what an input-addressed path holds. */
  readonly trust: () => Promise<Trust>;
  /** For tests of the reference: then caches may be folders. Nix: `_NIX_IN_TEST` */
  readonly allowFiles: boolean;
  readonly signal: AbortSignal;
  readonly say: (text: string) => void;
};

/** Brings closures into a store, in the words of the reference. Nix: libexpr/primops/fetchClosure.cc */
export function createClosureFetcher(store: LocalStore, options: ClosureFetcherOptions): ClosureFetcher {
  const { storeDir } = store;
  const show = (path: StorePath): string => formatStorePath(path, storeDir);

  const copy = async (from: Store, path: StorePath): Promise<void> => {
    await store.addTemporaryRoot(path);
    if (await store.isValidPath(path)) return;
    const trust = await options.trust();
    await requireThere(from, path);
    options.say("copying 1 paths...");
    await copyPaths(from, store, [path], {
      signal: options.signal,
      check: (info) => {
        if (!isTrusted(info, trust, storeDir)) throw wrong(`cannot add path '${show(info.path)}' because it lacks a signature by a trusted key`);
      },
    });
    await store.flush();
  };

  const requireThere = async (from: Store, path: StorePath): Promise<void> => {
    if (!(await from.queryValidPaths([path])).has(path)) throw wrong(`path '${show(path)}' is not valid`);
  };

  return async ({ fromStore, fromPath, toPath, inputAddressed }) => {
    checkCacheUrl(fromStore, options.allowFiles);
    const from = await options.openCache(fromStore);
    const path = fromPath as StorePath;
    if (toPath === undefined) {
      await copy(from, path);
      const isContentAddressed = (await store.getPathInfo(path)).contentAddress !== undefined;
      if (inputAddressed && isContentAddressed) {
        throw wrong(`The store object referred to by 'fromPath' at '${show(path)}' is not input-addressed, but 'inputAddressed' is set to 'true'.\n\nRemove the 'inputAddressed' attribute (it defaults to 'false') to expect 'fromPath' to be content-addressed`);
      }
      if (!inputAddressed && !isContentAddressed) {
        throw wrong(
          `The 'fromPath' value '${show(path)}' is input-addressed, but 'inputAddressed' is set to 'false' (default).\n\nIf you do intend to fetch an input-addressed store path, add\n\n    inputAddressed = true;\n\nto the 'fetchClosure' arguments.\n\n` +
            "Note that to ensure authenticity input-addressed store paths, users must configure a trusted binary cache public key on their systems. This is not needed for content-addressed paths.",
        );
      }
      return path;
    }
    const wanted = toPath === "" ? undefined : (toPath as StorePath);
    if (wanted !== undefined) await store.addTemporaryRoot(wanted);
    if (wanted === undefined || !(await store.isValidPath(wanted))) {
      await requireThere(from, path);
      const made = await makeContentAddressed(from, store, path, wanted, options);
      if (wanted !== undefined && made !== wanted) throw wrong(`rewriting '${show(path)}' to content-addressed form yielded '${show(made)}', while '${show(wanted)}' was expected`);
      if (wanted === undefined) throw wrong(`rewriting '${show(path)}' to content-addressed form yielded '${show(made)}'\nUse this value for the 'toPath' attribute passed to 'fetchClosure'`);
    }
    if ((await store.getPathInfo(wanted)).contentAddress === undefined) {
      throw wrong(`The 'toPath' value '${show(wanted)}' is input-addressed, so it can't possibly be the result of rewriting to a content-addressed path.\n\nSet 'toPath' to an empty string to make Nix report the correct content-addressed path.`);
    }
    return wanted;
  };
}

function wrong(message: string): TsosError {
  return new TsosError({ code: "nix.fetch-closure", message });
}

function checkCacheUrl(url: string, allowFiles: boolean): void {
  const scheme = /^([a-zA-Z][a-zA-Z0-9+.-]*):\/\//.exec(url)?.[1];
  if (scheme === undefined && !/^(auto|daemon|local)?($|[?:])|^[./]/.test(url)) throw wrong(`Cannot parse Nix store '${url}'`);
  if (scheme !== "http" && scheme !== "https" && !(allowFiles && scheme === "file")) throw wrong("'fetchClosure' only supports http:// and https:// stores");
  if (url.includes("?")) throw wrong(`'fetchClosure' does not support URL query parameters (in '${url}')`);
}

/**
 * Copies a path and all that it needs so that each has the name that follows from its contents, with the new names in
 * the files. The result is the path's new one. Nix: libstore/make-content-addressed.cc
 */
async function makeContentAddressed(from: Store, to: LocalStore, path: StorePath, wanted: StorePath | undefined, { signal, say }: Pick<ClosureFetcherOptions, "signal" | "say">): Promise<StorePath> {
  const { storeDir } = to;
  const references = new Map<StorePath, readonly StorePath[]>();
  for (let level: readonly StorePath[] = [path]; level.length > 0; ) {
    const infos = await Promise.all(level.map((one) => from.getPathInfo(one)));
    for (const info of infos) references.set(info.path, info.references);
    level = [...new Set(infos.flatMap((info) => info.references))].filter((one) => !references.has(one));
  }
  const renamed = new Map<StorePath, StorePath>();
  for (const old of sortUsersFirst(references).toReversed()) {
    signal.throwIfAborted();
    const nar = await readWhole(from.narFromPath(old));
    const others: StorePath[] = [];
    for (const reference of references.get(old)!) {
      if (reference === old) continue;
      const now = renamed.get(reference)!;
      others.push(now);
      replaceInPlace(nar, formatStorePath(reference, storeDir), formatStorePath(now, storeDir));
    }
    const self = references.get(old)!.includes(old);
    const name = (hash: Hash): StorePath => makeFixedOutputPath({ name: storePathName(old), method: "nar", hash, references: { others, self }, storeDir });
    let hash = await hashModuloSelf(once(nar), old, "sha256");
    if (self && old === path && wanted !== undefined && name(hash) !== wanted) {
      // What Nix 2.17 to 2.34 make of a path that names itself.
      const other = await hashModuloSelf(once(nar), old, "sha256", { withPositions: false });
      if (name(other) === wanted) hash = other;
    }
    const now = name(hash);
    say(`rewriting '${formatStorePath(old, storeDir)}' to '${formatStorePath(now, storeDir)}'`);
    replaceInPlace(nar, storePathHash(old), storePathHash(now));
    renamed.set(old, now);
    await to.addTemporaryRoot(now);
    const all = self ? [...others, now] : others;
    await to.addNarToStore({ path: now, narHash: hashBytes("sha256", nar), narSize: nar.length, references: all.sort(), contentAddress: { method: "nar", hash }, ultimate: false }, once(nar), { signal });
  }
  await to.flush();
  return renamed.get(path)!;
}

async function readWhole(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function* once(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield bytes;
}

/** Both texts are equally long. */
function replaceInPlace(bytes: Buffer, from: string, to: string): void {
  for (let at = bytes.indexOf(from, 0, "latin1"); at >= 0; at = bytes.indexOf(from, at + to.length, "latin1")) bytes.write(to, at, "latin1");
}
