import { closeSync, fdatasyncSync, openSync } from "node:fs";
import { createRequire } from "node:module";
import type { DatabaseSyncInstance, StatementSyncInstance } from "@photostructure/sqlite";
import { TsosError } from "../error/tsos-error.ts";
import { formatHash, parseHash } from "../hash/hash.ts";
import type { OutputId, Realisation } from "../narinfo/realisation.ts";
import { formatContentAddress, parseContentAddress } from "../store-path/content-address.ts";
import { formatStorePath, parseStorePath, type StorePath } from "../store-path/store-path.ts";
import { compareByteStrings } from "../util/ordering.ts";
import type { NewPathInfo, ValidPathInfo } from "./path-info.ts";
import { REALISATION_SCHEMA } from "./realisation-schema.ts";
import { SCHEMA } from "./schema.ts";
import type { ClosureOptions } from "./store.ts";

/** A list is made a table for SQLite from this many on. */
const FEW = 4;

/**
 * Nix's database of one store. Every call is one synchronous SQLite statement or transaction, so within this
 * process nothing can come between; other processes wait their turn at SQLite's own lock.
 */
export class StoreDatabase implements Disposable {
  readonly #database: DatabaseSyncInstance;
  readonly #file: string;
  readonly #storeDir: string;
  readonly #statements = new Map<string, StatementSyncInstance>();
  readonly readOnly: boolean;
  #knowsRealisations = false;

  constructor(file: string, options: { readonly storeDir: string; readonly readOnly: boolean; readonly create: boolean }) {
    const { DatabaseSync } = createRequire(import.meta.url)("@photostructure/sqlite") as typeof import("@photostructure/sqlite");
    this.#file = file;
    this.#storeDir = options.storeDir;
    this.readOnly = options.readOnly;
    try {
      // An hour, as Nix: a peer that vacuums or copies the database must not make others fail.
      this.#database = new DatabaseSync(file, { readOnly: options.readOnly, timeout: 3_600_000, enableForeignKeyConstraints: true });
      if (!options.readOnly) {
        // Commits need not be durable at once: after a crash an unregistered path is only made again. What must
        // hold is that a registered one is whole, which the order of file syncs before the commit sees to. Who does
        // something that must not outlive a commit lost to a power cut calls `flush` in between.
        this.#database.exec("pragma synchronous = normal; pragma main.journal_mode = wal; pragma main.wal_autocheckpoint = 40000;");
        if (options.create) this.transaction(() => this.#database.exec(SCHEMA));
      }
    } catch (error) {
      throw new TsosError({
        code: "store.database",
        message: `cannot open the store's database "${file}": ${error instanceof Error ? error.message : String(error)}`,
        data: { file },
        cause: error,
      });
    }
  }

  /** All of `body` or nothing. It takes the write lock at once, so that what it reads first stays true. */
  transaction<T>(body: () => T): T {
    return this.#within("begin immediate", body);
  }

  /** Everything that `body` reads is of one moment, whatever others register meanwhile. */
  snapshot<T>(body: () => T): T {
    return this.#within("begin", body);
  }

  #within<T>(begin: string, body: () => T): T {
    this.#database.exec(begin);
    try {
      const result = body();
      this.#database.exec("commit");
      return result;
    } catch (error) {
      this.#database.exec("rollback");
      throw error;
    }
  }

  /** After it, what was committed is on disk: the write-ahead log holds all that is not in the file itself yet. */
  flush(): void {
    let log: number;
    try {
      log = openSync(`${this.#file}-wal`, "r");
    } catch (error) {
      // No log: SQLite synced all of it into the database and removed it.
      if (error instanceof Error && "code" in error && error.code === "ENOENT") return;
      throw error;
    }
    try {
      fdatasyncSync(log);
    } finally {
      closeSync(log);
    }
  }

  findId(path: StorePath): number | undefined {
    return this.#get("select id from ValidPaths where path = ?", this.#format(path))?.["id"] as number | undefined;
  }

