import { readdirSync } from "node:fs";
import { formatHash, equalHashes } from "../hash/hash.ts";
import { narHashOfPath } from "../nar/dump-path.ts";
import type { StorePath } from "../store-path/store-path.ts";
import { lockFile } from "../util/file-lock.ts";
import { compareByteStrings } from "../util/ordering.ts";
import { createActivityIds } from "../util/progress.ts";
import type { StoreDatabase } from "./database.ts";
import { findStats } from "./file-tree.ts";
import { sortUsersFirst } from "./sort-paths.ts";
import type { StoreLayout } from "./store-layout.ts";
import type { StoreProblem, VerifyOptions } from "./store.ts";

/**
 * Compares the database with the disk. A registered path whose files are gone is unregistered when nothing valid
 * needs it, as Nix does (libstore/local-store.cc, verifyStore), since it could not be made again otherwise.
 */
export async function verifyStore(layout: StoreLayout, database: StoreDatabase, options: VerifyOptions): Promise<StoreProblem[]> {
  const { signal, report, checkContents = false, keepMissing = false } = options;
  const problems: StoreProblem[] = database.problems().map((message) => ({ kind: "database", message }));
  // No collector meanwhile.
  using _lock = database.readOnly ? undefined : await lockFile(layout.gcLock, { mode: "shared", signal });

  // The database first: what others make valid meanwhile is on disk before it is registered, so it is never missed.
  const registered = database.allPaths();
  const present = new Set(readdirSync(layout.realStoreDir));
  const missing = new Set<StorePath>();
  const valid: StorePath[] = [];
  for (const path of registered) {
    if (present.has(path)) valid.push(path);
    else missing.add(path);
  }
  for (const path of [...missing].sort(compareByteStrings)) {
    const users = database.closure([path], { direction: "referrers" });
    const kept = keepMissing || users.some((user) => !missing.has(user));
    if (!kept && !database.readOnly) {
      // All of them are gone; a user must go before what it uses.
      database.transaction(() => database.invalidate(sortUsersFirst(database.referencesWithin(users))));
    }
    problems.push({ kind: "missing", path, kept });
  }

  if (checkContents) {
    for (const name of readdirSync(layout.linksDir).sort(compareByteStrings)) {
      signal?.throwIfAborted();
      const { hash } = await narHashOfPath(`${layout.linksDir}/${name}`, { signal });
      if (formatHash(hash, "nix32") !== name) problems.push({ kind: "modified-link", link: `${layout.linksDir}/${name}` });
    }
    const id = createActivityIds()();
    report?.({ kind: "start", id, activity: "verify", subject: layout.realStoreDir, total: valid.length, unit: "items" });
    let done = 0;
    for (const path of valid.sort(compareByteStrings)) {
      signal?.throwIfAborted();
      const problem = await verifyPath(layout, database, path, signal);
      if (problem !== undefined) problems.push(problem);
      report?.({ kind: "progress", id, done: ++done });
    }
    report?.({ kind: "stop", id, outcome: "done" });
  }
  return problems;
}

/** What is wrong with one path's contents; undefined too for one that is not valid (any more). */
export async function verifyPath(layout: StoreLayout, database: StoreDatabase, path: StorePath, signal?: AbortSignal): Promise<StoreProblem | undefined> {
  const info = database.findPathInfo(path);
  if (info === undefined) return undefined;
  const file = `${layout.realStoreDir}/${path}`;
  if (findStats(file) === undefined) return { kind: "missing", path, kept: true };
  try {
    const { hash, size } = await narHashOfPath(file, { signal });
    if (!equalHashes(hash, info.narHash)) return { kind: "modified", path, expected: formatHash(info.narHash, "sri"), actual: formatHash(hash, "sri") };
    return size === info.narSize ? undefined : { kind: "wrong-size", path, expected: info.narSize, actual: size };
  } catch (cause) {
    signal?.throwIfAborted();
    return { kind: "unreadable", path, cause };
  }
}
