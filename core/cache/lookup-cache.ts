import { mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname } from "node:path";
import type { DatabaseSyncInstance, StatementSyncInstance } from "@photostructure/sqlite";
import type { CacheInfo } from "./cache-info.ts";

/** Seconds for which an answer holds: that a path is there, that it is not, and what a cache says of itself. */
export type Lifetimes = { readonly found: number; readonly absent: number; readonly cache: number };

/** Nix's. */
const TTL: Lifetimes = { found: 30 * 24 * 3600, absent: 3600, cache: 7 * 24 * 3600 };

export type LookupCacheOptions = {
  /** Those that are not the usual ones; 0: it is asked anew each time. */
  readonly lifetimes?: Partial<Lifetimes> | undefined;
  /** In seconds since the epoch. */
  readonly now?: (() => number) | undefined;
};

/** Rows older than any of these are dropped when the file is opened, at most this often (seconds). */
const PURGE_INTERVAL = 24 * 3600;

/** So many answers, or after so many milliseconds, are written at once. */
const MAX_FRESH = 1000;
const FLUSH_AFTER = 1000;

/** Changed with the tables; a file of another version is another file. */
const VERSION = 1;

/**
 * What caches answered, on disk: which paths they have, with their descriptions, and which not. It may be deleted at
 * any time, and a broken file is made anew; processes share it.
 */
export class LookupCache implements Disposable {
  readonly #database: DatabaseSyncInstance;
  readonly #statements = new Map<string, StatementSyncInstance>();
  readonly #now: () => number;
  readonly #lifetimes: Lifetimes;
  /** Not written yet: many are written in one transaction. */
  readonly #fresh = new Map<string, { readonly url: string; readonly hashPart: string; readonly time: number; readonly narinfo: string | null }>();
  #timer: NodeJS.Timeout | undefined;
  /** Whether anything was remembered of a cache when it was first asked about; of one that is new, 500 times nothing is looked for. */
  readonly #isKnown = new Map<string, boolean>();
  readonly #onExit = (): void => this.#flush();

  private constructor(database: DatabaseSyncInstance, { now = () => Math.floor(Date.now() / 1000), lifetimes }: LookupCacheOptions) {
    this.#database = database;
    this.#now = now;
    this.#lifetimes = { ...TTL, ...lifetimes };
  }

  /** @param folder is made where it is not there. @returns undefined where no file can be kept there: then nothing is remembered */
  static open(folder: string, options: LookupCacheOptions = {}): LookupCache | undefined {
    const file = `${folder}/binary-caches-${VERSION}.sqlite`;
    const { DatabaseSync } = createRequire(import.meta.url)("@photostructure/sqlite") as typeof import("@photostructure/sqlite");
    try {
      mkdirSync(dirname(file), { recursive: true });
      const database = new DatabaseSync(file, { timeout: 10_000 });
      // Nothing here is worth a sync: after a power cut it is asked for again.
      database.exec(`
        pragma synchronous = off;
        pragma journal_mode = wal;
        create table if not exists caches (url text primary key, time integer not null, info text not null) without rowid;
        create table if not exists lookups (url text not null, hashPart text not null, time integer not null, narinfo text, primary key (url, hashPart)) without rowid;
        create table if not exists purges (time integer not null);
      `);
      const cache = new LookupCache(database, options);
      cache.#purge();
      process.once("exit", cache.#onExit);
      return cache;
    } catch {
      return undefined;
    }
  }

  findCache(url: string): CacheInfo | undefined {
    const row = this.#statement("select info from caches where url = ? and time > ?").get(url, this.#now() - this.#lifetimes.cache);
    return row === undefined ? undefined : (JSON.parse((row as { info: string }).info) as CacheInfo);
  }

  rememberCache(url: string, info: CacheInfo): void {
    this.#write("insert or replace into caches values (?, ?, ?)", url, this.#now(), JSON.stringify(info));
  }

  /** The text of a description, `absent` where the cache has none, undefined where that is not known. */
  findNarInfo(url: string, hashPart: string): string | "absent" | undefined {
    const fresh = this.#fresh.get(`${hashPart} ${url}`);
    if (fresh !== undefined && fresh.time > this.#now() - (fresh.narinfo === null ? this.#lifetimes.absent : this.#lifetimes.found)) return fresh.narinfo ?? "absent";
    if (!this.#knows(url)) return undefined;
    const row = this.#statement("select narinfo from lookups where url = ? and hashPart = ? and time > case when narinfo is null then ? else ? end").get(url, hashPart, this.#now() - this.#lifetimes.absent, this.#now() - this.#lifetimes.found) as { narinfo: string | null } | undefined;
    return row === undefined ? undefined : (row.narinfo ?? "absent");
  }

  #knows(url: string): boolean {
    let known = this.#isKnown.get(url);
    if (known === undefined) this.#isKnown.set(url, (known = this.#statement("select 1 from lookups where url = ? limit 1").get(url) !== undefined));
    return known;
  }

  rememberNarInfo(url: string, hashPart: string, narinfo: string | undefined): void {
    this.#fresh.set(`${hashPart} ${url}`, { url, hashPart, time: this.#now(), narinfo: narinfo ?? null });
    if (this.#fresh.size >= MAX_FRESH) this.#flush();
    else this.#timer ??= setTimeout(() => this.#flush(), FLUSH_AFTER).unref();
  }

  /** What was remembered of a path turned out to be no longer so. */
  forgetNarInfo(url: string, hashPart: string): void {
    this.#fresh.delete(`${hashPart} ${url}`);
    this.#write("delete from lookups where url = ? and hashPart = ?", url, hashPart);
  }

  [Symbol.dispose](): void {
    process.off("exit", this.#onExit);
    this.#flush();
    this.#database.close();
  }

  #flush(): void {
    for (const { url } of this.#fresh.values()) this.#isKnown.set(url, true);
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#fresh.size === 0) return;
    const fresh = [...this.#fresh.values()];
    this.#fresh.clear();
    this.#write("begin immediate");
    for (const { url, hashPart, time, narinfo } of fresh) this.#write("insert or replace into lookups values (?, ?, ?, ?)", url, hashPart, time, narinfo);
    this.#write("commit");
    if (this.#database.isTransaction) this.#write("rollback");
  }

  #purge(): void {
    const last = this.#statement("select max(time) as time from purges").get() as { time: number | null };
    if ((last.time ?? 0) > this.#now() - PURGE_INTERVAL) return;
    this.#write("delete from purges");
    this.#write("insert into purges values (?)", this.#now());
    this.#write("delete from lookups where time <= case when narinfo is null then ? else ? end", this.#now() - TTL.absent, this.#now() - TTL.found);
    this.#write("delete from caches where time <= ?", this.#now() - TTL.cache);
  }

  /** A full disk or another's lock must not end a substitution. */
  #write(sql: string, ...values: readonly (string | number | null)[]): void {
    try {
      this.#statement(sql).run(...values);
    } catch {
      // It is only not remembered.
    }
  }

  #statement(sql: string): StatementSyncInstance {
    let statement = this.#statements.get(sql);
    if (statement === undefined) this.#statements.set(sql, (statement = this.#database.prepare(sql)));
    return statement;
  }
}
