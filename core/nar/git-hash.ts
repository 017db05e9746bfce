import { closeSync, constants, fstatSync, lstatSync, openSync, readdirSync, readlinkSync, readSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import { TsosError } from "../error/tsos-error.ts";
import { createHasher } from "../hash/hasher.ts";
import type { Hash } from "../hash/hash.ts";
import type { HashAlgorithm } from "../hash/hash-algorithm.ts";
import { byteStringToBytes, concatBytes, encodeUtf8, toByteString, type ByteString } from "../util/bytes.ts";
import { compareByteStrings } from "../util/ordering.ts";
import { showFsPath, toFsPath } from "./fs-path.ts";
import { MAX_NAR_DEPTH } from "./nar-token.ts";

type GitHashOptions = { readonly signal?: AbortSignal | undefined };

/** The hash of a git object: of its kind, its size and its bytes. */
export function gitObjectHash(algorithm: HashAlgorithm, kind: "blob" | "tree", bytes: Uint8Array): Hash {
  const hasher = createHasher(algorithm);
  hasher.update(encodeUtf8(`${kind} ${bytes.length}\0`));
  hasher.update(bytes);
  return { algorithm, digest: hasher.digest() };
}

/**
 * The id that git gives a file (a blob) or a folder (a tree): the content address of the method `git`. Empty
 * folders count, as in Nix.
 *
 * @throws TsosError `nar.unsupported-file`, `nar.file-changed`
 */
export async function gitHashOfPath(path: string, algorithm: HashAlgorithm, options: GitHashOptions = {}): Promise<Hash> {
  return (await hashNode(toByteString(path), algorithm, 0, options)).hash;
}

async function hashNode(path: ByteString, algorithm: HashAlgorithm, depth: number, options: GitHashOptions): Promise<{ readonly mode: string; readonly hash: Hash }> {
  options.signal?.throwIfAborted();
  const stat = lstatSync(toFsPath(path));
  if (stat.isFile()) return hashFile(path, algorithm, options);
  if (stat.isSymbolicLink()) {
    return { mode: "120000", hash: gitObjectHash(algorithm, "blob", byteStringToBytes(readlinkSync(toFsPath(path), "latin1"))) };
  }
  if (!stat.isDirectory() || depth >= MAX_NAR_DEPTH) {
    throw new TsosError({
      code: "nar.unsupported-file",
      message: `"${showFsPath(path)}" is ${stat.isDirectory() ? `nested deeper than ${MAX_NAR_DEPTH}` : "neither a file, a directory nor a symbolic link"}`,
      data: { path: showFsPath(path) },
    });
  }
  const entries: { readonly key: ByteString; readonly bytes: Uint8Array }[] = [];
  for (const name of readdirSync(toFsPath(path), "latin1")) {
    const { mode, hash } = await hashNode(`${path}/${name}`, algorithm, depth + 1, options);
    // Git sorts a directory as though its name ended in a slash.
    entries.push({ key: mode === "40000" ? `${name}/` : name, bytes: concatBytes([byteStringToBytes(`${mode} ${name}\0`), hash.digest]) });
  }
  entries.sort((a, b) => compareByteStrings(a.key, b.key));
  return { mode: "40000", hash: gitObjectHash(algorithm, "tree", concatBytes(entries.map(({ bytes }) => bytes))) };
}

const CHUNK = 1 << 18;

/** In pieces: its size goes before its bytes, and must stay true. */
async function hashFile(path: ByteString, algorithm: HashAlgorithm, { signal }: GitHashOptions): Promise<{ readonly mode: string; readonly hash: Hash }> {
  const descriptor = openSync(toFsPath(path), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const { size, mode } = fstatSync(descriptor);
    const hasher = createHasher(algorithm);
    hasher.update(encodeUtf8(`blob ${size}\0`));
    const buffer = new Uint8Array(Math.min(size, CHUNK));
    let done = 0;
    for (let read = -1; read !== 0 && done <= size; done += read) {
      read = readSync(descriptor, buffer, 0, buffer.length, null);
      hasher.update(buffer.subarray(0, read));
      if (read === CHUNK) {
        await setImmediate();
        signal?.throwIfAborted();
      }
    }
    if (done !== size) throw new TsosError({ code: "nar.file-changed", message: `"${showFsPath(path)}" changed while it was read`, data: { path: showFsPath(path) } });
    return { mode: (mode & 0o100) === 0 ? "100644" : "100755", hash: { algorithm, digest: hasher.digest() } };
  } finally {
    closeSync(descriptor);
  }
}
