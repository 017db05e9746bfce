import { createReadStream, lstatSync, readlinkSync } from "node:fs";
import type { Hash } from "../hash/hash.ts";
import type { HashAlgorithm } from "../hash/hash-algorithm.ts";
import { createHasher } from "../hash/hasher.ts";
import { toFsPath } from "../nar/fs-path.ts";
import { byteStringToBytes, concatBytes, encodeUtf8, toByteString, type ByteString } from "../util/bytes.ts";
import { compareByteStrings } from "../util/ordering.ts";
import { listFolder } from "./file-tree.ts";

/** The id that git would give the file (a blob) or folder (a tree) at `path`. Empty folders count, as in Nix. */
export async function gitHashOfPath(
  path: string,
  algorithm: HashAlgorithm,
  options: { readonly signal?: AbortSignal | undefined } = {},
): Promise<Hash> {
  return { algorithm, digest: (await hashEntry(toByteString(path), algorithm, options.signal)).digest };
}

type GitEntry = { readonly mode: string; readonly digest: Uint8Array };

async function hashEntry(file: ByteString, algorithm: HashAlgorithm, signal: AbortSignal | undefined): Promise<GitEntry> {
  signal?.throwIfAborted();
  const stats = lstatSync(toFsPath(file));
  if (stats.isSymbolicLink()) {
    return { mode: "120000", digest: hashObject("blob", readlinkSync(toFsPath(file), "buffer"), algorithm) };
  }
  if (stats.isDirectory()) {
    const entries: { readonly key: ByteString; readonly bytes: Uint8Array }[] = [];
    for (const name of listFolder(file)) {
      const { mode, digest } = await hashEntry(`${file}/${name}`, algorithm, signal);
      // Git sorts a folder as if its name ended in a slash.
      entries.push({ key: mode === "40000" ? `${name}/` : name, bytes: concatBytes([byteStringToBytes(`${mode} ${name}\0`), digest]) });
    }
    entries.sort((a, b) => compareByteStrings(a.key, b.key));
    return { mode: "40000", digest: hashObject("tree", concatBytes(entries.map((entry) => entry.bytes)), algorithm) };
  }
  const hasher = createHasher(algorithm);
  hasher.update(encodeUtf8(`blob ${stats.size}\0`));
  for await (const chunk of createReadStream(toFsPath(file))) hasher.update(chunk as Uint8Array);
  return { mode: (stats.mode & 0o100) === 0 ? "100644" : "100755", digest: hasher.digest() };
}

function hashObject(kind: "blob" | "tree", contents: Uint8Array, algorithm: HashAlgorithm): Uint8Array {
  const hasher = createHasher(algorithm);
  hasher.update(encodeUtf8(`${kind} ${contents.length}\0`));
  hasher.update(contents);
  return hasher.digest();
}
