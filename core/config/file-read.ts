import { createHash } from "node:crypto";
import { closeSync, fstatSync, lstatSync, openSync, readdirSync, readFileSync, readlinkSync, realpathSync, statSync, type Stats } from "node:fs";
import { join } from "node:path";

/**
 * One thing that an evaluation looked at. A later run compares the stamps, and the contents only where a
 * stamp differs or is too fresh to be trusted.
 */
export type FileRead =
  | { readonly kind: "file"; readonly path: string; readonly stamp: string; readonly takenAt: number; readonly hash: string }
  /** Looked for and not there: were it there, the evaluation could have been another. */
  | { readonly kind: "absent"; readonly path: string }
  /** The same for what may be a folder as well: there was nothing at all. */
  | { readonly kind: "missing"; readonly path: string }
  /** Links on the way to what was read; `target` is where they led. */
  | { readonly kind: "link"; readonly path: string; readonly target: string }
  /** The names in a folder; with `only` its folders and what ends so. */
  | { readonly kind: "folder"; readonly path: string; readonly hash: string; readonly only?: string | undefined }
  /** A file or folder taken as a whole; `hash` is its NAR hash. */
  | { readonly kind: "tree"; readonly path: string; readonly stamp: string; readonly takenAt: number; readonly hash: string };

// A file written in the same tick of the file system's clock as its stamp was taken keeps that stamp. Ticks are
// at most 10 ms; some network file systems count in seconds.
const FRESH_MILLISECONDS = 2000;

/** Reads a file and what a later run needs to know about it. */
export function readTracked(path: string): { readonly bytes: Buffer; readonly read: FileRead } {
  // The stamp comes before the contents: a change in between makes the stamp old, and so is seen later.
  const takenAt = Date.now();
  const descriptor = openSync(path, "r");
  try {
    const stamp = stampOf(fstatSync(descriptor));
    const bytes = readFileSync(descriptor);
    return { bytes, read: { kind: "file", path, stamp, takenAt, hash: hashOf(bytes) } };
  } finally {
    closeSync(descriptor);
  }
}

/** Notes whether a path is a file, and that this was asked. */
export function findTracked(path: string): FileRead | undefined {
  return statIfThere(path, statSync)?.isFile() === true ? undefined : { kind: "absent", path };
}

/** Undefined where there is nothing, also where a file stands in the place of a folder above. */
function statIfThere(path: string, stat: typeof statSync | typeof lstatSync): Stats | undefined {
  try {
    return stat(path, { throwIfNoEntry: false });
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOTDIR") return undefined;
    throw error;
  }
}

/** The names in a folder and what they are, as one hash; with `only` of its folders and what ends so. */
export function hashFolder(path: string, only?: string): string {
  const all = readdirSync(path, { withFileTypes: true });
  const entries = (only === undefined ? all : all.filter((entry) => entry.isDirectory() || entry.name.endsWith(only))).map((entry) => `${entry.name}\0${entry.isDirectory() ? "d" : entry.isSymbolicLink() ? "l" : "f"}`);
  return hashOf(entries.sort().join("\0\0"));
}

/** All names below `path` with their stamps, as one stamp; `newest` is the last time that any of them changed. */
export function stampTree(path: string): { readonly stamp: string; readonly newest: number } {
  const hash = createHash("sha256");
  let newest = 0;
  const visit = (at: string): void => {
    const stats = lstatSync(at);
    newest = Math.max(newest, stats.mtimeMs, stats.ctimeMs);
    hash.update(`${at.slice(path.length)}\0${stats.mode}\0${stampOf(stats)}\0`);
    if (stats.isSymbolicLink()) hash.update(`${readlinkSync(at)}\0`);
    else if (stats.isDirectory()) for (const name of readdirSync(at).sort()) visit(join(at, name));
  };
  visit(path);
  return { stamp: hash.digest("hex"), newest };
}

/**
 * Whether all of `reads` would be read the same now: `undefined` when one would not, else the reads with
 * stamps brought up to date (the same array where nothing was to be done).
 */
export async function recheckReads(reads: readonly FileRead[], hashTree: (path: string) => Promise<string>): Promise<readonly FileRead[] | undefined> {
  let fresh: FileRead[] | undefined;
  for (let i = 0; i < reads.length; i++) {
    const before = reads[i]!;
    const now = await recheck(before, hashTree);
    if (now === undefined) return undefined;
    if (now !== before) (fresh ??= [...reads])[i] = now;
  }
  return fresh ?? reads;
}

async function recheck(read: FileRead, hashTree: (path: string) => Promise<string>): Promise<FileRead | undefined> {
  try {
    switch (read.kind) {
      case "absent":
        return findTracked(read.path) === undefined ? undefined : read;
      case "missing":
        return statIfThere(read.path, lstatSync) === undefined ? read : undefined;
      case "link":
        return realpathSync(read.path) === read.target ? read : undefined;
      case "folder":
        return hashFolder(read.path, read.only) === read.hash ? read : undefined;
      case "file": {
        const stats = statSync(read.path);
        if (stampOf(stats) === read.stamp && isSettled(Math.max(stats.mtimeMs, stats.ctimeMs), read.takenAt)) return read;
        const now = readTracked(read.path).read;
        return now.kind === "file" && now.hash === read.hash ? now : undefined;
      }
      case "tree": {
        const takenAt = Date.now();
        const { stamp, newest } = stampTree(read.path);
        if (stamp === read.stamp && isSettled(newest, read.takenAt)) return read;
        return (await hashTree(read.path)) === read.hash ? { ...read, stamp, takenAt } : undefined;
      }
    }
  } catch {
    return undefined;
  }
}

function isSettled(changedAt: number, takenAt: number): boolean {
  return changedAt < takenAt - FRESH_MILLISECONDS;
}

function stampOf(stats: Stats): string {
  return `${stats.size}:${stats.mtimeMs}:${stats.ctimeMs}:${stats.ino}`;
}

function hashOf(data: string | Uint8Array): string {
  return createHash("sha256").update(data).digest("hex");
}
