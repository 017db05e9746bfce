import { TsosError } from "../error/tsos-error.ts";
import { equalHashes, formatHash, hashBytes, type Hash } from "../hash/hash.ts";
import { createMeter } from "../hash/meter.ts";
import { dumpPath } from "../nar/dump-path.ts";
import { restorePath, restoreWhole } from "../nar/restore-path.ts";
import type { ContentAddress } from "../store-path/content-address.ts";
import { makeContentAddressedPath } from "../store-path/make-store-path.ts";
import { formatStorePath, storePathName } from "../store-path/store-path.ts";
import { canonicalisePath } from "./canonicalise.ts";
import { contentHashOfPath } from "./content-hash.ts";
import type { OpenStore } from "./open-store.ts";
import { lockStorePaths } from "./path-lock.ts";
import type { NewPathInfo } from "./path-info.ts";
import { hashModuloSelf } from "./register-build-outputs.ts";
import { replaceContents } from "./replace-contents.ts";
import type { AddOptions, NarSource } from "./store.ts";

/** Adds a path by its archive, see `Store.addNarToStore`; one that is valid stays as it is, but for a repair. */
export async function addNar(store: OpenStore, info: NewPathInfo, nar: NarSource, options: AddOptions): Promise<void> {
  const { layout, database } = store;
  await store.prepareToWrite();
  await store.temporaryRoots.add([info.path]);
  const known = store.isValid(info.path) ? database.findPathInfo(info.path) : undefined;
  if (known !== undefined && options.repair !== true) return;
  // First what may fail: who refers to an announced path waits until it is there or given up.
  const { file, release } = store.scratch.borrow();
  const announcement = store.announcements.announce(info.path);
  try {
    const contents = await receive(info, nar, file, layout.storeDir, options.signal);
    if (store.scratch.inheritsAttributes(file)) await canonicalisePath(file, options);
    if (info.contentAddress !== undefined) await checkContentAddress(info, info.contentAddress, file, contents, layout.storeDir);
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
}

/** Unpacks an archive that has the hash and size that it should. Gives the contents where it is of one file and was received in one piece. */
async function receive(info: NewPathInfo, nar: NarSource, file: string, storeDir: string, signal: AbortSignal | undefined): Promise<Uint8Array | undefined> {
  const whole = await nar.whole?.();
  if (whole !== undefined) {
    signal?.throwIfAborted();
    requireNar(info, { hash: hashBytes("sha256", whole), size: whole.length }, storeDir);
    return restoreWhole(whole, file);
  }
  const meter = createMeter("sha256", signal);
  await restorePath(meter.pass(nar), file);
  requireNar(info, meter.result(), storeDir);
  return undefined;
}

function requireNar(info: NewPathInfo, got: { readonly hash: Hash; readonly size: number }, storeDir: string): void {
  if (!equalHashes(got.hash, info.narHash) || got.size !== info.narSize) throw narMismatch(info, got, storeDir);
}

/** @param contents those of `file`, where they are at hand */
async function checkContentAddress(info: NewPathInfo, claimed: ContentAddress, file: string, contents: Uint8Array | undefined, storeDir: string): Promise<void> {
  const self = info.references.includes(info.path);
  const { method, hash: { algorithm } } = claimed;
  const got =
    self && method === "nar"
      ? await hashModuloSelf(dumpPath(file), info.path, algorithm)
      : method === "nar" && algorithm === "sha256"
        ? info.narHash
        : contents !== undefined && (method === "text" || method === "flat")
          ? hashBytes(algorithm, contents)
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
