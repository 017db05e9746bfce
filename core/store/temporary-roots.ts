import { randomBytes } from "node:crypto";
import { closeSync, fstatSync, lstatSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, unlinkSync, writeSync, constants } from "node:fs";
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { formatStorePath, isStorePathBaseName, type StorePath } from "../store-path/store-path.ts";
import { openLockFile, tryLockDescriptor, unlockDescriptor } from "../util/file-lock.ts";
import type { StoreLayout } from "./store-layout.ts";
import type { Root } from "./store.ts";

/**
 * The paths that this process needs for now, written where a collector of any process looks.
 * The protocol is Nix's (libstore/gc.cc): a file named for the process and locked by it, and while a collector
 * runs (it holds `gc.lock`), a word to it over its socket.
 */
export class TemporaryRoots implements Disposable {
  readonly #layout: StoreLayout;
  readonly #known = new Set<StorePath>();
  #file: { readonly path: string; readonly descriptor: number } | undefined;
  #gcLock: number | undefined;

  constructor(layout: StoreLayout) {
    this.#layout = layout;
  }

  async add(paths: readonly StorePath[]): Promise<void> {
    const added = paths.filter((path) => !this.#known.has(path));
    if (added.length === 0) return;
    this.#file ??= openTemporaryRootsFile(this.#layout.temporaryRootsDir);
    this.#gcLock ??= openLockFile(this.#layout.gcLock);
    const text = added.map((path) => formatStorePath(path, this.#layout.storeDir));
    let isWritten = false;
    for (;;) {
      if (tryLockDescriptor(this.#gcLock, "shared")) {
        try {
          if (!isWritten) this.#write(text);
        } finally {
          unlockDescriptor(this.#gcLock);
        }
        break;
      }
      // Written before it is told: after the one that was told ends another may begin, which looks into the file only.
      if (!isWritten) this.#write(text);
      isWritten = true;
      if (await tellCollector(this.#layout.gcSocketDir, text)) break;
      await sleep(20);
    }
    // Not before: who asks for the same meanwhile must wait as well.
    for (const path of added) this.#known.add(path);
  }

  #write(text: readonly string[]): void {
    if (this.#file !== undefined) writeSync(this.#file.descriptor, text.map((path) => `${path}\0`).join(""));
  }

  [Symbol.dispose](): void {
    if (this.#file !== undefined) {
      rmSync(this.#file.path, { force: true });
      closeSync(this.#file.descriptor);
      this.#file = undefined;
    }
    if (this.#gcLock !== undefined) closeSync(this.#gcLock);
    this.#gcLock = undefined;
    this.#known.clear();
  }
}

function openTemporaryRootsFile(folder: string): { path: string; descriptor: number } {
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  for (;;) {
    // Never the same name twice: a collector that opened an earlier one of this process, and gets its lock when that is
    // closed, removes the name. Collectors read names up to what is no digit, so ours may have more after the number.
    const path = `${folder}/${process.pid}-${randomBytes(6).toString("hex")}`;
    const descriptor = openSync(path, constants.O_CREAT | constants.O_EXCL | constants.O_RDWR | constants.O_APPEND, 0o600);
    // A collector may have come between, and have removed it.
    if (tryLockDescriptor(descriptor) && fstatSync(descriptor).nlink > 0) return { path, descriptor };
    closeSync(descriptor);
  }
}

/** Names the paths to a running collector, each of which it acknowledges; false when there is none (any more). */
function tellCollector(socketDir: string, paths: readonly string[]): Promise<boolean> {
  return new Promise((resolve) => {
    let folder: number;
    try {
      folder = openSync(socketDir, constants.O_RDONLY | constants.O_DIRECTORY);
    } catch {
      resolve(false);
      return;
    }
    // A socket's address is short; through the descriptor the folder's own length does not count.
    const socket: Socket = connect(`/proc/self/fd/${folder}/socket`);
    let acknowledged = 0;
    const end = (told: boolean): void => {
      socket.destroy();
      resolve(told);
    };
    socket.on("connect", () => {
      closeSync(folder);
      folder = -1;
      socket.write(paths.map((path) => `${path}\n`).join(""));
    });
    socket.on("data", (bytes: Buffer) => {
      acknowledged += bytes.length;
      if (acknowledged >= paths.length) end(true);
    });
    socket.on("error", () => end(false));
    socket.on("close", () => {
      if (folder >= 0) closeSync(folder);
      resolve(acknowledged >= paths.length);
    });
  });
}

/** What living processes need. Files whose process is gone are removed, unless `keepStale`. */
export function findTemporaryRoots(layout: StoreLayout, options: { readonly keepStale?: boolean } = {}): Root[] {
  const roots: Root[] = [];
  let names: string[];
  try {
    names = readdirSync(layout.temporaryRootsDir);
  } catch {
    return roots;
  }
  const start = layout.storeDir.length + 1;
  for (const name of names) {
    if (name.startsWith(".")) continue;
    const file = `${layout.temporaryRootsDir}/${name}`;
    let descriptor: number;
    try {
      descriptor = openSync(file, constants.O_RDWR);
    } catch {
      continue;
    }
    try {
      if (tryLockDescriptor(descriptor)) {
        // The name may be another's file by now.
        if (options.keepStale || lstatSync(file, { throwIfNoEntry: false })?.ino !== fstatSync(descriptor).ino) continue;
        unlinkSync(file);
        // Who opened it but did not get the lock yet sees that it is gone.
        writeSync(descriptor, "d");
        continue;
      }
      for (const text of readFileSync(descriptor, "latin1").split("\0")) {
        const path = text.slice(start);
        if (text.startsWith(`${layout.storeDir}/`) && isStorePathBaseName(path)) roots.push({ path, source: `{temp:${parseInt(name, 10)}}` });
      }
    } finally {
      closeSync(descriptor);
    }
  }
  return roots;
}
