import { lstatSync, readdirSync, type BigIntStats } from "node:fs";
import { join } from "node:path";

/** A file or folder as it was: enough to see that it changed, without reading it. "" where there is nothing. */
export type FileStamp = readonly [path: string, stamp: string];

/** What of a path was looked at: what it is, or all of it. */
export type Look = "kind" | "all";

export function isStampUnchanged([path, stamp]: FileStamp): boolean {
  const stats = find(path);
  if (stamp === "" || stats === undefined) return stats === undefined && stamp === "";
  return stamp === (stamp.startsWith(KIND) ? formatKind(stats) : formatStamp(stats));
}

/** A time before which `files` must have changed last for their stamps to be believed: file systems count in ticks. */
const TICK_MILLISECONDS = 20;

/** The stamps of files that are known to have been so since `time` (milliseconds since 1970); undefined when one is newer. */
export function stampSince(looks: Iterable<readonly [path: string, look: Look]>, time: number): readonly FileStamp[] | undefined {
  const limit = BigInt(Math.floor((time - TICK_MILLISECONDS) * 1e6));
  const stamps: FileStamp[] = [];
  for (const [path, look] of looks) {
    const stats = find(path);
    if (look === "all" && stats !== undefined && stats.ctimeNs >= limit) return undefined;
    stamps.push([path, stats === undefined ? "" : look === "kind" ? formatKind(stats) : formatStamp(stats)]);
  }
  return stamps;
}

/** All files and folders under `root` but those that `isExcluded`; undefined when there are more than `limit`. */
export function listTree(root: string, limit: number, isExcluded: (path: string) => boolean): readonly string[] | undefined {
  const found = [root];
  for (let at = 0; at < found.length; at++) {
    const path = found[at]!;
    if (find(path)?.isDirectory() !== true) continue;
    for (const name of readdirSync(path)) {
      const inner = join(path, name);
      if (!isExcluded(inner)) found.push(inner);
    }
    if (found.length > limit) return undefined;
  }
  return found;
}

function find(path: string): BigIntStats | undefined {
  try {
    return lstatSync(path, { bigint: true, throwIfNoEntry: false });
  } catch {
    // A file where a folder should be.
    return undefined;
  }
}

const KIND = "kind ";

function formatKind(stats: BigIntStats): string {
  return `${KIND}${stats.isFile() ? "file" : stats.isDirectory() ? "folder" : stats.isSymbolicLink() ? "link" : "other"}`;
}

/** Both times, since a program may set the one, the size and the file's own number. */
function formatStamp({ mtimeNs, ctimeNs, size, ino, mode }: BigIntStats): string {
  return `${mtimeNs.toString(36)}.${ctimeNs.toString(36)}.${size.toString(36)}.${ino.toString(36)}.${mode.toString(36)}`;
}
