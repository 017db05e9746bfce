import { closeSync, constants, fchmodSync, futimesSync, openSync, writeSync } from "node:fs";
import { hashBytes, type Hash } from "../hash/hash.ts";
import { createHasher } from "../hash/hasher.ts";
import { writeNar } from "../nar/write-nar.ts";
import { makeTextPath } from "../store-path/make-store-path.ts";
import { isDerivationPath, type StorePath } from "../store-path/store-path.ts";
import { byteStringToBytes } from "../util/bytes.ts";
import { compareByteStrings } from "../util/ordering.ts";
import { CANONICAL_TIME } from "./canonicalise.ts";
import type { OpenStore } from "./open-store.ts";
import type { NewPathInfo } from "./path-info.ts";
import type { AddOptions, TextToAdd } from "./store.ts";

/** Adds a text by its contents, see `LocalStore.addTextToStore`. */
export async function addText(store: OpenStore, { name, contents, references }: TextToAdd, options: AddOptions): Promise<StorePath> {
  const bytes = typeof contents === "string" ? byteStringToBytes(contents) : contents;
  const hash = hashBytes("sha256", bytes);
  const path = makeTextPath({ name, hash, references, storeDir: store.layout.storeDir });
  const announcement = store.announcements.announce(path);
  try {
    await store.prepareToWrite();
    await store.temporaryRoots.add([path]);
    if (store.isValid(path)) return path;
    await announcement.after(references);
    options.signal?.throwIfAborted();
    const { narHash, narSize } = describeText(bytes);
    const info: NewPathInfo = {
      path,
      narHash,
      narSize,
      references: [...new Set(references)].sort(compareByteStrings),
      contentAddress: { method: "text", hash },
    };
    const outputs = isDerivationPath(path) ? store.knownOutputs(path, bytes, options) : [];
    const { file, release } = store.scratch.borrow();
    try {
      writeCanonicalFile(file, bytes);
      const registered = store.queue.add({
        objects: [{ info, temporary: file, small: true }],
        locked: options.locked ?? false,
        also: outputs.length === 0 ? undefined : (database) => database.addDerivationOutputs(path, outputs),
      });
      announcement.end();
      await registered;
    } finally {
      await release();
    }
    return path;
  } finally {
    announcement.end();
  }
}

/** The hash and size of the archive of a file that holds `contents`. */
export function describeText(contents: Uint8Array): { readonly narHash: Hash; readonly narSize: number } {
  const hasher = createHasher("sha256");
  let narSize = 0;
  for (const part of writeNar({ kind: "regular", executable: false, contents })) {
    hasher.update(part);
    narSize += part.length;
  }
  return { narHash: { algorithm: "sha256", digest: hasher.digest() }, narSize };
}

function writeCanonicalFile(file: string, contents: Uint8Array): void {
  const descriptor = openSync(file, constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY, 0o600);
  try {
    for (let written = 0; written < contents.length; ) written += writeSync(descriptor, contents, written);
    // Without regard to the umask.
    fchmodSync(descriptor, 0o444);
    futimesSync(descriptor, CANONICAL_TIME, CANONICAL_TIME);
  } finally {
    closeSync(descriptor);
  }
}
