import { closeSync, constants, fstatSync, lstatSync, openSync, readdirSync, readlinkSync, readSync, type Dirent, type Stats } from "node:fs";
import { setImmediate } from "node:timers/promises";
import { TsosError } from "../error/tsos-error.ts";
import { createHasher } from "../hash/hasher.ts";
import type { Hash } from "../hash/hash.ts";
import type { HashAlgorithm } from "../hash/hash-algorithm.ts";
import { toByteString, type ByteString } from "../util/bytes.ts";
import { compareByteStrings } from "../util/ordering.ts";
import { unreachable } from "../util/unreachable.ts";
import { showFsPath, toFsPath } from "./fs-path.ts";
import { NAR_BLOCKS } from "./nar-block.ts";
import { MAX_NAR_DEPTH, MAX_NAR_TARGET, paddedLength, writeNarLength } from "./nar-token.ts";

export type DumpOptions = {
  readonly signal?: AbortSignal | undefined;
  /** Whether what lies below the path goes along, asked in the archive's order; default: all. */
  readonly include?: IncludePath | undefined;
  /** Each chunk is written over the last one: for who is done with it before asking for the next. */
  readonly lend?: boolean | undefined;
  /**
   * Takes up to `size` bytes of an open file, from where it is read next, to where the chunks go, which all that was
   * yielded has reached by then; gives how many it took. Asked for large files; empty chunks are yielded in between.
   */
  readonly send?: ((descriptor: number, size: number) => number) | undefined;
};

/** `path`: of the entry itself, below the one that is dumped. */
export type IncludePath = (path: ByteString, kind: "regular" | "directory" | "symlink" | "unknown") => boolean;

/** Large enough that system calls and hashing are few, small enough for the second-level cache. */
const CHUNK = 1 << 18;

/**
 * Above all that is written between two checks of the room left: the longest token, the fixed ones around it,
 * and the ends of as many directories as may be open.
 */
const MARGIN = MAX_NAR_TARGET + 1024 + 32 * MAX_NAR_DEPTH;

/** From this size on a file's contents are left to the kernel, and so much of them sent at once. */
export const SEND_FROM = 1 << 20;
const SEND_AT_ONCE = 1 << 24;

/** How long the event loop may wait, in milliseconds: for signals and progress. */
export const PAUSE_AFTER = 20;

/**
 * The archive of the file tree at `path`. Each chunk is the consumer's own, unless they are lent.
 *
 * @throws TsosError `nar.unsupported-file`, `nar.file-changed`, `nar.unreadable`.
 */
export async function* dumpPath(path: string, options: DumpOptions = {}): AsyncGenerator<Uint8Array> {
  options.signal?.throwIfAborted();
  let last = performance.now();
  for (const item of dumpItems(toByteString(path), options.lend ?? false, options.include, options.send === undefined ? Infinity : SEND_FROM)) {
    if (item instanceof Uint8Array) yield item;
    else for (let sent = -1; sent !== 0 && item.taken < item.size; item.taken += sent) {
      sent = options.send!(item.descriptor, Math.min(item.size - item.taken, SEND_AT_ONCE));
      if (sent > 0) yield NOTHING;
    }
    if (performance.now() - last > PAUSE_AFTER) {
      await setImmediate();
      options.signal?.throwIfAborted();
      last = performance.now();
    }
  }
}

/** The hash and size of `dumpPath`'s archive. */
export async function narHashOfPath(
  path: string,
  options: DumpOptions & { readonly algorithm?: HashAlgorithm | undefined } = {},
): Promise<{ readonly hash: Hash; readonly size: number }> {
  const algorithm = options.algorithm ?? "sha256";
  const hasher = createHasher(algorithm);
  let size = 0;
  options.signal?.throwIfAborted();
  let last = performance.now();
  for (const chunk of dumpChunks(toByteString(path), options.include)) {
    hasher.update(chunk);
    size += chunk.length;
    if (performance.now() - last > PAUSE_AFTER) {
      await setImmediate();
      options.signal?.throwIfAborted();
      last = performance.now();
    }
  }
  return { hash: { algorithm, digest: hasher.digest() }, size };
}

/** `narHashOfPath` for who cannot wait for a promise: an evaluation of the Nix language. */
export function narHashOfPathSync(path: ByteString, options: { readonly algorithm?: HashAlgorithm | undefined; readonly include?: IncludePath | undefined } = {}): { readonly hash: Hash; readonly size: number } {
  const algorithm = options.algorithm ?? "sha256";
  const hasher = createHasher(algorithm);
  let size = 0;
  for (const chunk of dumpChunks(path, options.include)) {
    hasher.update(chunk);
    size += chunk.length;
  }
  return { hash: { algorithm, digest: hasher.digest() }, size };
}

const NOTHING = new Uint8Array(0);

/** `isOpen`: an entry of it was begun and not yet closed. */
type Directory = { readonly path: ByteString; readonly entries: readonly Dirent[]; index: number; isOpen: boolean };

type Kind = "regular" | "directory" | "symlink";

/** The contents of an open file, `size` bytes of them, of which the consumer takes as many as it says: all, or from the first on. */
export type DumpedContents = { readonly descriptor: number; readonly size: number; taken: number };

function dumpChunks(path: ByteString, include: IncludePath | undefined): Generator<Uint8Array> {
  // None is offered.
  return dumpItems(path, true, include, Infinity) as Generator<Uint8Array>;
}

/**
 * The archive's chunks, with synchronous calls: a promise a file costs more than the file. `reuse` writes each chunk over
 * the last one, for a consumer that is done with it before it asks for the next. The contents of files from `offerFrom`
 * bytes on are offered open, after all that stands before them; what is not taken comes in chunks.
 */
