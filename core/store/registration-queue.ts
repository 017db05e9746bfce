import { chmodSync, closeSync, constants, fsync, lstatSync, lutimesSync, openSync, renameSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import type { StorePath } from "../store-path/store-path.ts";
import { native } from "../util/native.ts";
import { CANONICAL_TIME } from "./canonicalise.ts";
import type { StoreDatabase } from "./database.ts";
import { findStats, removeTree } from "./file-tree.ts";
import { PathLockGroup } from "./path-lock.ts";
import type { NewPathInfo } from "./path-info.ts";

/** Paths that become valid together or not at all. */
export type Registration = {
  readonly objects: readonly {
    readonly info: NewPathInfo;
    /** Canonical and complete under a temporary name on the store's file system; undefined when in place already. */
    readonly temporary: string | undefined;
    /** One small file: cheaper to sync by itself than the whole file system. */
    readonly small?: boolean;
  }[];
  /** The caller holds the paths' locks. */
  readonly locked: boolean;
  /** Others follow soon: it may wait for them a little, to be registered with them. */
  readonly patient?: boolean | undefined;
  /** More rows of the same transaction. */
  readonly also?: ((database: StoreDatabase) => void) | undefined;
};

type Waiting = Registration & { readonly resolve: () => void; readonly reject: (error: unknown) => void };

/** `objects` are those still to be made valid, `paths` all that must be valid in the end. */
type Ready = Waiting & { readonly paths: readonly StorePath[] };

/** More would hold too many lock files open at once. */
const MAX_GROUP = 500;

/** So many that wait are a sign of a group whose locks need a larger table of descriptors. */
const MANY = 32;

/** Up to this many small files are synced one by one. */
const MAX_SINGLE_SYNCS = 4;

/** How long, in milliseconds, what is patient waits for others at most, and how often it looks. */
const PATIENCE = 100;
const PATIENCE_STEP = 5;

const fsyncAsync = promisify(fsync);

/**
 * Makes finished objects valid, in an order that a crash at any point leaves right: their contents reach the
 * disk, then they get their final name, then the store's folder reaches the disk, then the database commits.
 * A path that is registered is whole; one that is whole but not registered is removed by the next who wants it,
 * or by the collector.
 *
 * Syncing each of the tens of thousands of files of a large object would take minutes, and a transaction for
 * each of a thousand derivations seconds. So what waits is registered in groups: one `syncfs` covers the
 * contents of all of the group, one `fsync` of the store's folder all of its renames, one transaction all rows.
 * While one group is synced, the next one gathers.
 */
export class RegistrationQueue {
  readonly #realStoreDir: string;
  readonly #database: () => StoreDatabase;
  readonly #areMoreComing: () => boolean;
  #waiting: Waiting[] = [];
  #running: Promise<void> | undefined;

  /** @param areMoreComing whether something was begun that will be added here */
  constructor(realStoreDir: string, database: () => StoreDatabase, areMoreComing: () => boolean) {
    this.#realStoreDir = realStoreDir;
    this.#database = database;
    this.#areMoreComing = areMoreComing;
  }

  /** Resolves when the paths are valid; their references must be, or wait before them in this queue. */
  add(registration: Registration): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ ...registration, resolve, reject });
      if (this.#waiting.length === MANY) native().makeRoomForDescriptors(MAX_GROUP + MANY);
      this.#running ??= this.#run();
    });
  }

  /** Resolves when nothing waits any more. */
  async drain(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  async #run(): Promise<void> {
    try {
      for (let delay = 1; this.#waiting.length > 0; ) {
        // Those that are added in the same turn come into the same group.
        await new Promise((resolve) => setImmediate(resolve));
        await this.#gather();
        const progress = await this.#registerGroup(this.#waiting.splice(0, MAX_GROUP));
        delay = progress ? 1 : Math.min(delay * 2, 100);
        if (!progress) await sleep(delay);
      }
    } finally {
      this.#running = undefined;
      // Something may have come between the last look and here.
      if (this.#waiting.length > 0) this.#running = this.#run();
    }
  }

  /** Each group costs a sync of all that is on its file system. */
  async #gather(): Promise<void> {
    const end = performance.now() + PATIENCE;
    while (this.#waiting.length < MAX_GROUP && this.#areMoreComing() && this.#waiting.every(({ patient }) => patient) && performance.now() < end) await sleep(PATIENCE_STEP);
  }

  /** @returns whether any of the group left the queue */
  async #registerGroup(group: readonly Waiting[]): Promise<boolean> {
    const database = this.#database();
    const locks = new PathLockGroup(this.#realStoreDir);
    const locked = new Set<StorePath>();
    const deferred: Waiting[] = [];
    const lockedItems: Waiting[] = [];
    const deferredPaths = new Set<StorePath>();
    try {
      for (const item of group) {
        try {
          if (item.objects.some(({ info }) => info.references.some((path) => deferredPaths.has(path))) || !lockAll(item, locked, locks)) {
            deferred.push(item);
            for (const { info } of item.objects) deferredPaths.add(info.path);
          } else {
            lockedItems.push(item);
          }
        } catch (error) {
          item.reject(error);
        }
      }
      let ready: readonly Ready[] = [];
      try {
        ready = sortOut(database, lockedItems);
      } catch (error) {
        for (const item of lockedItems) item.reject(error);
      }
      await this.#commit(database, ready);
    } finally {
      locks.release();
      this.#waiting.unshift(...deferred);
    }
    return deferred.length < group.length;
  }

  async #commit(database: StoreDatabase, items: readonly Ready[]): Promise<void> {
    if (items.length === 0) return;
    try {
      await this.#place(items);
      database.transaction(() => {
        const now = Math.floor(Date.now() / 1000);
        const ids = database.addValidPaths(items.flatMap(({ objects }) => objects.map(({ info }) => info)), now);
        for (const item of items) {
          // Those that a twin was to make valid: should it have failed, this one fails too.
          for (const path of item.paths) if (!ids.has(path) && database.findId(path) === undefined) throw database.invalidPath(path);
          item.also?.(database);
        }
      });
      for (const item of items) item.resolve();
    } catch (error) {
      if (items.length === 1) items[0]!.reject(error);
      // One item must not fail the others of its group.
      else for (const item of items) await this.#commit(database, [item]);
    }
  }

  async #place(items: readonly Ready[]): Promise<void> {
    const objects = items.flatMap((item) => item.objects);
    if (objects.length === 0) return;
    const isRoot = process.geteuid?.() === 0;
    const store = openSync(this.#realStoreDir, constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      const unplaced = objects.filter(({ temporary }) => temporary === undefined || findStats(temporary) !== undefined);
      if (unplaced.length <= MAX_SINGLE_SYNCS && unplaced.every(({ small, temporary }) => small && temporary !== undefined)) {
        for (const { temporary } of unplaced) {
          const file = openSync(temporary!, constants.O_RDONLY);
          try {
            await fsyncAsync(file);
          } finally {
            closeSync(file);
          }
        }
      } else {
        await native().syncFileSystem(store);
      }
      let renamed = 0;
      for (const { info, temporary } of unplaced) {
        if (temporary === undefined) continue;
        const final = `${this.#realStoreDir}/${info.path}`;
        // Left by one that was killed between the rename and the commit, or by a failed build: not valid, so rubbish.
        if (findStats(final) !== undefined) await removeTree(final);
        if (isRoot) renameSync(temporary, final);
        else renameCanonical(temporary, final);
        renamed++;
      }
      if (renamed > 0) await fsyncAsync(store);
    } finally {
      closeSync(store);
    }
  }
}

