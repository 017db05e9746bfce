import { copyPath } from "../nar/copy-path.ts";
import { makeContentAddressedPath } from "../store-path/make-store-path.ts";
import type { StorePath } from "../store-path/store-path.ts";
import { compareByteStrings } from "../util/ordering.ts";
import { canonicalisePath } from "./canonicalise.ts";
import { contentHashOfPath } from "./content-hash.ts";
import type { OpenStore } from "./open-store.ts";
import type { NewPathInfo } from "./path-info.ts";
import type { AddPathOptions } from "./store.ts";

/** Copies a file or folder in, see `LocalStore.addPathToStore`. */
export async function addPath(store: OpenStore, name: string, source: string, options: AddPathOptions): Promise<StorePath> {
  const { method = "nar", algorithm = "sha256", references = [], signal, include } = options;
  await store.prepareToWrite();
  // A source that is there already, which is the usual case of an evaluation, is only read. Only what turns out
  // to be new is copied, and hashed again as it is copied: it may change in between.
  if (options.likelyNew !== true) {
    const expected = await computePath(store.layout.storeDir, name, source, options);
    await store.temporaryRoots.add([expected]);
    if (store.isValid(expected)) return expected;
  }
  const { file, release } = store.scratch.borrow();
  try {
    const { hash: narHash, size: narSize } = await copyPath(source, file, { signal, include });
    if (store.scratch.inheritsAttributes(file)) await canonicalisePath(file, { signal });
    const hash = method === "nar" && algorithm === "sha256" ? narHash : await contentHashOfPath(file, method, algorithm, { signal });
    const contentAddress = { method, hash };
    const path = makeContentAddressedPath(name, contentAddress, { others: references, self: false }, store.layout.storeDir);
    await store.temporaryRoots.add([path]);
    if (store.isValid(path)) return path;
    const info: NewPathInfo = { path, narHash, narSize, references: [...new Set(references)].sort(compareByteStrings), contentAddress };
    await store.register({ objects: [{ info, temporary: file }], locked: options.locked ?? false });
    await store.optimiseAdded([path]);
    return path;
  } finally {
    await release();
  }
}

/** Where `addPath` would put it, without putting it there. */
export async function computePath(storeDir: string, name: string, source: string, options: AddPathOptions): Promise<StorePath> {
  const { method = "nar", algorithm = "sha256", references = [], signal, include } = options;
  const hash = await contentHashOfPath(source, method, algorithm, { signal, include });
  return makeContentAddressedPath(name, { method, hash }, { others: references, self: false }, storeDir);
}
