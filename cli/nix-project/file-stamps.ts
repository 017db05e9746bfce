import { readdirSync } from "node:fs";
import { findStamp } from "../../core/interop/file-stamp.ts";
import { toFsPath } from "../../core/nar/fs-path.ts";
import type { ByteString } from "../../core/util/bytes.ts";

/** A file or folder as it was: enough to see that it changed, without reading it. "" where there is nothing. */
export type PathStamp = readonly [path: ByteString, stamp: string];

/** What of a path was looked at: what it is, or all of it. */
export type Look = "kind" | "all";

export function isStampUnchanged([path, stamp]: PathStamp): boolean {
  return stamp === formatStamp(findStamp(path), stamp.startsWith(KIND) ? "kind" : "all");
}

/** A time before which `files` must have changed last for their stamps to be believed: file systems count in ticks. */
const TICK_MILLISECONDS = 20;

/** The stamps of files that are known to have been so since `time` (milliseconds since 1970); undefined when one is newer. */
export function stampSince(looks: Iterable<readonly [path: ByteString, look: Look]>, time: number): readonly PathStamp[] | undefined {
  const stamps: PathStamp[] = [];
  for (const [path, look] of looks) {
    const found = findStamp(path);
    if (look === "all" && found !== undefined && found.newest >= time - TICK_MILLISECONDS) return undefined;
    stamps.push([path, formatStamp(found, look)]);
  }
  return stamps;
}

/** All files and folders under `root` but those that `isExcluded`; undefined when there are more than `limit`. */
export function listTree(root: ByteString, limit: number, isExcluded: (path: ByteString) => boolean): readonly ByteString[] | undefined {
  const found = [root];
  for (let at = 0; at < found.length; at++) {
    const path = found[at]!;
    if (findStamp(path)?.kind !== "directory") continue;
    for (const name of readdirSync(toFsPath(path), "latin1")) {
      const inner = `${path}/${name}`;
      if (!isExcluded(inner)) found.push(inner);
    }
    if (found.length > limit) return undefined;
  }
  return found;
}

const KIND = "kind ";

function formatStamp(found: ReturnType<typeof findStamp>, look: Look): string {
  if (found === undefined) return "";
  return look === "kind" ? `${KIND}${found.kind}` : found.text;
}