  findPathInfo(path: StorePath): ValidPathInfo | undefined {
    const row = this.#get("select id, hash, registrationTime, deriver, narSize, ultimate, sigs, ca from ValidPaths where path = ?", this.#format(path));
    if (row === undefined) return undefined;
    const references = this.#all("select path from Refs join ValidPaths on reference = id where referrer = ?", row["id"] as number);
    const deriver = row["deriver"] as string | null;
    const contentAddress = row["ca"] as string | null;
    const signatures = row["sigs"] as string | null;
    return {
      path,
      narHash: parseHash(row["hash"] as string),
      narSize: (row["narSize"] as number | null) ?? 0,
      references: this.#sortedPaths(references),
      deriver: deriver ? parseStorePath(deriver, this.#storeDir) : undefined,
      registrationTime: row["registrationTime"] as number,
      signatures: signatures ? signatures.split(" ") : [],
      contentAddress: contentAddress ? parseContentAddress(contentAddress) : undefined,
      ultimate: row["ultimate"] === 1,
    };
  }

  allPaths(): StorePath[] {
    return this.#paths(this.#all("select path from ValidPaths"));
  }

  validOf(paths: readonly StorePath[]): Set<StorePath> {
    // Sooner asked one by one.
    if (paths.length <= FEW) return new Set(paths.filter((path) => this.findId(path) !== undefined));
    const found = this.#all("select path from ValidPaths where path in (select value from json_each(?))", this.#json(paths));
    return new Set(this.#paths(found));
  }

  findPathFromHashPart(hashPart: string): StorePath | undefined {
    const prefix = `${this.#storeDir}/${hashPart}`;
    const path = this.#get("select path from ValidPaths where path >= ? limit 1", prefix)?.["path"] as string | undefined;
    return path?.startsWith(`${prefix}-`) ? parseStorePath(path, this.#storeDir) : undefined;
  }

  referrers(path: StorePath): StorePath[] {
    return this.#sortedPaths(
      this.#all("select path from Refs join ValidPaths on referrer = id where reference = (select id from ValidPaths where path = ?)", this.#format(path)),
    );
  }

  validDerivers(path: StorePath): StorePath[] {
    return this.#sortedPaths(
      this.#all("select v.path from DerivationOutputs d join ValidPaths v on d.drv = v.id where d.path = ?", this.#format(path)),
    );
  }

  deriversOf(paths: readonly StorePath[]): Set<StorePath> {
    const rows = this.#all("select distinct deriver from ValidPaths where path in (select value from json_each(?)) and deriver <> ''", this.#json(paths));
    return new Set(rows.map((row) => parseStorePath(row["deriver"] as string, this.#storeDir)));
  }

  derivationOutputs(derivation: StorePath): Map<string, StorePath> {
    const rows = this.#all("select d.id, d.path from DerivationOutputs d join ValidPaths v on d.drv = v.id where v.path = ?", this.#format(derivation));
    return new Map(rows.map((row) => [row["id"] as string, parseStorePath(row["path"] as string, this.#storeDir)]));
  }

  /** The invalid among `paths` are left out. */
  closure(paths: readonly StorePath[], { direction = "references", includeOutputs = false, includeDerivers = false }: ClosureOptions = {}): StorePath[] {
    // `union` removes what was reached before, so that each path is expanded once. Nix: libstore/misc.cc.
    const forward = direction === "references";
    const steps = [forward ? "select reference from found join Refs on referrer = found.id" : "select referrer from found join Refs on reference = found.id"];
    const outputs = "select o.id from found join DerivationOutputs d on d.drv = found.id join ValidPaths o on o.path = d.path";
    const derivers = "select d.id from found join ValidPaths v on v.id = found.id join ValidPaths d on d.path = v.deriver";
    // Backwards an output leads to every derivation that has it; a derivation only to outputs that name it as deriver.
    const allDerivers = "select d.drv from found join ValidPaths v on v.id = found.id join DerivationOutputs d on d.path = v.path";
    const ownOutputs = `select o.id from found join ValidPaths v on v.id = found.id
      join DerivationOutputs d on d.drv = found.id join ValidPaths o on o.path = d.path and o.deriver = v.path`;
    if (includeOutputs) steps.push(forward ? outputs : allDerivers);
    if (includeDerivers) steps.push(forward ? derivers : ownOutputs);
    const rows = this.#all(
      `with recursive found(id) as (
         select id from ValidPaths where path in (select value from json_each(?)) union ${steps.join(" union ")}
       ) select path from found join ValidPaths using (id)`,
      this.#json(paths),
    );
    return this.#paths(rows);
  }

  /** Each path's references that are in `paths` too, itself left out. */
  referencesWithin(paths: readonly StorePath[]): Map<StorePath, StorePath[]> {
    const result = new Map<StorePath, StorePath[]>(paths.map((path) => [path, []]));
    const rows = this.#all(
      `with chosen(id, path) as materialized (select id, path from ValidPaths where path in (select value from json_each(?)))
       select a.path as referrer, b.path as reference from chosen a join Refs on referrer = a.id join chosen b on reference = b.id where a.id <> b.id`,
      this.#json(paths),
    );
    const start = this.#storeDir.length + 1;
    for (const row of rows) {
      result.get((row["referrer"] as string).slice(start) as StorePath)?.push((row["reference"] as string).slice(start) as StorePath);
    }
    for (const references of result.values()) references.sort(compareByteStrings);
    return result;
  }

  /** Adds or replaces rows; every reference must be valid or among `infos`. To be called in a transaction. @returns their ids */
  addValidPaths(infos: readonly NewPathInfo[], now: number): ReadonlyMap<StorePath, number> {
    const ids = new Map<StorePath, number>();
    const others = new Map<StorePath, number>();
    for (const info of infos) ids.set(info.path, this.#putPath(info, now));
    for (const info of infos) {
      const referrer = ids.get(info.path)!;
      for (const reference of info.references) {
        let id = ids.get(reference) ?? others.get(reference);
        if (id === undefined) {
          id = this.findId(reference);
          if (id === undefined) throw this.invalidPath(reference, `"${this.#format(info.path)}" refers to it`);
          others.set(reference, id);
        }
        this.#run("insert or replace into Refs (referrer, reference) values (?, ?)", referrer, id);
      }
    }
    return ids;
  }

  #putPath(info: NewPathInfo, now: number): number {
    const values = [
      formatHash(info.narHash, "base16", true),
      info.deriver === undefined ? null : this.#format(info.deriver),
      info.narSize,
      info.ultimate ? 1 : null,
      info.signatures === undefined || info.signatures.length === 0 ? null : info.signatures.join(" "),
      info.contentAddress === undefined ? null : formatContentAddress(info.contentAddress),
    ];
    const path = this.#format(info.path);
    const known = this.findId(info.path);
    if (known !== undefined) {
      this.#run("update ValidPaths set hash = ?, deriver = ?, narSize = ?, ultimate = ?, sigs = ?, ca = ? where id = ?", ...values, known);
      return known;
    }
    const insert = this.#statement("insert into ValidPaths (hash, deriver, narSize, ultimate, sigs, ca, path, registrationTime) values (?, ?, ?, ?, ?, ?, ?, ?)");
    return Number(insert.run(...values, path, info.registrationTime ?? now).lastInsertRowid);
  }

  /** To be called in a transaction. */
  addDerivationOutputs(derivation: StorePath, outputs: Iterable<readonly [string, StorePath]>): void {
    const id = this.findId(derivation);
    if (id === undefined) throw this.invalidPath(derivation);
    for (const [name, path] of outputs) {
      this.#run("insert or replace into DerivationOutputs (drv, id, path) values (?, ?, ?)", id, name, this.#format(path));
    }
  }

  /** A valid path's facts anew; when it was registered stays. To be called in a transaction. */
  replaceValidPath(info: NewPathInfo): void {
    this.#run("delete from Refs where referrer = (select id from ValidPaths where path = ?)", this.#format(info.path));
    this.addValidPaths([info], 0);
  }

  setSignatures(path: StorePath, signatures: readonly string[]): void {
    this.#run("update ValidPaths set sigs = ? where path = ?", signatures.length === 0 ? null : signatures.join(" "), this.#format(path));
  }

  /** Forgets `paths`, users before what they use. To be called in a transaction. @throws when something else needs one */
  invalidate(paths: readonly StorePath[]): void {
    for (const path of paths) this.#run("delete from ValidPaths where path = ?", this.#format(path));
  }

  /** Whether this store has ever kept a realisation. */
  hasRealisations(): boolean {
    return (this.#knowsRealisations ||= this.#get("select 1 as found from sqlite_master where type = 'table' and name = 'Realisations'") !== undefined);
  }

  findRealisation(id: OutputId): Realisation | undefined {
    if (!this.hasRealisations()) return undefined;
    const row = this.#get(
      "select path, signatures from Realisations join ValidPaths on outputPath = ValidPaths.id where drvPath = ? and outputName = ?",
      `sha256:${id.derivationHash}`,
      id.output,
    );
    return row === undefined ? undefined : { ...id, path: this.#paths([row])[0]!, signatures: splitSignatures(row["signatures"]) };
  }

  /** Of which outputs `path` is known to be what they turned out to be. */
  realisationsOf(path: StorePath): Realisation[] {
    if (!this.hasRealisations()) return [];
    const rows = this.#all("select drvPath, outputName, signatures from Realisations join ValidPaths on outputPath = ValidPaths.id where path = ?", this.#format(path));
    return rows.map((row) => ({ derivationHash: (row["drvPath"] as string).slice("sha256:".length), output: row["outputName"] as string, path, signatures: splitSignatures(row["signatures"]) }));
  }

  /** Adds or replaces; the paths must be valid. To be called in a transaction. */
  addRealisations(realisations: readonly Realisation[]): void {
    if (!this.hasRealisations()) this.#database.exec(REALISATION_SCHEMA);
    for (const { derivationHash, output, path, signatures } of realisations) {
      const id = this.findId(path);
      if (id === undefined) throw this.invalidPath(path);
      const known = this.findRealisation({ derivationHash, output });
      const all = [...new Set([...(known?.path === path ? known.signatures : []), ...signatures])].sort(compareByteStrings).join(" ");
      this.#run("delete from Realisations where drvPath = ? and outputName = ?", `sha256:${derivationHash}`, output);
      this.#run("insert into Realisations (drvPath, outputName, outputPath, signatures) values (?, ?, ?, ?)", `sha256:${derivationHash}`, output, id, all);
    }
  }

  registrationTimesFrom(time: number): StorePath[] {
    return this.#paths(this.#all("select path from ValidPaths where registrationTime >= ?", time));
  }

  narSizes(paths: readonly StorePath[]): Map<StorePath, number> {
    const rows = this.#all("select path, narSize from ValidPaths where path in (select value from json_each(?))", this.#json(paths));
    return new Map(rows.map((row) => [(row["path"] as string).slice(this.#storeDir.length + 1) as StorePath, (row["narSize"] as number | null) ?? 0]));
  }

  /** What SQLite finds wrong with the file itself. */
  problems(): string[] {
    const rows = [...this.#all("pragma integrity_check"), ...this.#all("pragma foreign_key_check")];
    return rows.map((row) => Object.values(row).join(" ")).filter((message) => message !== "ok");
  }

  invalidPath(path: StorePath, why?: string): TsosError {
    const shown = this.#format(path);
    return new TsosError({ code: "store.invalid-path", message: `path "${shown}" is not valid${why ? `, but ${why}` : ""}`, data: { path: shown } });
  }

  [Symbol.dispose](): void {
    this.#statements.clear();
    this.#database.close();
  }

  #format(path: StorePath): string {
    return formatStorePath(path, this.#storeDir);
  }

  /** One parameter for a list of any length: SQLite limits how many there may be. */
  #json(paths: readonly StorePath[]): string {
    return JSON.stringify(paths.map((path) => this.#format(path)));
  }

  /** The database holds only what was parsed when it was added, so the rows are cut, not parsed. */
  #paths(rows: readonly Record<string, unknown>[]): StorePath[] {
    const start = this.#storeDir.length + 1;
    return rows.map((row) => (row["path"] as string).slice(start) as StorePath);
  }

  #sortedPaths(rows: readonly Record<string, unknown>[]): StorePath[] {
    return this.#paths(rows).sort(compareByteStrings);
  }

  #statement(sql: string): StatementSyncInstance {
    let statement = this.#statements.get(sql);
    if (statement === undefined) this.#statements.set(sql, (statement = this.#database.prepare(sql)));
    return statement;
  }

  #get(sql: string, ...values: readonly (string | number | null)[]): Record<string, unknown> | undefined {
    return this.#statement(sql).get(...values) as Record<string, unknown> | undefined;
  }

  #all(sql: string, ...values: readonly (string | number | null)[]): Record<string, unknown>[] {
    return this.#statement(sql).all(...values) as Record<string, unknown>[];
  }

  #run(sql: string, ...values: readonly (string | number | null)[]): void {
    this.#statement(sql).run(...values);
  }
}

function splitSignatures(text: unknown): readonly string[] {
  return typeof text === "string" && text !== "" ? text.split(" ") : [];
}
