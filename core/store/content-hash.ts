import { closeSync, constants, lstatSync, openSync, readSync } from "node:fs";
import { setImmediate as nextTurn } from "node:timers/promises";
import { TsosError } from "../error/tsos-error.ts";
import type { Hash } from "../hash/hash.ts";
import type { HashAlgorithm } from "../hash/hash-algorithm.ts";
import { createHasher } from "../hash/hasher.ts";
import { narHashOfPath, type IncludePath } from "../nar/dump-path.ts";
import { gitHashOfPath } from "../nar/git-hash.ts";
import type { ContentAddressMethod } from "../store-path/content-address.ts";
import { unreachable } from "../util/unreachable.ts";

/**
 * What a content address of this method says of the files at `path`.
 *
 * @throws TsosError `store.not-a-file` when the method takes one file and there is something else
 */
export async function contentHashOfPath(
  path: string,
  method: ContentAddressMethod,
  algorithm: HashAlgorithm,
  options: { readonly signal?: AbortSignal | undefined; readonly include?: IncludePath | undefined } = {},
): Promise<Hash> {
  switch (method) {
    case "nar":
      return (await narHashOfPath(path, { algorithm, signal: options.signal, include: options.include })).hash;
    case "flat":
    case "text": {
      const stats = lstatSync(path);
      if (!stats.isFile()) {
        throw new TsosError({
          code: "store.not-a-file",
          message: `"${path}" is not a regular file, which the method ${method} expects`,
          hint: 'hash folders and links with the method "nar" (outputHashMode = "recursive")',
          data: { path, method },
        });
      }
      return hashFile(path, stats.size, algorithm, options.signal);
    }
    case "git":
      return gitHashOfPath(path, algorithm, options);
    default:
      return unreachable(method);
  }
}

const CHUNK = 1 << 18;

async function hashFile(path: string, size: number, algorithm: HashAlgorithm, signal: AbortSignal | undefined): Promise<Hash> {
  const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    const hasher = createHasher(algorithm);
    // One more than there should be, so that the first piece is the whole.
    const buffer = Buffer.allocUnsafe(Math.min(size + 1, CHUNK));
    for (;;) {
      signal?.throwIfAborted();
      const length = readSync(file, buffer, 0, buffer.length, null);
      hasher.update(buffer.subarray(0, length));
      if (length < buffer.length) break;
      await nextTurn();
    }
    return { algorithm, digest: hasher.digest() };
  } finally {
    closeSync(file);
  }
}
