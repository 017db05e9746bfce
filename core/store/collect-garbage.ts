import { chmodSync, closeSync, constants, existsSync, lstatSync, mkdirSync, openSync, readdirSync, rmSync, unlinkSync, writeFileSync, writeSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";
import { TsosError } from "../error/tsos-error.ts";
import { formatStorePath, isStorePathBaseName, storePathHash, type StorePath } from "../store-path/store-path.ts";
import { lockFile, openLockFile, tryLockDescriptor, type FileLock } from "../util/file-lock.ts";
import { compareByteStrings } from "../util/ordering.ts";
import { createActivityIds } from "../util/progress.ts";
import type { StoreDatabase } from "./database.ts";
import { findStats, removeTree } from "./file-tree.ts";
import { findAllRoots } from "./find-roots.ts";
import { renameCanonical } from "./registration-queue.ts";
import { sortUsersFirst } from "./sort-paths.ts";
import { RESERVED_BYTES, type StoreLayout } from "./store-layout.ts";
import type { GarbageOptions, GarbageResult } from "./store.ts";
import { lockFolder, makeTemporaryFolder, TEMPORARY_PREFIX } from "./temporary-folder.ts";

/** As much as is forgotten in one transaction: a collector that is stopped leaves at most this many to the next. */
const BATCH = 1000;

/**
 * Deletes what no root reaches. Nix's protocol (libstore/gc.cc): `gc.lock` is held alone, so that no root is added
 * unseen; who needs a path meanwhile says so over `gc-socket/socket` and waits for the answer. A path is first
 * forgotten by the database, on disk too, then moved into a folder of ours, then deleted: stopped anywhere, even by
 * a power cut, it is either still whole and valid, or rubbish for the next collector.
 */
export async function collectGarbage(layout: StoreLayout, database: StoreDatabase, options: GarbageOptions): Promise<GarbageResult> {
  if (options.dryRun) {
    const { dead, alive, neededHashes } = mark(layout, database, options);
    const sizes = database.narSizes(dead);
    let bytesFreed = 0;
    for (const size of sizes.values()) bytesFreed += size;
    const leftovers = options.paths === undefined ? findLeftovers(layout, database, neededHashes) : [];
    return { deleted: [...dead, ...leftovers].map((name) => `${layout.storeDir}/${name}`), alive: alive.size, bytesFreed };
  }
  // Room for the database's log, should the disk be full.
  rmSync(layout.reserved, { force: true });
  const lock = await lockFile(layout.gcLock, { signal: options.signal });
  try {
    await using announcements = await listenForRoots(layout);
    return await sweep(layout, database, options, announcements);
  } finally {
    release(lock, layout);
  }
}

function release(lock: FileLock, layout: StoreLayout): void {
  lock.release();
  try {
    writeFileSync(layout.reserved, Buffer.alloc(RESERVED_BYTES, "X"), { mode: 0o600 });
  } catch (error) {
    // The disk is still full: there is nothing to reserve.
    if (!(error instanceof Error && "code" in error && error.code === "ENOSPC")) throw error;
    rmSync(layout.reserved, { force: true });
  }
}

type Marked = {
  /** Users before what they use. */
  readonly dead: readonly StorePath[];
  readonly alive: ReadonlySet<StorePath>;
  /** Of the paths that processes need, valid or not: their locks and build folders have the same hash part. */
  readonly neededHashes: Set<string>;
};

function mark(layout: StoreLayout, database: StoreDatabase, options: GarbageOptions): Marked {
  const roots = findAllRoots(layout, database, { keepStale: options.dryRun ?? false, rootsOlderThan: options.rootsOlderThan });
  const start = new Set(roots.map((root) => root.path));
  const keep = keptWith(options);
  // Of one moment: what becomes valid while the roots are followed may be one of them, and was not there to be reached.
  const { alive, valid } = database.snapshot(() => {
    if (options.olderThan !== undefined) {
      for (const path of database.registrationTimesFrom(Math.floor(options.olderThan.getTime() / 1000))) start.add(path);
    }
    return { alive: new Set(database.closure([...start], keep)), valid: database.allPaths() };
  });
  let dead = valid.filter((path) => !alive.has(path));
  if (options.paths !== undefined) {
    const chosen = new Set(options.paths);
    for (const path of chosen) {
      const user = alive.has(path) ? path : database.referrers(path).find((referrer) => !chosen.has(referrer));
      if (user !== undefined) throw stillAlive(layout, path, user);
    }
    dead = dead.filter((path) => chosen.has(path));
  }
  const neededHashes = new Set(roots.filter((root) => root.source.startsWith("{temp:")).map((root) => storePathHash(root.path)));
  return { dead: sortUsersFirst(database.referencesWithin(dead.sort(compareByteStrings))), alive, neededHashes };
}

function keptWith({ keepOutputs = false, keepDerivations = true }: GarbageOptions): { includeOutputs: boolean; includeDerivers: boolean } {
  return { includeOutputs: keepOutputs, includeDerivers: keepDerivations };
}

function stillAlive(layout: StoreLayout, path: StorePath, user: StorePath): TsosError {
  const shown = formatStorePath(path, layout.storeDir);
  return new TsosError({
    code: "store.still-alive",
    message: `cannot delete "${shown}" since ${user === path ? "a root reaches it" : `"${formatStorePath(user, layout.storeDir)}" needs it`}`,
    data: { path: shown },
  });
}

async function sweep(layout: StoreLayout, database: StoreDatabase, options: GarbageOptions, announcements: Announcements): Promise<GarbageResult> {
  const { signal, report, maxFreed = Infinity } = options;
  const { dead, alive, neededHashes } = mark(layout, database, options);
  const id = createActivityIds()();
  report?.({ kind: "start", id, activity: "collect", subject: layout.realStoreDir, total: dead.length, unit: "items" });
  const deleted: string[] = [];
  let outcome: "done" | "failed" | "cancelled" = "failed";
  let bytesFreed = 0;
  const spared = new Set<StorePath>();
  /** What was asked for since the last look, with all that it needs. */
  const spareAnnounced = (): void => {
    const paths = announcements.take();
    if (paths.length === 0) return;
    for (const path of paths) {
      neededHashes.add(storePathHash(path));
      spared.add(path);
    }
    for (const path of database.closure(paths, keptWith(options))) spared.add(path);
  };
  try {
    await using trash = makeTemporaryFolder(layout.realStoreDir);
    const sizes = database.narSizes(dead);
    for (let at = 0; at < dead.length && bytesFreed < maxFreed; ) {
      // From here to the renames nothing waits, so no announcement can come between.
      spareAnnounced();
      const batch: StorePath[] = [];
      for (let expected = 0; at < dead.length && batch.length < BATCH && bytesFreed + expected < maxFreed; at++) {
        const path = dead[at]!;
        if (spared.has(path)) continue;
        batch.push(path);
        expected += sizes.get(path) ?? 0;
      }
      database.transaction(() => database.invalidate(batch));
      database.flush();
      for (const path of batch) {
        const file = `${layout.realStoreDir}/${path}`;
        if (findStats(file) !== undefined) renameCanonical(file, `${trash.path}/${path}`);
        deleted.push(formatStorePath(path, layout.storeDir));
      }
      // It lets others in and looks at the signal by itself.
      for (const path of batch) bytesFreed += await removeTree(`${trash.path}/${path}`, { signal });
      await nextTurn();
      signal?.throwIfAborted();
      report?.({ kind: "progress", id, done: at, total: dead.length });
    }
    if (options.paths === undefined && bytesFreed < maxFreed) {
      let since = performance.now();
      for (const name of readdirSync(layout.realStoreDir)) {
        if (bytesFreed >= maxFreed) break;
        if (performance.now() - since > 10) {
          await nextTurn();
          signal?.throwIfAborted();
          since = performance.now();
        }
        spareAnnounced();
        const freed = await removeLeftover(layout, database, name, neededHashes, `${trash.path}/leftover`);
        if (freed === undefined) continue;
        bytesFreed += freed;
        deleted.push(`${layout.storeDir}/${name}`);
      }
      bytesFreed += await removeUnusedLinks(layout, signal);
    }
    outcome = "done";
  } finally {
    if (signal?.aborted) outcome = "cancelled";
    report?.({ kind: "stop", id, outcome });
  }
  return { deleted, alive: alive.size, bytesFreed };
}

/** What lies in the store, is no valid path and that no process needs; locks are not looked at. */
function findLeftovers(layout: StoreLayout, database: StoreDatabase, neededHashes: ReadonlySet<string>): string[] {
  const valid = new Set<string>(database.allPaths());
  return readdirSync(layout.realStoreDir).filter(
    (name) => name !== ".links" && !name.startsWith(TEMPORARY_PREFIX) && !valid.has(name) && !(isStorePathBaseName(name) && neededHashes.has(storePathHash(name))),
  );
}

/** Removes what lies in the store and is no valid path, unless somebody is at it. */
async function removeLeftover(
  layout: StoreLayout,
  database: StoreDatabase,
  name: string,
  neededHashes: ReadonlySet<string>,
  trash: string,
): Promise<number | undefined> {
  const file = `${layout.realStoreDir}/${name}`;
  if (file === layout.linksDir) return undefined;
  if (name.startsWith(TEMPORARY_PREFIX) && lstatSync(file, { throwIfNoEntry: false })?.isDirectory()) {
    const descriptor = lockFolder(file);
    if (descriptor === undefined) return undefined;
    try {
      return await removeTree(file);
    } finally {
      closeSync(descriptor);
    }
  }
  if (isStorePathBaseName(name)) {
    if (database.findId(name) !== undefined || neededHashes.has(storePathHash(name))) return undefined;
    if (name.endsWith(".lock") && lstatSync(file, { throwIfNoEntry: false })?.isFile()) return removeStaleLock(file);
  }
  if (findStats(file) === undefined) return undefined;
  renameCanonical(file, trash);
  return removeTree(trash);
}

function removeStaleLock(file: string): number | undefined {
  const descriptor = openLockFile(file);
  try {
    if (!tryLockDescriptor(descriptor)) return undefined;
    unlinkSync(file);
    // As the one who made it would: others who opened it see that it is gone.
    writeSync(descriptor, "d");
    return 0;
  } finally {
    closeSync(descriptor);
  }
}

/** Files that were shared by paths that are all gone. */
async function removeUnusedLinks(layout: StoreLayout, signal: AbortSignal | undefined): Promise<number> {
  let freed = 0;
  if (!existsSync(layout.linksDir)) return freed;
  let n = 0;
  for (const name of readdirSync(layout.linksDir)) {
    const file = `${layout.linksDir}/${name}`;
    const stats = lstatSync(file, { throwIfNoEntry: false });
    if (stats !== undefined && stats.nlink === 1) {
      unlinkSync(file);
      freed += stats.blocks * 512;
    }
    if ((++n & 1023) === 0) {
      await nextTurn();
      signal?.throwIfAborted();
    }
  }
  return freed;
}

/** Linux's PATH_MAX. */
const LONGEST_LINE = 4096;

type Announcements = AsyncDisposable & {
  /** The roots announced since the last call. */
  take(): StorePath[];
};

/** Answers processes that need a path while the collector runs: one line a path, one byte back for each. */
async function listenForRoots(layout: StoreLayout): Promise<Announcements> {
  mkdirSync(layout.gcSocketDir, { recursive: true });
  const folder = openSync(layout.gcSocketDir, constants.O_RDONLY | constants.O_DIRECTORY);
  const file = `/proc/self/fd/${folder}/socket`;
  rmSync(`${layout.gcSocketDir}/socket`, { force: true });
  let announced: StorePath[] = [];
  const open = new Set<Socket>();
  const server: Server = createServer((socket) => {
    open.add(socket);
    let rest = "";
    socket.on("data", (bytes: Buffer) => {
      const lines = (rest + bytes.toString("latin1")).split("\n");
      rest = lines.pop()!;
      // Anyone may connect; no path is as long as this.
      if (rest.length > LONGEST_LINE) socket.destroy();
      for (const line of lines) {
        const name = line.slice(layout.storeDir.length + 1);
        if (line.startsWith(`${layout.storeDir}/`) && isStorePathBaseName(name)) announced.push(name);
      }
      socket.write("1".repeat(lines.length));
    });
    // A peer that went away has nothing more to say.
    socket.on("error", () => socket.destroy());
    socket.on("close", () => open.delete(socket));
  });
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(file, resolve);
    });
    chmodSync(file, 0o666);
  } finally {
    closeSync(folder);
  }
  return {
    take() {
      const taken = announced;
      announced = [];
      return taken;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
      rmSync(`${layout.gcSocketDir}/socket`, { force: true });
    },
  };
}
