import { existsSync, readdirSync, watch, type FSWatcher } from "node:fs";
import { dirname, join } from "node:path";
import { recheckReads, type FileRead } from "./file-read.ts";
import { hashTree } from "./hash-tree.ts";

/** Watches what was read, and what was looked for and not there. */
export type ReadsWatcher = Disposable & {
  /** Watches these from now on. Resolves to those that have changed since they were read. */
  set(reads: readonly FileRead[]): Promise<readonly string[]>;
};

// An editor writes, renames and changes the time of a file in one save.
const SETTLE_MILLISECONDS = 8;

/**
 * Calls `onChange` when something that was read would be read differently now: folders are watched, and what stands
 * in a folder where something happened is compared.
 */
export function watchReads(onChange: (paths: readonly string[]) => void): ReadsWatcher {
  const watchers = new Map<string, FSWatcher>();
  let reads: readonly FileRead[] = [];
  let pending: NodeJS.Timeout | undefined;
  const touched = new Set<string>();

  const compare = async (): Promise<void> => {
    pending = undefined;
    const folders = [...touched];
    touched.clear();
    const near = reads.filter(({ path }) => folders.some((folder) => path === folder || path.startsWith(folder === "/" ? "/" : `${folder}/`)));
    const changed = await findChanged(near);
    if (changed.length > 0) onChange(changed);
  };
  const touch = (folder: string): void => {
    touched.add(folder);
    clearTimeout(pending);
    pending = setTimeout(() => void compare(), SETTLE_MILLISECONDS);
  };

  return {
    async set(next) {
      reads = next;
      const wanted = new Set(next.flatMap(foldersOf));
      for (const [folder, watcher] of watchers) {
        if (wanted.has(folder)) continue;
        watcher.close();
        watchers.delete(folder);
      }
      for (const folder of wanted) {
        if (watchers.has(folder)) continue;
        const watcher = watch(folder, () => touch(folder));
        // The folder is gone: that is a change of what stood in it.
        watcher.on("error", () => {
          watchers.delete(folder);
          touch(folder);
        });
        watchers.set(folder, watcher);
      }
      // What changed after it was read and before it was watched.
      return findChanged(next);
    },
    [Symbol.dispose]() {
      clearTimeout(pending);
      for (const watcher of watchers.values()) watcher.close();
    },
  };
}

async function findChanged(reads: readonly FileRead[]): Promise<readonly string[]> {
  const changed = new Set<string>();
  for (const read of reads) if ((await recheckReads([read], hashTree)) === undefined) changed.add(read.path);
  return [...changed];
}

function foldersOf(read: FileRead): readonly string[] {
  switch (read.kind) {
    case "file":
    case "link":
    case "absent":
    case "missing":
      return [existingFolder(dirname(read.path))];
    case "folder":
      return [existingFolder(read.path)];
    case "tree":
      return treeFolders(read.path);
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
