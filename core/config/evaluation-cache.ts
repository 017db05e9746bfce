import { createHash, randomBytes } from "node:crypto";
import { closeSync, constants, fstatSync, mkdirSync, openSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { recheckReads, type FileRead } from "./file-read.ts";

/** What a cache entry holds: an outcome and all that it stands on. */
export type CacheEntry<T> = { readonly reads: readonly FileRead[]; readonly value: T };

const MAGIC = "tsos-cache-2";
const MAX_ENTRIES = 200;
const MAX_BYTES = 512 * 1024 * 1024;
const ABANDONED_MILLISECONDS = 3_600_000;

/** The name of an entry: what the outcome depends on beside the files that were read. */
export function cacheKey(parts: readonly unknown[]): string {
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex");
}

/**
 * The entry `key`, if everything that it was made from is as it was. An entry that is damaged, of another
 * format or stale is as good as none.
 */
export async function findCached<T>(folder: string, key: string): Promise<CacheEntry<T> | undefined> {
  const entry = readEntry<T>(folder, key);
  if (entry === undefined) return undefined;
  const reads = await recheckReads(entry.reads, async (path) => (await import("./hash-tree.ts")).hashTree(path));
  if (reads === undefined) return undefined;
  if (reads !== entry.reads) writeCached(folder, key, { ...entry, reads });
  return { ...entry, reads };
}

/** Writes an entry as a whole or not at all. A cache that cannot be written is no error. */
export function writeCached<T>(folder: string, key: string, entry: CacheEntry<T>): void {
  const body = JSON.stringify(entry);
  const temporary = join(folder, `${key}.${process.pid}-${randomBytes(4).toString("hex")}.tmp`);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeFileSync(temporary, `${MAGIC} ${checksum(key, body)}\n${body}`, { mode: 0o600 });
    renameSync(temporary, join(folder, key));
    prune(folder);
  } catch {
    try {
      rmSync(temporary, { force: true });
    } catch {
      // There is no such folder, then.
    }
  }
}

// A result is trusted as one's own: what another user wrote, or a name that one was given by another, is not.
function readEntry<T>(folder: string, key: string): CacheEntry<T> | undefined {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(join(folder, key), constants.O_RDONLY | constants.O_NOFOLLOW);
    const { uid, mode } = fstatSync(descriptor);
    if (uid !== process.getuid?.() || (mode & 0o022) !== 0) return undefined;
    const text = readFileSync(descriptor, "utf8");
    const end = text.indexOf("\n");
    const body = text.slice(end + 1);
    return text.slice(0, end) === `${MAGIC} ${checksum(key, body)}` ? (JSON.parse(body) as CacheEntry<T>) : undefined;
  } catch {
    return undefined;
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

function checksum(key: string, body: string): string {
  return createHash("sha256").update(`${key}\n`).update(body).digest("hex");
}

/** Keeps the newest entries, and removes what a killed process left half-written. */
function prune(folder: string): void {
  const now = Date.now();
  const files = readdirSync(folder).flatMap((name) => {
    const stats = statSync(join(folder, name), { throwIfNoEntry: false });
    return stats === undefined ? [] : [{ name, size: stats.size, time: stats.mtimeMs }];
  });
  files.sort((a, b) => b.time - a.time);
  let bytes = 0;
  let count = 0;
  for (const file of files) {
    if (file.name.endsWith(".tmp")) {
      if (now - file.time > ABANDONED_MILLISECONDS) rmSync(join(folder, file.name), { force: true });
      continue;
    }
    bytes += file.size;
    if (++count > MAX_ENTRIES || bytes > MAX_BYTES) rmSync(join(folder, file.name), { force: true });
  }
}
