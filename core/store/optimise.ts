import { chmodSync, linkSync, lstatSync, lutimesSync, readdirSync, renameSync, rmSync, type Stats } from "node:fs";
import { TsosError } from "../error/tsos-error.ts";
import { equalHashes, formatHash, type Hash } from "../hash/hash.ts";
import { narHashOfPath, narHashOfPathSync } from "../nar/dump-path.ts";
import { toFsPath } from "../nar/fs-path.ts";
import { fromByteString, toByteString, type ByteString } from "../util/bytes.ts";
import { CANONICAL_TIME } from "./canonicalise.ts";
import { walkTree } from "./file-tree.ts";
import type { StoreLayout } from "./store-layout.ts";
import type { OptimiseResult } from "./store.ts";
import { makeTemporaryFolder } from "./temporary-folder.ts";

/** What is known of the inodes of `.links`. */
type LinkKnowledge = {
  /** Files with one of these are shared already. */
  readonly shared: Set<number>;
  /** Read by this run, and what their names say. */
  readonly right: Set<number>;
};

/** How often a link that a collector takes away meanwhile is made anew. */
const ATTEMPTS = 16;

/**
 * Makes equal files of store objects one file: each is a hard link to `.links/<hash of its NAR>`, as Nix lays it
 * (libstore/optimise-store.cc), so that collectors of both count the same links. A file is put in the other's place by
 * one rename, so it is there all the time, with the same contents.
 *
 * Beyond Nix's: what is in `.links` is read once before others are linked to it, so damage in one file never reaches
 * others, and the link waits under a name in a folder of ours, which no collector removes.
 *
 * @throws TsosError `nar.unreadable`; errors of the file system but a full directory and too many links, which only
 * leave a file as it is
 */
export async function optimiseTrees(
  layout: StoreLayout,
  roots: readonly string[],
  options: {
    readonly signal?: AbortSignal | undefined;
    /** Look first which files are shared already, which many trees are worth. */
    readonly lookAhead?: boolean;
    /** Called after each tree. */
    readonly onTree?: (done: number) => void;
  } = {},
): Promise<OptimiseResult> {
  const known: LinkKnowledge = { shared: new Set(), right: new Set() };
  if (options.lookAhead === true) {
    for (const name of readdirSync(layout.linksDir)) {
      const stats = lstatSync(`${layout.linksDir}/${name}`, { throwIfNoEntry: false });
      if (stats !== undefined) known.shared.add(stats.ino);
    }
  }
  let filesLinked = 0;
  let bytesFreed = 0;
  await using scratch = makeTemporaryFolder(layout.realStoreDir);
  const temporary = `${scratch.path}/link`;
  for (const [i, root] of roots.entries()) {
    const files: ByteString[] = [];
    // A path that was collected meanwhile has nothing to share.
    if (lstatSync(root, { throwIfNoEntry: false }) === undefined) continue;
    await walkTree(
      root,
      (file, stats) => {
        if (mayBeShared(stats) && !known.shared.has(stats.ino)) files.push(file);
      },
      options,
    );
    for (const file of files) {
      options.signal?.throwIfAborted();
      const freed = await optimiseFile(layout, file, temporary, known);
      if (freed === undefined) continue;
      filesLinked++;
      bytesFreed += freed;
    }
    options.onTree?.(i + 1);
  }
  return { filesLinked, bytesFreed };
}

/** A writable file is no store object's: what made it may still be at it. */
function mayBeShared(stats: Stats): boolean {
  return stats.isSymbolicLink() || (stats.isFile() && (stats.mode & 0o222) === 0);
}

/** @returns the bytes that came free; undefined where nothing was done */
async function optimiseFile(layout: StoreLayout, file: ByteString, temporary: string, known: LinkKnowledge): Promise<number | undefined> {
  const target = toFsPath(file);
  const before = lstatSync(target, { throwIfNoEntry: false });
  if (before === undefined || !mayBeShared(before) || known.shared.has(before.ino)) return undefined;
  const hash = await hashFile(file);
  const link = `${layout.linksDir}/${formatHash(hash, "nix32", false)}`;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    try {
      linkSync(target, link);
      known.shared.add(before.ino);
      known.right.add(before.ino);
      return undefined;
    } catch (error) {
      // As Nix: some file systems hold only so many names in one directory, or links to one file.
      if (isCode(error, "ENOSPC", "EMLINK")) return undefined;
      // Collected meanwhile.
      if (isCode(error, "ENOENT")) return undefined;
      if (!isCode(error, "EEXIST")) throw error;
    }
    const shared = lstatSync(link, { throwIfNoEntry: false });
    if (shared === undefined) continue;
    if (shared.ino === before.ino) {
      known.shared.add(shared.ino);
      return undefined;
    }
    if (shared.size !== before.size || (!known.right.has(shared.ino) && !equalHashes((await narHashOfPath(link)).hash, hash))) {
      // Damaged. Those that share it are found by verify; it must not get more of them.
      rmSync(link, { force: true });
      continue;
    }
    known.shared.add(shared.ino);
    known.right.add(shared.ino);
    try {
      linkSync(link, temporary);
    } catch (error) {
      if (isCode(error, "ENOENT")) continue;
      if (isCode(error, "EMLINK")) return undefined;
      throw error;
    }
    try {
      // Another may have replaced either since they were read.
      const now = lstatSync(target, { throwIfNoEntry: false });
      if (now === undefined || now.ino !== before.ino || lstatSync(temporary).ino !== shared.ino) return undefined;
      replaceIn(layout, file, () => renameSync(temporary, target));
    } catch (error) {
      if (isCode(error, "EMLINK", "ENOENT")) return undefined;
      throw error;
    } finally {
      rmSync(temporary, { force: true });
    }
    return before.nlink <= 1 ? before.blocks * 512 : 0;
  }
  throw new TsosError({ code: "store.links-busy", message: `"${link}" is taken away again and again`, hint: "is another program removing files of the store?", data: { link } });
}

async function hashFile(file: ByteString): Promise<Hash> {
  let name: string;
  try {
    name = fromByteString(file);
  } catch {
    // Not UTF-8: only the other way takes such a name.
    return narHashOfPathSync(file).hash;
  }
  return (await narHashOfPath(name)).hash;
}

/** Changes an entry of a canonical folder, which is as it was afterwards. */
function replaceIn(layout: StoreLayout, file: ByteString, change: () => void): void {
  const folder = file.slice(0, file.lastIndexOf("/"));
  if (folder === toByteString(layout.realStoreDir)) {
    change();
    return;
  }
  const place = toFsPath(folder);
  const { mode, atime } = lstatSync(place);
  const locked = (mode & 0o200) === 0 && process.geteuid?.() !== 0;
  if (locked) chmodSync(place, (mode & 0o7777) | 0o200);
  try {
    change();
  } finally {
    if (locked) chmodSync(place, mode & 0o7777);
    lutimesSync(place, atime, CANONICAL_TIME);
  }
}

function isCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && "code" in error && codes.includes(String(error.code));
}
