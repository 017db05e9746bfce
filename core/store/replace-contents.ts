import { chmodSync, closeSync, constants, fsyncSync, lstatSync, lutimesSync, openSync } from "node:fs";
import { equalHashes } from "../hash/hash.ts";
import { native } from "../util/native.ts";
import { CANONICAL_TIME } from "./canonicalise.ts";
import type { StoreDatabase } from "./database.ts";
import { findStats } from "./file-tree.ts";
import type { NewPathInfo, ValidPathInfo } from "./path-info.ts";
import { renameCanonical } from "./registration-queue.ts";
import type { StoreLayout } from "./store-layout.ts";

/**
 * Puts `file`, canonical and complete on the store's file system, in the place of a valid path that is damaged. Both
 * names change in one step: who has the path open, or opens it, finds it whole or as damaged as before, never
 * missing. The old contents are then at `file`, for the caller to remove.
 *
 * Contents that differ from the registered ones (a build that is not reproducible) are registered anew, after they are
 * in place: stopped in between, the path is found to be modified and repaired again.
 */
export async function replaceContents(layout: StoreLayout, database: StoreDatabase, known: ValidPathInfo, info: NewPathInfo, file: string): Promise<void> {
  for (const path of info.references) {
    if (path !== info.path && database.findId(path) === undefined) throw database.invalidPath(path, `"${info.path}" refers to it`);
  }
  const final = `${layout.realStoreDir}/${info.path}`;
  const store = openSync(layout.realStoreDir, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await native().syncFileSystem(store);
    if (findStats(final) === undefined) renameCanonical(file, final);
    else exchangeCanonical(file, final);
    fsyncSync(store);
  } finally {
    closeSync(store);
  }
  const same = equalHashes(known.narHash, info.narHash);
  const signatures = [...new Set([...(same ? known.signatures : []), ...(info.signatures ?? [])])].sort();
  const deriver = info.deriver ?? known.deriver;
  database.transaction(() => database.replaceValidPath({ ...info, deriver, signatures, ultimate: info.ultimate ?? (same && known.ultimate) }));
}

/** As `renameCanonical`: a folder that changes its parent must be writable for its owner. */
function exchangeCanonical(a: string, b: string): void {
  const opened = [a, b].flatMap((file) => {
    const { mode, atime } = lstatSync(file);
    const isFolder = (mode & constants.S_IFMT) === constants.S_IFDIR;
    if (!isFolder || process.geteuid?.() === 0 || (mode & 0o200) !== 0) return [];
    chmodSync(file, (mode & 0o7777) | 0o200);
    return [{ file: file === a ? b : a, mode: mode & 0o7777, atime }];
  });
  native().exchange(a, b);
  for (const { file, mode, atime } of opened) {
    chmodSync(file, mode);
    lutimesSync(file, atime, CANONICAL_TIME);
  }
}
