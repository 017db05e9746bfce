import { closeSync, fstatSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, unlinkSync, writeSync, constants } from "node:fs";
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
    while (!tryLockDescriptor(this.#gcLock, "shared")) {
      if (await tellCollector(this.#layout.gcSocketDir, text)) {
        this.#record(added, text);
        return;
      }
      await sleep(20);
    }
    try {
      this.#record(added, text);
    } finally {
      unlockDescriptor(this.#gcLock);
    }
  }

  #record(added: readonly StorePath[], text: readonly string[]): void {
    if (this.#file === undefined) return;
    writeSync(this.#file.descriptor, text.map((path) => `${path}\0`).join(""));
    for (const path of added) this.#known.add(path);
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
  mkdirSync(folder, { recursive: true });
  // A process with our number in another PID namespace, or a second store in this process, holds its file's lock;
  // collectors read names up to what is no digit, so ours may have a suffix.
  for (let n = 0; ; n++) {
    const path = `${folder}/${process.pid}${n === 0 ? "" : `-${n}`}`;
    for (;;) {
      const descriptor = openSync(path, constants.O_CREAT | constants.O_RDWR | constants.O_APPEND, 0o600);
      if (!tryLockDescriptor(descriptor)) {
        closeSync(descriptor);
        break;
      }
      // Empty and linked: ours. Else it is left from a dead process, or a collector removed it just now.
      const stats = fstatSync(descriptor);
      if (stats.size === 0 && stats.nlink > 0) return { path, descriptor };
      if (stats.nlink > 0) unlinkSync(path);
      closeSync(descriptor);
    }
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
        if (options.keepStale) continue;
        unlinkSync(file);
        // Who opened it but did not get the lock yet sees that it is gone.
        writeSync(descriptor, "d");
        continue;
      }
      for (const text of readFileSync(descriptor, "latin1").split("\0")) {
        const path = text.slice(start);
        if (text.startsWith(`${layout.storeDir}/`) && isStorePathBaseName(path)) roots.push({ path, source: `{temp:${name}}` });
      }
    } finally {
      closeSync(descriptor);
    }
  }
  return roots;
}
