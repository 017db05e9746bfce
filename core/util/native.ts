import { closeSync } from "node:fs";
import { libc } from "./libc.ts";

/** What Node lacks and the store needs of libc. Each throws an error shaped like Node's own (`code`, `errno`, `syscall`). */
export type Native = {
  /** `operation` of `LOCK`; false when it has `nonBlocking` and another holds the lock. */
  flock(descriptor: number, operation: number): boolean;
  /** Everything written to the file system of `descriptor` is on disk after it; runs in a thread. */
  syncFileSystem(descriptor: number): Promise<void>;
  /**
   * Has the kernel copy up to `size` bytes from where one open file is read next to where another is written next, without
   * writing what the file system can share; runs in a thread. Gives how many it copied: 0 where it cannot. Why, the caller
   * learns by reading and writing the rest itself.
   */
  copyRange(from: number, to: number, size: number): Promise<number>;
  /** Has what was written to a part of an open file begin to go to the disk, which says nothing of when it is there; runs in a thread. */
  beginWriting(descriptor: number, offset: number, size: number): Promise<void>;
  /**
   * Has the process's table of descriptors made large enough for so many, in a thread. The kernel lets who opens a file wait
   * each time it must double the table of a process with threads, 5 to 15 ms.
   */
  makeRoomForDescriptors(count: number): void;
  /** Has the file system set so much aside for an open file. @returns false where it cannot */
  allocate(descriptor: number, size: number): boolean;
  /** Names of the extended attributes, links not followed; none where the file system has none. */
  listExtendedAttributes(file: string | Uint8Array): readonly string[];
  removeExtendedAttribute(file: string | Uint8Array, name: string): void;
  /** Each of two files gets the other's name, at once. @throws with `ENOENT` where one is absent, `EINVAL` where the file system cannot */
  exchange(a: string, b: string): void;
};

/** `flock`'s operations, the same on every Linux. */
export const LOCK = { shared: 1, exclusive: 2, nonBlocking: 4, unlock: 8 } as const;

let loaded: Native | undefined;

/** The calls, bound at the first use, which opening a store must not pay. */
export function native(): Native {
  return (loaded ??= bind());
}

const AT_FDCWD = -100;
const F_DUPFD_CLOEXEC = 1030;
const RENAME_EXCHANGE = 2;
const SYNC_FILE_RANGE_WRITE = 2;
const EINTR = 4;
const EAGAIN = 11;
const ENODATA = 61;
const EOPNOTSUPP = 95;

function bind(): Native {
  const { bind: bound, errno, error } = libc();
  const flock = bound("int flock(int descriptor, int operation)");
  const syncfs = bound("int syncfs(int descriptor)");
  const copyFileRange = bound("intptr_t copy_file_range(int from, void *fromOffset, int to, void *toOffset, size_t size, unsigned int flags)");
  const syncFileRange = bound("int sync_file_range(int descriptor, int64_t offset, int64_t size, unsigned int flags)");
  const fcntl = bound("int fcntl(int descriptor, int command, long argument)");
  const posixFallocate = bound("int posix_fallocate(int descriptor, int64_t offset, int64_t size)");
  const llistxattr = bound("intptr_t llistxattr(const uint8_t *path, _Out_ uint8_t *list, size_t size)");
  const renameat2 = bound("int renameat2(int oldFolder, const uint8_t *oldPath, int newFolder, const uint8_t *newPath, unsigned int flags)");
  const lremovexattr = bound("int lremovexattr(const uint8_t *path, const char *name)");

  /** Paths may be any bytes, so they go as bytes with the closing zero of C. */
  const path = (file: string | Uint8Array): Uint8Array => {
    const bytes = typeof file === "string" ? Buffer.from(file) : file;
    const terminated = new Uint8Array(bytes.length + 1);
    terminated.set(bytes);
    return terminated;
  };
  const list = new Uint8Array(65_536);

  return {
    flock(descriptor, operation) {
      while (flock(descriptor, operation) !== 0) {
        if (errno() === EAGAIN && operation & LOCK.nonBlocking) return false;
        if (errno() !== EINTR) throw error("flock", String(descriptor));
      }
      return true;
    },
    syncFileSystem(descriptor) {
      return new Promise((resolve, reject) => {
        syncfs.async(descriptor, (failure: unknown, result: number) => {
          if (failure) reject(failure);
          // The thread's errno is not ours to read; a failed sync is an input or output error by its manual page.
          else if (result !== 0) reject(Object.assign(new Error(`EIO: syncfs of "${descriptor}" failed`), { code: "EIO", syscall: "syncfs" }));
          else resolve();
        });
      });
    },
    copyRange(from, to, size) {
      return new Promise((resolve, reject) => {
        copyFileRange.async(from, null, to, null, size, 0, (failure: unknown, copied: number | bigint) => (failure ? reject(failure) : resolve(Math.max(0, Number(copied)))));
      });
    },
    beginWriting(descriptor, offset, size) {
      return new Promise((resolve, reject) => {
        // Where it fails, syncing does it all, and says what is wrong.
        syncFileRange.async(descriptor, offset, size, SYNC_FILE_RANGE_WRITE, (failure: unknown) => (failure ? reject(failure) : resolve()));
      });
    },
    makeRoomForDescriptors(count) {
      // A second descriptor of the error output, above so many others. Where there may not be as many, the table grows as it is used.
      fcntl.async(2, F_DUPFD_CLOEXEC, count, (failure: unknown, descriptor: number) => {
        if (!failure && descriptor >= 0) closeSync(descriptor);
      });
    },
    allocate: (descriptor, size) => posixFallocate(descriptor, 0, size) === 0,
    listExtendedAttributes(file) {
      const size = llistxattr(path(file), list, list.length) as number;
      if (size < 0) {
        if (errno() === EOPNOTSUPP || errno() === ENODATA) return [];
        throw error("llistxattr", String(file));
      }
      return size === 0 ? [] : Buffer.from(list.buffer, 0, size - 1).toString("latin1").split("\0");
    },
    removeExtendedAttribute(file, name) {
      if (lremovexattr(path(file), name) !== 0 && errno() !== ENODATA) throw error("lremovexattr", String(file));
    },
    exchange(a, b) {
      if (renameat2(AT_FDCWD, path(a), AT_FDCWD, path(b), RENAME_EXCHANGE) !== 0) throw error("renameat2", b);
    },
  };
}