export function* dumpItems(path: ByteString, reuse: boolean, include: IncludePath | undefined, offerFrom: number): Generator<Uint8Array | DumpedContents> {
  let buffer = Buffer.allocUnsafeSlow(CHUNK);
  let position = 0;
  const put = (block: Uint8Array): void => {
    buffer.set(block, position);
    position += block.length;
  };
  const putPadding = (length: number): void => {
    const end = position + paddedLength(length) - length;
    while (position < end) buffer[position++] = 0;
  };
  const putString = (text: ByteString): void => {
    writeNarLength(buffer, position, text.length);
    buffer.write(text, position + 8, "latin1");
    position += 8 + text.length;
    putPadding(text.length);
  };
  const takeBuffer = (): Uint8Array => {
    const full = buffer.subarray(0, position);
    if (!reuse) buffer = Buffer.allocUnsafeSlow(CHUNK);
    position = 0;
    return full;
  };

  put(NAR_BLOCKS.start);
  const directories: Directory[] = [];
  let current = path;
  let kind = kindOf(current, reading(current, () => lstatSync(toFsPath(current))));
  for (;;) {
    switch (kind) {
      case "directory":
        put(NAR_BLOCKS.directory);
        directories.push({ path: current, entries: readDirectory(current), index: 0, isOpen: false });
        break;
      case "symlink":
        put(NAR_BLOCKS.symlink);
        putString(reading(current, () => readlinkSync(toFsPath(current), "latin1")));
        put(NAR_BLOCKS.close);
        break;
      case "regular": {
        // O_NOFOLLOW: what was a file when its folder was read may be a link by now.
        const fd = reading(current, () => openSync(toFsPath(current), constants.O_RDONLY | constants.O_NOFOLLOW));
        try {
          const stat = fstatSync(fd);
          if (!stat.isFile()) throw changed(current);
          put((stat.mode & 0o100) === 0 ? NAR_BLOCKS.regular : NAR_BLOCKS.executable);
          writeNarLength(buffer, position, stat.size);
          position += 8;
          let remaining = stat.size;
          if (remaining >= offerFrom) {
            yield takeBuffer();
            const contents: DumpedContents = { descriptor: fd, size: remaining, taken: 0 };
            yield contents;
            remaining -= contents.taken;
          }
          while (remaining > 0) {
            if (position === buffer.length) yield takeBuffer();
            const wanted = Math.min(remaining, buffer.length - position);
            const read = reading(current, () => readSync(fd, buffer, position, wanted, null));
            if (read === 0) throw changed(current);
            position += read;
            remaining -= read;
          }
          if (buffer.length - position < MARGIN) yield takeBuffer();
          putPadding(stat.size);
        } finally {
          closeSync(fd);
        }
        put(NAR_BLOCKS.close);
        break;
      }
      default:
        unreachable(kind);
    }

    const next = nextEntry();
    if (next === undefined) break;
    if (buffer.length - position < MARGIN) yield takeBuffer();
    if (directories.length >= MAX_NAR_DEPTH) {
      throw new TsosError({
        code: "nar.too-deep",
        message: `"${showFsPath(current)}" is nested ${MAX_NAR_DEPTH} deep, expected less for an archive`,
        data: { path: showFsPath(current) },
      });
    }
    put(NAR_BLOCKS.entry);
    putString(next.name);
    put(NAR_BLOCKS.node);
    kind = kindOf(current, next);
  }
  if (position > 0) yield takeBuffer();

  /** Makes the next entry the current one, and closes the directories that have no more on the way. */
  function nextEntry(): Dirent | undefined {
    for (let top = directories.at(-1); top !== undefined; top = directories.at(-1)) {
      if (top.isOpen) put(NAR_BLOCKS.close);
      top.isOpen = false;
      while (top.index < top.entries.length) {
        const entry = top.entries[top.index++]!;
        const path = `${top.path}/${entry.name}`;
        if (include !== undefined && !include(path, filterKindOf(entry))) continue;
        top.isOpen = true;
        current = path;
        return entry;
      }
      put(NAR_BLOCKS.close);
      directories.pop();
    }
    return undefined;
  }
}

/** Sorted by bytes: in latin1 each byte is a character. */
function readDirectory(path: ByteString): readonly Dirent[] {
  const entries = reading(path, () => readdirSync(toFsPath(path), { withFileTypes: true, encoding: "latin1" }));
  return entries.sort((a, b) => compareByteStrings(a.name, b.name));
}

function filterKindOf(entry: Dirent): Parameters<IncludePath>[1] {
  return entry.isFile() ? "regular" : entry.isDirectory() ? "directory" : entry.isSymbolicLink() ? "symlink" : "unknown";
}

function kindOf(path: ByteString, entry: Dirent | Stats): Kind {
  if (entry.isFile()) return "regular";
  if (entry.isDirectory()) return "directory";
  if (entry.isSymbolicLink()) return "symlink";
  throw new TsosError({
    code: "nar.unsupported-file",
    message: `"${showFsPath(path)}" is neither a file, a directory nor a symbolic link`,
    hint: "sockets, devices and pipes have no place in an archive",
    data: { path: showFsPath(path) },
  });
}

function changed(path: ByteString): TsosError {
  return new TsosError({ code: "nar.file-changed", message: `"${showFsPath(path)}" changed while it was read`, data: { path: showFsPath(path) } });
}

function reading<T>(path: ByteString, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    const reason = cause instanceof Error && "code" in cause ? String(cause.code) : String(cause);
    throw new TsosError({ code: "nar.unreadable", message: `cannot read "${showFsPath(path)}": ${reason}`, data: { path: showFsPath(path) }, cause });
  }
}
