import { chmodSync, closeSync, constants, fchmodSync, futimesSync, lutimesSync, mkdirSync, openSync, symlinkSync, utimesSync, writeSync } from "node:fs";
import { TsosError } from "../error/tsos-error.ts";
import { toByteString, type ByteString } from "../util/bytes.ts";
import { showFsPath, toFsPath } from "./fs-path.ts";
import { readNar, readWholeNar } from "./read-nar.ts";
import type { NarVisitor } from "./nar-visitor.ts";

/** The time stamp of everything in a store, in seconds: 1970-01-01 00:00:01. */
const STORE_TIME = 1;

/** Has the kernel write up to `size` bytes of a source to an open file; gives how many it wrote, 0 where it cannot. */
export type SendNext = (to: number, size: number) => number;

/** Fewer bytes are sooner read. */
const WORTH_SENDING = 1 << 20;

/** So many at once: nothing else happens meanwhile. */
const MAX_SENT = 64 << 20;

/**
 * Unpacks the archive `source` at `target`, which must not exist yet, with the modes and times of a store:
 * 0444, 0555 for what may be executed and for directories, 1 second after the epoch. Nothing is synced to
 * disk. What was written before an error stays; removing it is the caller's. Resolves to the archive's size.
 * `send`: writes what the source would give next.
 *
 * @throws TsosError `nar.*`; `nar.unwritable` naming the path.
 */
export async function restorePath(source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>, target: string, { send }: { readonly send?: SendNext | undefined } = {}): Promise<number> {
  using visitor = new RestoreVisitor(target);
  return await readNar(source, visitor, send === undefined ? undefined : (left) => (left < WORTH_SENDING ? 0 : visitor.receive(send, Math.min(left, MAX_SENT))));
}

/**
 * The same of an archive that is in memory. Gives the contents, a part of `archive`, where it is of one file.
 *
 * @throws TsosError as `restorePath`
 */
export function restoreWhole(archive: Uint8Array, target: string): Uint8Array | undefined {
  using visitor = new WholeVisitor(target);
  readWholeNar(archive, visitor);
  return visitor.file;
}

/** The visitor behind `restorePath`, for one that reads an archive for other ends at the same time. */
export class RestoreVisitor implements NarVisitor {
  readonly #target: ByteString;
  #fd: number | undefined;
  #current: ByteString = "";

  constructor(target: string) {
    this.#target = toByteString(target);
  }

  directory(path: ByteString): void {
    // Writable until its entries are there.
    this.#write(path, (file) => mkdirSync(file, 0o700));
  }

  endDirectory(path: ByteString): void {
    this.#write(path, (file) => {
      chmodSync(file, 0o555);
      utimesSync(file, STORE_TIME, STORE_TIME);
    });
  }

  symlink(path: ByteString, linkTarget: ByteString): void {
    this.#write(path, (file) => {
      symlinkSync(toFsPath(linkTarget), file);
      lutimesSync(file, STORE_TIME, STORE_TIME);
    });
  }

  regular(path: ByteString, executable: boolean): void {
    this.#write(path, (file) => {
      // Readable too: who lets the kernel copy contents hashes what arrived.
      const flags = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
      this.#fd = openSync(file, flags, 0o600);
      // Not left to open, which a umask would change.
      fchmodSync(this.#fd, executable ? 0o555 : 0o444);
    });
    this.#current = path;
  }

  contents(bytes: Uint8Array): void {
    const fd = this.#fd!;
    this.#write(this.#current, () => {
      for (let offset = 0; offset < bytes.length; ) offset += writeSync(fd, bytes, offset);
    });
  }

  /** Of the file whose contents come next. */
  get descriptor(): number {
    return this.#fd!;
  }

  /** The next `size` bytes of the current file's contents, by the kernel. @returns how many it wrote */
  receive(send: SendNext, size: number): number {
    return send(this.#fd!, size);
  }

  endRegular(path: ByteString): void {
    this.#write(path, () => {
      futimesSync(this.#fd!, STORE_TIME, STORE_TIME);
      this.#close();
    });
  }

  [Symbol.dispose](): void {
    this.#close();
  }

  #close(): void {
    if (this.#fd === undefined) return;
    const fd = this.#fd;
    this.#fd = undefined;
    closeSync(fd);
  }

  #write(path: ByteString, write: (file: string | Buffer) => void): void {
    const file = path === "" ? this.#target : `${this.#target}/${path}`;
    try {
      write(toFsPath(file));
    } catch (cause) {
      const reason = cause instanceof Error && "code" in cause ? String(cause.code) : String(cause);
      throw new TsosError({ code: "nar.unwritable", message: `cannot write "${showFsPath(file)}": ${reason}`, data: { path: showFsPath(file) }, cause });
    }
  }
}

/** Keeps what an archive of one file holds. */
class WholeVisitor extends RestoreVisitor {
  file: Uint8Array | undefined;

  override regular(path: ByteString, executable: boolean): void {
    super.regular(path, executable);
    if (path === "") this.file = new Uint8Array(0);
  }

  override contents(bytes: Uint8Array): void {
    super.contents(bytes);
    // In one piece, as the archive is.
    if (this.file !== undefined) this.file = bytes;
  }
}
