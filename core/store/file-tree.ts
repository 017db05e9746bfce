import { chmodSync, closeSync, constants, fstatSync, lstatSync, openSync, readdirSync, renameSync, rmdirSync, unlinkSync, type Stats } from "node:fs";
import { setImmediate as nextTurn } from "node:timers/promises";
import { TsosError } from "../error/tsos-error.ts";
import { showFsPath, toFsPath } from "../nar/fs-path.ts";
import { toByteString, type ByteString } from "../util/bytes.ts";

/**
 * Trees are walked through open folders, never by a path of several names: who may write into a tree (a process that was
 * handed a folder of a build) could exchange a folder for a link while it is walked, and have files elsewhere removed or
 * changed. `/proc/self/fd/N/name` is the kernel's way to say "this name in that folder" where Node has no `openat`.
 */
export type OpenFolder = Disposable & {
  /** The place of a name in it, for system calls. */
  place(name: ByteString): ByteString;
  readonly descriptor: number;
};

/** fcntl.h: names a file without opening it. */
const O_PATH = 0o10000000;

/** After how many milliseconds a walk lets other work in. */
const TURN = 10;

/** Folders open at once; deeper ones are first moved up (`removeTree`) or are no store object (`walkTree`). */
const MOST_OPEN = 100;

/** Opens `place` if it is still the folder that `stats` is of. @throws TsosError `store.tree-changed` */
function openFolder(place: ByteString, stats: Stats, shown: ByteString): OpenFolder {
  let descriptor: number;
  try {
    descriptor = openSync(toFsPath(place), constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
    if (code === "ENOTDIR" || code === "ELOOP") throw treeChanged(shown, cause);
    throw cause;
  }
  const found = fstatSync(descriptor);
  if (found.ino !== stats.ino || found.dev !== stats.dev) {
    closeSync(descriptor);
    throw treeChanged(shown);
  }
  return { descriptor, place: (name) => `/proc/self/fd/${descriptor}/${name}`, [Symbol.dispose]: () => closeSync(descriptor) };
}

/** A folder that a walk is in, `names` of it still to come. */
type EnteredFolder = { readonly folder: OpenFolder; readonly path: ByteString; readonly place: ByteString; readonly names: ByteString[] };

function enterFolder(path: ByteString, place: ByteString, stats: Stats): EnteredFolder {
  const folder = openFolder(place, stats, path);
  try {
    return { folder, path, place, names: listFolder(`/proc/self/fd/${folder.descriptor}`) };
  } catch (error) {
    folder[Symbol.dispose]();
    throw error;
  }
}

/** Goes on with the innermost of the folders that are open until none is; `enter` may open further ones. */
async function descend(open: EnteredFolder[], enter: (path: ByteString, place: ByteString) => void, leave: (folder: EnteredFolder) => void, signal: AbortSignal | undefined): Promise<void> {
  let since = performance.now();
  try {
    for (let n = 1; open.length > 0; n++) {
      const top = open.at(-1)!;
      const name = top.names.pop();
      if (name !== undefined) enter(`${top.path}/${name}`, top.folder.place(name));
      else {
        open.pop()!.folder[Symbol.dispose]();
        leave(top);
      }
      if ((n & 63) === 63 && performance.now() - since > TURN) {
        await nextTurn();
        signal?.throwIfAborted();
        since = performance.now();
      }
    }
  } finally {
    for (const { folder } of open) folder[Symbol.dispose]();
  }
}

function treeChanged(shown: ByteString, cause?: unknown): TsosError {
  return new TsosError({ code: "store.tree-changed", message: `"${showFsPath(shown)}" was exchanged by somebody while its tree was walked`, data: { path: showFsPath(shown) }, cause });
}

/** Changes the mode of what `stats` is of, and of nothing that was put in its place meanwhile. */
export function changeMode(place: ByteString, stats: Stats, mode: number, shown: ByteString): void {
  const descriptor = openSync(toFsPath(place), O_PATH | constants.O_NOFOLLOW);
  try {
    const found = fstatSync(descriptor);
    if (found.ino !== stats.ino || found.dev !== stats.dev || found.isSymbolicLink()) throw treeChanged(shown);
    chmodSync(`/proc/self/fd/${descriptor}`, mode);
  } finally {
    closeSync(descriptor);
  }
}

/** Entry names, one character a byte, in no order. */
export function listFolder(folder: ByteString): ByteString[] {
  return readdirSync(toFsPath(folder), "latin1");
}

export function findStats(file: string): Stats | undefined {
  return lstatSync(file, { throwIfNoEntry: false });
}

/** What is seen: its path to be shown and compared, what it is, and the place by which it is changed. */
export type VisitFile = (file: ByteString, stats: Stats, place: ByteString) => void;

/**
 * Calls `visit` for `root` and everything below, a folder before its entries; names below may be any bytes. Synchronous calls are several times
 * faster than Node's asynchronous ones on many small files; the loop lets other work in every few milliseconds.
 *
 * @throws TsosError `store.too-deep`, `store.tree-changed`
 */
export async function walkTree(root: string, visit: VisitFile, options: { readonly signal?: AbortSignal | undefined; /** By the bytes of the names. */ readonly sorted?: boolean } = {}): Promise<void> {
  const open: EnteredFolder[] = [];
  const see = (path: ByteString, place: ByteString): void => {
    const stats = lstatSync(toFsPath(place));
    visit(path, stats, place);
    if (!stats.isDirectory()) return;
    if (open.length >= MOST_OPEN) {
      throw new TsosError({ code: "store.too-deep", message: `"${showFsPath(path)}" is nested ${MOST_OPEN} deep, expected less in a store object`, data: { path: showFsPath(path) } });
    }
    const entered = enterFolder(path, place, stats);
    // They are taken from the end.
    if (options.sorted === true) entered.names.sort().reverse();
    open.push(entered);
  };
  see(toByteString(root), toByteString(root));
  await descend(open, see, () => {}, options.signal);
}

/**
 * Removes a file or a whole folder, read-only folders included; absent is fine. Nothing outside of it is ever removed,
 * whatever others do to the tree meanwhile.
 *
 * @returns the bytes of disk that came free: a file with a further link frees none
 */
export async function removeTree(root: string, options: { readonly signal?: AbortSignal | undefined } = {}): Promise<number> {
  const isRoot = process.geteuid?.() === 0;
  const open: EnteredFolder[] = [];
  let freed = 0;
  let moved = 0;
  const remove = (path: ByteString, place: ByteString): void => {
    const stats = lstatSync(toFsPath(place), { throwIfNoEntry: false });
    if (stats === undefined) return;
    if (!stats.isDirectory()) {
      unlinkSync(toFsPath(place));
      if (stats.nlink <= 1) freed += stats.blocks * 512;
      return;
    }
    const outermost = open[0];
    if (open.length >= MOST_OPEN && outermost !== undefined) {
      // However deep a builder nested its folders, only so many are open at once.
      const name = `.tsos-moved-${moved++}`;
      renameSync(toFsPath(place), toFsPath(outermost.folder.place(name)));
      outermost.names.push(name);
      return;
    }
    // A canonical folder is read-only, which stops everyone but root from emptying it.
    if (!isRoot && (stats.mode & 0o700) !== 0o700) changeMode(place, stats, (stats.mode & 0o7777) | 0o700, path);
    freed += stats.blocks * 512;
    open.push(enterFolder(path, place, stats));
  };
  remove(toByteString(root), toByteString(root));
  await descend(open, remove, ({ place }) => rmdirSync(toFsPath(place)), options.signal);
  return freed;
}
