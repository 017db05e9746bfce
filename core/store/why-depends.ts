import { closeSync, constants, openSync, readlinkSync, readSync } from "node:fs";
import { toFsPath } from "../nar/fs-path.ts";
import { storePathHash, type StorePath } from "../store-path/store-path.ts";
import { toByteString, type ByteString } from "../util/bytes.ts";
import { walkTree } from "./file-tree.ts";
import type { LocalStore } from "./store.ts";

/** One place where a path names another. */
export type ReferencePlace = {
  /** Below the path; empty where the path itself is the file. */
  readonly file: ByteString;
  readonly kind: "file" | "symlink";
  /** Where in the file, or in the link's target, the reference's hash begins, in bytes. */
  readonly offset: number;
  /** What stands around it; bytes that cannot be printed are dots. */
  readonly context: string;
};

export type DependencyStep = {
  readonly path: StorePath;
  /** Where it names the next path of the chain; empty for the last one. */
  readonly places: readonly ReferencePlace[];
};

/** What is looked through at a time. */
const CHUNK = 1 << 20;
const CONTEXT = { before: 40, after: 80 } as const;

/**
 * The shortest chain of references from one path to another, each step with the files that name the next.
 *
 * @returns undefined where `from` does not need `to`
 */
export async function whyDepends(
  store: LocalStore,
  from: StorePath,
  to: StorePath,
  options: {
    /** How many places of each step are looked for, in the order of an archive; default 1. */
    readonly limit?: number;
    readonly signal?: AbortSignal | undefined;
  } = {},
): Promise<readonly DependencyStep[] | undefined> {
  const { limit = 1, signal } = options;
  const chain = await findChain(store, from, to);
  if (chain === undefined) return undefined;
  const steps: DependencyStep[] = [];
  for (const [i, path] of chain.entries()) {
    signal?.throwIfAborted();
    const next = chain[i + 1];
    steps.push({ path, places: next === undefined ? [] : await findPlaces(store.realPath(path), storePathHash(next), limit, signal) });
  }
  return steps;
}

async function findChain(store: LocalStore, from: StorePath, to: StorePath): Promise<readonly StorePath[] | undefined> {
  const users = await store.closure([to], { direction: "referrers" });
  await store.getPathInfo(from);
  if (!users.has(from)) return undefined;
  // Breadth first from the end, so that the first way found is a shortest one.
  const next = new Map<StorePath, StorePath | undefined>([[to, undefined]]);
  for (const path of next.keys()) {
    if (path === from) break;
    for (const user of await store.queryReferrers(path)) if (!next.has(user)) next.set(user, path);
  }
  const chain: StorePath[] = [];
  for (let step: StorePath | undefined = from; step !== undefined; step = next.get(step)) chain.push(step);
  return chain;
}

class Enough extends Error {}

async function findPlaces(root: string, hash: string, limit: number, signal: AbortSignal | undefined): Promise<ReferencePlace[]> {
  const found: ReferencePlace[] = [];
  const start = toByteString(root).length + 1;
  try {
    await walkTree(
      root,
      (file, stats) => {
        const name = file.slice(start);
        if (stats.isSymbolicLink()) {
          const target = readlinkSync(toFsPath(file), "latin1");
          const offset = target.indexOf(hash);
          if (offset >= 0) found.push({ file: name, kind: "symlink", offset, context: printable(target) });
        } else if (stats.isFile()) {
          const place = findInFile(file, hash);
          if (place !== undefined) found.push({ file: name, kind: "file", ...place });
        }
        if (found.length >= limit) throw new Enough();
      },
      // The first is the reference's first.
      { signal, sorted: true },
    );
  } catch (error) {
    if (!(error instanceof Enough)) throw error;
  }
  return found;
}

function findInFile(file: ByteString, hash: string): { readonly offset: number; readonly context: string } | undefined {
  const descriptor = openSync(toFsPath(file), constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    const buffer = Buffer.allocUnsafe(CHUNK);
    let kept = 0;
    for (let base = 0; ; ) {
      const read = readSync(descriptor, buffer, kept, buffer.length - kept, null);
      if (read === 0) return undefined;
      const bytes = buffer.subarray(0, kept + read);
      const at = bytes.indexOf(hash, 0, "latin1");
      if (at >= 0) {
        const around = Buffer.alloc(CONTEXT.before + CONTEXT.after);
        const from = Math.max(0, base + at - CONTEXT.before);
        const length = readSync(descriptor, around, 0, around.length, from);
        return { offset: base + at, context: line(around.toString("latin1", 0, length), base + at - from) };
      }
      // A hash may span what was read and what comes.
      const keep = Math.min(bytes.length, hash.length - 1);
      base += bytes.length - keep;
      bytes.copyWithin(0, bytes.length - keep);
      kept = keep;
    }
  } finally {
    closeSync(descriptor);
  }
}

/** Of the text around a place, the line that it is on. */
function line(text: string, at: number): string {
  const from = text.lastIndexOf("\n", at) + 1;
  const to = text.indexOf("\n", at);
  return printable(text.slice(from, to < 0 ? undefined : to));
}

function printable(text: ByteString): string {
  return text.replace(/[^\x20-\x7e]/g, ".");
}
