import { lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { TsosError } from "../error/tsos-error.ts";
import { createHasher } from "../hash/hasher.ts";
import type { Hash } from "../hash/hash.ts";
import { byteStringToBytes, concatBytes, encodeUtf8, toByteString, type ByteString } from "../util/bytes.ts";
import { compareByteStrings } from "../util/ordering.ts";
import { showFsPath, toFsPath } from "./fs-path.ts";
import { MAX_NAR_DEPTH } from "./nar-token.ts";

type GitAlgorithm = "sha1" | "sha256";

/** The hash of a git object: of its kind, its size and its bytes. */
export function gitObjectHash(algorithm: GitAlgorithm, kind: "blob" | "tree", bytes: Uint8Array): Hash {
  const hasher = createHasher(algorithm);
  hasher.update(encodeUtf8(`${kind} ${bytes.length}\0`));
  hasher.update(bytes);
  return { algorithm, digest: hasher.digest() };
}

/**
 * The hash that git gives a file or a directory: the content address of the method `git`. A file is read
 * whole, since its size goes before its bytes.
 */
export function gitHashOfPath(path: string, algorithm: GitAlgorithm): Hash {
  return hashNode(toByteString(path), algorithm, 0).hash;
}

function hashNode(path: ByteString, algorithm: GitAlgorithm, depth: number): { readonly mode: string; readonly hash: Hash } {
  const stat = lstatSync(toFsPath(path));
  if (stat.isFile()) {
    const mode = (stat.mode & 0o100) === 0 ? "100644" : "100755";
    return { mode, hash: gitObjectHash(algorithm, "blob", readFileSync(toFsPath(path))) };
  }
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
  const children = readdirSync(toFsPath(path), "latin1").map((name) => ({ name, ...hashNode(`${path}/${name}`, algorithm, depth + 1) }));
  // Git sorts a directory as though its name ended in a slash.
  const key = ({ name, mode }: { name: ByteString; mode: string }): string => (mode === "40000" ? `${name}/` : name);
  children.sort((a, b) => compareByteStrings(key(a), key(b)));
  const tree = concatBytes(children.flatMap(({ name, mode, hash }) => [byteStringToBytes(`${mode} ${name}\0`), hash.digest]));
  return { mode: "40000", hash: gitObjectHash(algorithm, "tree", tree) };
}
