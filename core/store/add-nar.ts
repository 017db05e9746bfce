import { TsosError } from "../error/tsos-error.ts";
import { equalHashes, formatHash, type Hash } from "../hash/hash.ts";
import { createMeter } from "../hash/meter.ts";
import { dumpPath } from "../nar/dump-path.ts";
import { restorePath } from "../nar/restore-path.ts";
import { makeContentAddressedPath } from "../store-path/make-store-path.ts";
import { formatStorePath, storePathName } from "../store-path/store-path.ts";
import { canonicalisePath } from "./canonicalise.ts";
import { contentHashOfPath } from "./content-hash.ts";
import type { OpenStore } from "./open-store.ts";
import { lockStorePaths } from "./path-lock.ts";
import type { NewPathInfo, ValidPathInfo } from "./path-info.ts";
import { hashModuloSelf } from "./register-build-outputs.ts";
import { replaceContents } from "./replace-contents.ts";
import type { AddOptions } from "./store.ts";

/**
 * Adds a path by its archive, see `Store.addNarToStore`.
 *
 * @returns the path's facts when it was valid before and stays as it is; undefined when it was added or replaced
 */
export async function addNar(store: OpenStore, info: NewPathInfo, nar: AsyncIterable<Uint8Array>, options: AddOptions): Promise<ValidPathInfo | undefined> {
  const { layout, database } = store;
  await store.prepareToWrite();
  await store.temporaryRoots.add([info.path]);
  const known = store.isValid(info.path) ? database.findPathInfo(info.path) : undefined;
  if (known !== undefined && options.repair !== true) return known;
  // First what may fail: who refers to an announced path waits until it is there or given up.
  const { file, release } = store.scratch.borrow();
  const announcement = store.announcements.announce(info.path);
  try {
    const meter = createMeter("sha256", options.signal);
    await restorePath(meter.pass(nar), file);
    const got = meter.result();
    if (!equalHashes(got.hash, info.narHash) || got.size !== info.narSize) throw narMismatch(info, got, layout.storeDir);
    if (store.scratch.inheritsAttributes(file)) await canonicalisePath(file, options);
    await checkContentAddress(info, file, layout.storeDir);
    options.onReceived?.();
    await options.after?.();
    await announcement.after(info.references);
    options.signal?.throwIfAborted();
    if (known === undefined) {
      const registered = store.register({ objects: [{ info, temporary: file }], locked: options.locked ?? false, patient: options.patient });
      announcement.end();
      options.onQueued?.();
      await registered;
    } else {
      await using _locks = options.locked === true ? undefined : await lockStorePaths(layout.realStoreDir, [info.path], { wait: true, signal: options.signal });
      await replaceContents(layout, database, known, info, file);
    }
  } finally {
    announcement.end();
    await release();
  }
  await store.optimiseAdded([info.path]);
  return undefined;
}

async function checkContentAddress(info: NewPathInfo, file: string, storeDir: string): Promise<void> {
  const claimed = info.contentAddress;
  if (claimed === undefined) return;
  const self = info.references.includes(info.path);
  const { method, hash: { algorithm } } = claimed;
  const got =
    self && method === "nar"
      ? await hashModuloSelf(dumpPath(file), info.path, algorithm)
      : method === "nar" && algorithm === "sha256"
        ? info.narHash
        : await contentHashOfPath(file, method, algorithm);
  const others = info.references.filter((path) => path !== info.path);
  const path = makeContentAddressedPath(storePathName(info.path), claimed, { others, self }, storeDir);
  if (equalHashes(got, claimed.hash) && path === info.path) return;
  // Nix 2.17 to 2.34 leave out where a path names itself.
  if (self && method === "nar" && path === info.path && equalHashes(await hashModuloSelf(dumpPath(file), info.path, algorithm, { withPositions: false }), claimed.hash)) return;
  const data = { path: formatStorePath(info.path, storeDir), wanted: formatHash(claimed.hash, "sri"), got: formatHash(got, "sri") };
  throw new TsosError({
    code: "store.hash-mismatch",
    message: `the contents of "${data.path}" have the hash "${data.got}", expected "${data.wanted}" by its content address`,
    data,
  });
}

function narMismatch(info: NewPathInfo, got: { readonly hash: Hash; readonly size: number }, storeDir: string): TsosError {
  const data = {
    path: formatStorePath(info.path, storeDir),
    wanted: formatHash(info.narHash, "sri"),
    got: formatHash(got.hash, "sri"),
    wantedSize: info.narSize,
    gotSize: got.size,
  };
  return new TsosError({
    code: "store.hash-mismatch",
    message: `the archive for "${data.path}" has the hash "${data.got}" and ${got.size} bytes, expected "${data.wanted}" and ${info.narSize} bytes`,
    data,
  });
}
