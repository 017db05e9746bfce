import { chmodSync, lstatSync, readdirSync, rmdirSync, unlinkSync, type Stats } from "node:fs";
import { setImmediate as nextTurn } from "node:timers/promises";
import { toFsPath } from "../nar/fs-path.ts";
import { toByteString, type ByteString } from "../util/bytes.ts";

/** Entry names, one character a byte, in no order. */
export function listFolder(folder: ByteString): ByteString[] {
  return readdirSync(toFsPath(folder), "latin1");
}

export function findStats(file: string): Stats | undefined {
  return lstatSync(file, { throwIfNoEntry: false });
}

/**
 * Calls `visit` for `root` and everything below, a folder before its entries; names below may be any bytes. Synchronous calls are several times
 * faster than Node's asynchronous ones on many small files; the loop lets other work in every few milliseconds.
 */
export async function walkTree(
  root: string,
  visit: (file: ByteString, stats: Stats) => void,
  options: { readonly signal?: AbortSignal | undefined } = {},
): Promise<void> {
  const pending = [toByteString(root)];
  for (let n = 0, since = performance.now(); pending.length > 0; n++) {
    const file = pending.pop()!;
    const stats = lstatSync(toFsPath(file));
    visit(file, stats);
    if (stats.isDirectory()) for (const name of listFolder(file)) pending.push(`${file}/${name}`);
    if ((n & 63) === 63 && performance.now() - since > 10) {
      await nextTurn();
      options.signal?.throwIfAborted();
      since = performance.now();
    }
  }
}

/**
 * Removes a file or a whole folder, read-only folders included; absent is fine.
 *
 * @returns the bytes of disk that came free: a file with a further link frees none
 */
export async function removeTree(root: string, options: { readonly signal?: AbortSignal | undefined } = {}): Promise<number> {
  let freed = 0;
  let since = performance.now();
  const pending: { readonly file: ByteString; readonly entered: boolean }[] = [{ file: toByteString(root), entered: false }];
  const isRoot = process.geteuid?.() === 0;
  for (let n = 0; pending.length > 0; n++) {
    const { file, entered } = pending.pop()!;
    if (entered) {
      rmdirSync(toFsPath(file));
      continue;
    }
    const stats = lstatSync(toFsPath(file), { throwIfNoEntry: false });
    if (stats === undefined) continue;
    if (stats.isDirectory()) {
      // A canonical folder is read-only, which stops everyone but root from emptying it.
      if (!isRoot && (stats.mode & 0o700) !== 0o700) chmodSync(toFsPath(file), (stats.mode & 0o7777) | 0o700);
      freed += stats.blocks * 512;
      pending.push({ file, entered: true });
      for (const name of listFolder(file)) pending.push({ file: `${file}/${name}`, entered: false });
    } else {
      unlinkSync(toFsPath(file));
      if (stats.nlink <= 1) freed += stats.blocks * 512;
    }
    if ((n & 63) === 63 && performance.now() - since > 10) {
      await nextTurn();
      options.signal?.throwIfAborted();
      since = performance.now();
    }
  }
  return freed;
}
