import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { encodeBase16 } from "../../hash/base16.ts";
import { formatHash, hashBytes, parseHash } from "../../hash/hash.ts";
import { encodeNix32 } from "../../hash/nix32.ts";
import { narHashOfPath } from "../../nar/dump-path.ts";
import { encodeUtf8 } from "../../util/bytes.ts";
import { lockFile, type FileLock } from "../../util/file-lock.ts";

/** What was found out about a source, and when, in milliseconds since the epoch. */
export type RememberedFact<T> = { readonly value: T; readonly time: number };

/**
 * What was fetched, on disk: trees by the hash of their contents, and what servers said of URLs. A tree is there
 * whole or not at all. All of it may be deleted at any time; several processes may use it at once.
 */
export type SourceCache = {
  readonly folder: string;
  /** The tree (or file) whose NAR has this hash, in SRI; undefined where it was never fetched. */
  findTree(narHash: string): string | undefined;
  /**
   * Makes a tree with `write`, which is given a path where nothing is yet and returns the root of what it made there
   * (the path itself or something below), hashes it and keeps it under its hash.
   */
  addTree(write: (target: string) => Promise<string>, signal?: AbortSignal): Promise<{ readonly root: string; readonly narHash: string }>;
  findFact<T>(key: readonly unknown[]): RememberedFact<T> | undefined;
  rememberFact(key: readonly unknown[], value: unknown, time: number): void;
  /** A folder of the cache for a purpose, such as clones; made. */
  subfolder(name: string): string;
  /** One process at a time. */
  lock(name: string, signal?: AbortSignal): Promise<FileLock>;
};

/** Opens the cache in `folder`, which is made when something is first put there. */
export function openSourceCache(folder: string): SourceCache {
  const subfolder = (name: string): string => {
    const path = join(folder, name);
    mkdirSync(path, { recursive: true, mode: 0o700 });
    return path;
  };
  const treePath = (narHash: string): string => join(folder, "trees", encodeNix32(parseHash(narHash).digest));
  const factPath = (key: readonly unknown[]): string => join(folder, "facts", `${nameOf(key)}.json`);

  return {
    folder,
    subfolder,
    findTree(narHash) {
      const path = treePath(narHash);
      return existsSync(join(path, "source")) ? join(path, "source") : undefined;
    },
    async addTree(write, signal) {
      const holder = join(subfolder("trees"), `.tmp-${process.pid}-${randomBytes(6).toString("hex")}`);
      try {
        mkdirSync(holder, { mode: 0o700 });
        const made = await write(join(holder, "made"));
        signal?.throwIfAborted();
        const { hash } = await narHashOfPath(made, { signal });
        const narHash = formatHash(hash, "sri");
        const target = treePath(narHash);
        // A folder can be exchanged for another by no single call, so what is there stays: it has the same hash.
        const kept = join(holder, "kept");
        mkdirSync(kept, { mode: 0o700 });
        renameSync(made, join(kept, "source"));
        try {
          renameSync(kept, target);
        } catch (error) {
          if (!existsSync(join(target, "source"))) throw error;
        }
        return { root: join(target, "source"), narHash };
      } finally {
        await rm(holder, { recursive: true, force: true });
      }
    },
    findFact<T>(key: readonly unknown[]) {
      try {
        const stored = JSON.parse(readFileSync(factPath(key), "utf8")) as { readonly key: unknown; readonly value: T; readonly time: number };
        return JSON.stringify(stored.key) === JSON.stringify(key) ? { value: stored.value, time: stored.time } : undefined;
      } catch {
        return undefined;
      }
    },
    rememberFact(key, value, time) {
      const path = join(subfolder("facts"), `${nameOf(key)}.json`);
      const temporary = `${path}.${process.pid}-${randomBytes(4).toString("hex")}.tmp`;
      try {
        writeFileSync(temporary, JSON.stringify({ key, value, time }), { mode: 0o600 });
        renameSync(temporary, path);
      } finally {
        rmSync(temporary, { force: true });
      }
    },
    lock: (name, signal) => lockFile(join(subfolder("locks"), nameOf([name])), { signal }),
  };
}

function nameOf(key: readonly unknown[]): string {
  return encodeBase16(hashBytes("sha256", encodeUtf8(JSON.stringify(key))).digest);
}
