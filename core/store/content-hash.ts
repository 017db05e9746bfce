import { createReadStream } from "node:fs";
import { lstat } from "node:fs/promises";
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
      if (!(await lstat(path)).isFile()) {
        throw new TsosError({
          code: "store.not-a-file",
          message: `"${path}" is not a regular file, which the method ${method} expects`,
          hint: 'hash folders and links with the method "nar" (outputHashMode = "recursive")',
          data: { path, method },
        });
      }
      const hasher = createHasher(algorithm);
      for await (const chunk of createReadStream(path, { signal: options.signal, highWaterMark: 1 << 18 })) hasher.update(chunk as Uint8Array);
      return { algorithm, digest: hasher.digest() };
    }
    case "git":
      return gitHashOfPath(path, algorithm, options);
    default:
      return unreachable(method);
  }
}