/** What is still to be done of items whose paths are locked; those that cannot become valid are rejected. */
function sortOut(database: StoreDatabase, items: readonly Waiting[]): Ready[] {
  const ready: Ready[] = [];
  // Asked after they were locked: nobody else makes one of them valid now.
  const valid = database.validOf([...new Set(items.flatMap(({ objects }) => objects.flatMap(({ info }) => [info.path, ...info.references])))]);
  const here = new Set<StorePath>();
  for (const item of items) {
    // What another made valid meanwhile, or a twin before us is about to, stays as it is: ours goes with its folder.
    const objects = item.objects.filter(({ info }) => !here.has(info.path) && !valid.has(info.path));
    const own = new Set(objects.map(({ info }) => info.path));
    const user = objects.find(({ info }) => info.references.some((path) => !own.has(path) && !here.has(path) && !valid.has(path)));
    if (user !== undefined) {
      const path = user.info.references.find((reference) => !own.has(reference) && !here.has(reference) && !valid.has(reference))!;
      item.reject(database.invalidPath(path, `"${user.info.path}" refers to it`));
      continue;
    }
    for (const path of own) here.add(path);
    ready.push({ ...item, objects, paths: item.objects.map(({ info }) => info.path) });
  }
  return ready;
}

/** Without waiting, since waiting while holding others' locks could be for ever; what it got is released with the group. */
function lockAll(item: Registration, locked: Set<StorePath>, locks: PathLockGroup): boolean {
  if (item.locked) return true;
  for (const { info } of item.objects) {
    if (locked.has(info.path)) continue;
    if (!locks.tryAdd(info.path)) return false;
    locked.add(info.path);
  }
  return true;
}

/** Renaming a folder to another parent changes its `..`, which only root may do to a read-only one. */
export function renameCanonical(from: string, to: string): void {
  const stats = lstatSync(from);
  if (!stats.isDirectory() || process.geteuid?.() === 0 || (stats.mode & 0o200) !== 0) {
    renameSync(from, to);
    return;
  }
  chmodSync(from, (stats.mode & 0o7777) | 0o200);
  renameSync(from, to);
  chmodSync(to, stats.mode & 0o7777);
  lutimesSync(to, stats.atime, CANONICAL_TIME);
}
