/**
 * Makes this process's own operations fail or end it, at a chosen one: calls of node:fs, the few of the C library, and
 * statements of the database. Imports of node:fs see the replaced functions (`syncBuiltinESMExports`).
 */
import fs from "node:fs";
import { createRequire, syncBuiltinESMExports } from "node:module";
import type { StatementSyncInstance } from "@photostructure/sqlite";
import { native, type Native } from "../../core/util/native.ts";

/** `kill`: SIGKILL before it. `full`: from it on no write finds room. `unreadable`: this one read fails. */
export type FaultKind = "kill" | "full" | "unreadable";

export type FaultPoints = {
  /** Counts from 1 on; undefined only counts. */
  arm(kind: FaultKind, at: number | undefined): void;
  /** Operations of all kinds so far. */
  progress(): { readonly count: number };
  /** @returns how many operations of the kind there were, and whether the chosen one was reached */
  disarm(): { readonly count: number; readonly reached: boolean };
};

type Callable = (...args: never[]) => unknown;
type Category = "write" | "read" | "change";

/** `change`: alters names or metadata, which takes no room. */
const SYNC: Readonly<Record<string, Category>> = {
  mkdirSync: "write", writeSync: "write", writeFileSync: "write", symlinkSync: "write", linkSync: "write",
  renameSync: "change", unlinkSync: "change", rmdirSync: "change", rmSync: "change", chmodSync: "change", fchmodSync: "change",
  futimesSync: "change", lutimesSync: "change", utimesSync: "change", lchownSync: "change", fdatasyncSync: "change", fsyncSync: "change",
  readSync: "read", readdirSync: "read", readlinkSync: "read", readFileSync: "read",
};
const CALLBACK: Readonly<Record<string, Category>> = { write: "write", read: "read", fsync: "change" };
const PROMISES: Readonly<Record<string, Category>> = {
  mkdir: "write", mkdtemp: "write", writeFile: "write", copyFile: "write", symlink: "write", rename: "change", rm: "change", chmod: "change",
  readFile: "read", readdir: "read", readlink: "read",
};

/**
 * What the kernel makes up is on no disk, and a collector reads much of it; a name in an open folder is. Nor does the file
 * belong here by which a test stands for systemd.
 */
const isProcess = (file: unknown): boolean => typeof file === "string" && ((file.startsWith("/proc/") && !file.startsWith("/proc/self/fd/")) || file.endsWith("/systemd.json"));

/** To be called once a process, before anything else uses node:fs. */
export function installFaultPoints(): FaultPoints {
  let armed: FaultKind | undefined;
  let at: number | undefined;
  let count = 0;
  let reached = false;
  let all = 0;

  /** @returns the error that the operation has, if it is to fail */
  function pass(category: Category, name: string, database = false): Error | undefined {
    all++;
    if (armed === undefined) return undefined;
    const counts = armed === "kill" ? category !== "read" : armed === "full" ? category === "write" : category === "read";
    if (!counts) return undefined;
    count++;
    if (at === undefined || count < at) return undefined;
    if (count > at && armed !== "full") return undefined;
    reached = true;
    if (armed === "kill") process.kill(process.pid, "SIGKILL");
    if (database) return new Error(armed === "full" ? "database or disk is full" : "disk I/O error");
    const code = armed === "full" ? "ENOSPC" : "EIO";
    return Object.assign(new Error(`${code}: injected, ${name}`), { code, syscall: name });
  }

  function replace(target: object, name: string, category: Category, fail: (error: Error, args: readonly unknown[]) => unknown): void {
    const holder = target as Record<string, Callable>;
    const original = holder[name];
    if (original === undefined) throw new Error(`there is no "${name}" to replace`);
    holder[name] = function (this: unknown, ...args: never[]): unknown {
      const error = isProcess(args[0]) ? undefined : pass(category, name);
      return error === undefined ? original.apply(this, args) : fail(error, args);
    };
  }

  const raise = (error: Error): never => {
    throw error;
  };
  for (const [name, category] of Object.entries(SYNC)) replace(fs, name, category, raise);
  for (const [name, category] of Object.entries(CALLBACK)) replace(fs, name, category, (error, args) => void (args.at(-1) as (error: Error) => void)(error));
  for (const [name, category] of Object.entries(PROMISES)) replace(fs.promises, name, category, (error) => Promise.reject(error));
  const { openSync } = fs;
  fs.openSync = (file, flags, mode) => {
    const makes = typeof flags === "number" ? (flags & fs.constants.O_CREAT) !== 0 : flags !== "r";
    const error = isProcess(file) ? undefined : pass(makes ? "write" : "read", "open");
    if (error !== undefined) throw error;
    return openSync(file, flags, mode);
  };
  syncBuiltinESMExports();

  const calls = native() as { -readonly [K in keyof Native]: Native[K] };
  replace(calls, "syncFileSystem", "change", (error) => Promise.reject(error));
  replace(calls, "exchange", "change", raise);
  // Both only say that they did less; what is done in their place says why.
  replace(calls, "copyRange", "write", () => Promise.resolve(0));
  replace(calls, "beginWriting", "change", () => Promise.resolve());
  replace(calls, "makeRoomForDescriptors", "change", () => undefined);
  replace(calls, "allocate", "write", () => false);
  replace(calls, "listExtendedAttributes", "read", raise);

  // Its own objects cannot be changed, so the module gives others that stand before them.
  const require = createRequire(import.meta.url);
  const sqlite = require("@photostructure/sqlite") as typeof import("@photostructure/sqlite");
  const guard = (category: Category, sql: string): void => {
    // A rollback takes no room and reads nothing that it has not.
    const error = sql === "rollback" ? undefined : pass(category, sql, true);
    if (error !== undefined) throw error;
  };
  type Values = Parameters<StatementSyncInstance["run"]>;
  function DatabaseSync(...args: ConstructorParameters<typeof sqlite.DatabaseSync>): object {
    const real = new sqlite.DatabaseSync(...args);
    return {
      exec: (sql: string) => (guard("write", sql), real.exec(sql)),
      close: () => real.close(),
      prepare(sql: string) {
        const statement = real.prepare(sql);
        return {
          run: (...values: Values) => (guard("write", sql), statement.run(...values)),
          get: (...values: Values) => (guard("read", sql), statement.get(...values)),
          all: (...values: Values) => (guard("read", sql), statement.all(...values)),
        };
      },
    };
  }
  require.cache[require.resolve("@photostructure/sqlite")]!.exports = { ...sqlite, DatabaseSync };

  return {
    arm(kind, point) {
      [armed, at, count, reached] = [kind, point, 0, false];
    },
    progress: () => ({ count: all }),
    disarm() {
      armed = undefined;
      return { count, reached };
    },
  };
}
