import { readSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import { createHasher, type Hasher } from "../hash/hasher.ts";
import type { Hash } from "../hash/hash.ts";
import { toByteString } from "../util/bytes.ts";
import { native } from "../util/native.ts";
import { dumpItems, PAUSE_AFTER, SEND_FROM, type DumpedContents, type IncludePath } from "./dump-path.ts";
import { NarReader } from "./nar-reader.ts";
import { RestoreVisitor } from "./restore-path.ts";

export type CopyPathOptions = {
  readonly signal?: AbortSignal | undefined;
  /** As of `dumpPath`. */
  readonly include?: IncludePath | undefined;
};

/** So much the kernel copies while as much of what it copied is hashed. */
const PIECE = 8 << 20;

/** As of a dump: few calls, and small enough for the second-level cache. */
const CHUNK = 1 << 18;

/**
 * Unpacks the archive of the file tree at `source` at `target`, as `restorePath` would, and gives the archive's SHA-256 and
 * size: of what arrived, whatever became of the source meanwhile. The contents of large files the kernel copies, in a
 * thread, and they begin to go to the disk at once; nothing is synced. What was written before an error stays.
 *
 * @throws TsosError `nar.*`, as `dumpPath` and `restorePath`
 */
export async function copyPath(source: string, target: string, { signal, include }: CopyPathOptions = {}): Promise<{ readonly hash: Hash; readonly size: number }> {
  const hasher = createHasher("sha256");
  using visitor = new RestoreVisitor(target);
  const reader = new NarReader(visitor);
  let last = performance.now();
  for (const item of dumpItems(toByteString(source), true, include, SEND_FROM)) {
    signal?.throwIfAborted();
    if (item instanceof Uint8Array) {
      hasher.update(item);
      reader.write(item);
    } else {
      await copyContents(item, visitor.descriptor, hasher, signal);
      reader.skip(item.taken);
    }
    if (performance.now() - last > PAUSE_AFTER) {
      await setImmediate();
      last = performance.now();
    }
  }
  reader.end();
  return { hash: { algorithm: "sha256", digest: hasher.digest() }, size: reader.offset };
}

/** Sets how many of them it took: fewer where the kernel cannot copy, or finds fewer. */
async function copyContents(contents: DumpedContents, target: number, hasher: Hasher, signal: AbortSignal | undefined): Promise<void> {
  const { descriptor, size } = contents;
  const { copyRange, beginWriting } = native();
  const chunk = Buffer.allocUnsafeSlow(CHUNK);
  const writing: Promise<void>[] = [];
  let copying = copyRange(descriptor, target, Math.min(PIECE, size));
  try {
    for (let copied = await copying; copied > 0; copied = await copying) {
      const start = contents.taken;
      const end = start + copied;
      signal?.throwIfAborted();
      copying = end < size ? copyRange(descriptor, target, Math.min(PIECE, size - end)) : Promise.resolve(0);
      writing.push(beginWriting(target, start, copied));
      for (let at = start; at < end; ) {
        const read = readSync(target, chunk, 0, Math.min(CHUNK, end - at), at);
        if (read === 0) throw new Error(`a file has fewer than the ${end} bytes that were copied to it`);
        hasher.update(read === CHUNK ? chunk : chunk.subarray(0, read));
        at += read;
      }
      contents.taken = end;
    }
  } finally {
    // Neither file may be closed before.
    await Promise.allSettled([copying, ...writing]);
  }
}
