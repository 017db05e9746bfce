import { existsSync, readdirSync, realpathSync, statSync, watch, type FSWatcher } from "node:fs";
import { dirname, join, sep } from "node:path";
import { recheckReads, type FileRead } from "./file-read.ts";
import { hashTree } from "./hash-tree.ts";

/** Watches what was read, and what was looked for and not there. */
export type ReadsWatcher = Disposable & {
  /** What happens until the next `set` is found by that: what is read meanwhile is not yet known here. */
  pause(): void;
  /** Watches these from now on. Resolves to those that have changed since they were read. */
  set(reads: readonly FileRead[]): Promise<readonly string[]>;
};

// An editor writes, renames and changes the time of a file in one save.
const SETTLE_MILLISECONDS = 5;
// Where the machine cannot tell: no watches are left, or the file system has none.
const POLL_MILLISECONDS = 300;

/**
 * A folder under watch. Another one in its place has another stamp; so has the same one when names came or went, and
 * then it is watched anew as well: a number of an inode may be used again at once.
 */
type Watched = { readonly watcher: FSWatcher; readonly stamp: string };

/**
 * Calls `onChange` when something that was read would be read differently now: folders are watched, and what stands
 * in a folder where something happened is compared. Of what is inside `project` the folders above are watched as well,
 * since they may be moved.
 */
export function watchReads(project: string, onChange: (paths: readonly string[]) => void): ReadsWatcher {
  const watched = new Map<string, Watched>();
  /** The folders that cannot be watched. */
  const polled = new Set<string>();
  /** What is compared when something happens in a folder. */
  let byFolder = new Map<string, FileRead[]>();
  let isPaused = true;
  let pending: NodeJS.Timeout | undefined;
  const touched = new Set<string>();

  const compare = async (): Promise<void> => {
    pending = undefined;
    const near = new Set([...touched].flatMap((folder) => byFolder.get(folder) ?? []));
    touched.clear();
    const changed = isPaused ? [] : await findChanged([...near]);
    if (changed.length > 0 && !isPaused) onChange(changed);
  };
  const touch = (folder: string): void => {
    touched.add(folder);
    clearTimeout(pending);
    pending = setTimeout(() => void compare(), SETTLE_MILLISECONDS);
  };
  const poll = setInterval(() => polled.forEach(touch), POLL_MILLISECONDS);
  poll.unref();

  const unwatch = (folder: string): void => {
    watched.get(folder)?.watcher.close();
    watched.delete(folder);
  };
  const watchFolder = (folder: string): void => {
    try {
      const { ino, ctimeMs } = statSync(folder);
      const stamp = `${ino}:${ctimeMs}`;
      if (watched.get(folder)?.stamp === stamp) return;
      unwatch(folder);
      const watcher = watch(folder, () => touch(folder));
      watcher.on("error", () => {
        unwatch(folder);
        touch(folder);
      });
      watched.set(folder, { watcher, stamp });
    } catch {
      // It is gone since it was read, which the comparison finds; or the machine will not tell.
      if (existsSync(folder)) polled.add(folder);
    }
  };

  return {
    pause() {
      isPaused = true;
    },
    async set(reads) {
      byFolder = new Map();
      for (const read of reads) {
        for (const folder of foldersOf(read, project)) {
          const there = byFolder.get(folder);
          if (there === undefined) byFolder.set(folder, [read]);
          else there.push(read);
        }
      }
      for (const folder of [...watched.keys()]) if (!byFolder.has(folder)) unwatch(folder);
      polled.clear();
      for (const folder of byFolder.keys()) watchFolder(folder);
      isPaused = false;
      // What changed after it was read and before it was watched.
      return findChanged(reads);
    },
    [Symbol.dispose]() {
      clearTimeout(pending);
      clearInterval(poll);
      for (const folder of [...watched.keys()]) unwatch(folder);
    },
  };
}

async function findChanged(reads: readonly FileRead[]): Promise<readonly string[]> {
  const changed = new Set<string>();
  for (const read of reads) if ((await recheckReads([read], hashTree)) === undefined) changed.add(read.path);
  return [...changed];
}

function foldersOf(read: FileRead, project: string): ReadonlySet<string> {
  const folders = new Set<string>();
  const add = (folder: string): void => {
    if (folders.has(folder)) return;
    folders.add(folder);
    if (folder.startsWith(project + sep)) add(existingFolder(dirname(folder)));
  };
  switch (read.kind) {
    case "file":
    case "link":
    case "absent":
    case "missing": {
      add(existingFolder(dirname(read.path)));
      // What a link leads to changes in its own folder.
      const target = findRealPath(read.path);
      if (target !== undefined && target !== read.path) add(existingFolder(dirname(target)));
      break;
    }
    case "folder":
      add(existingFolder(read.path));
      break;
    case "tree":
      treeFolders(read.path).forEach(add);
      break;
  }
  return folders;
}

function findRealPath(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}

function existingFolder(folder: string): string {
  return existsSync(folder) || dirname(folder) === folder ? folder : existingFolder(dirname(folder));
}

function treeFolders(path: string): readonly string[] {
  try {
    const inner = readdirSync(path, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    return [dirname(path), path, ...inner.flatMap((entry) => treeFolders(join(path, entry.name)))];
  } catch {
    return [existingFolder(dirname(path))];
  }
}
