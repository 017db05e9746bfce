import { hash } from "node:crypto";
import { lstatSync, readdirSync, type Dirent, type Stats } from "node:fs";
import { toFsPath } from "../nar/fs-path.ts";
import type { NixFileKind } from "../nix/nix-io.ts";
import type { ByteString } from "../util/bytes.ts";

/**
 * What the file system says of a file or folder that changes with its contents: device, inode, size, and the times of the
 * last change of contents and of anything. The last one cannot be set by programs, so that whatever is written later
 * has another stamp, unless it happens in the same instant as the stamp is taken: `newest`, in milliseconds since 1970,
 * tells whether that is so.
 */
export type FileStamp = { readonly text: string; readonly newest: number };

/** Of a file or folder itself; undefined for anything else. @throws the system's error where there is nothing */
export function stampOf(path: ByteString): FileStamp | undefined {
  const stats = lstatSync(toFsPath(path));
  return stats.isFile() || stats.isDirectory() ? { text: describe(stats), newest: newestOf(stats) } : undefined;
}

/** Of anything that is there itself, a link too; undefined where there is nothing. */
export function findStamp(path: ByteString): (FileStamp & { readonly kind: NixFileKind }) | undefined {
  const stats = findStats(path);
  return stats === undefined ? undefined : { kind: fileKind(stats), text: describe(stats), newest: newestOf(stats) };
}

/** The same without the stamp. */
export function findKind(path: ByteString): NixFileKind | undefined {
  const stats = findStats(path);
  return stats === undefined ? undefined : fileKind(stats);
}

const MAY_BE_GONE = { throwIfNoEntry: false } as const;

function findStats(path: ByteString): Stats | undefined {
  try {
    return lstatSync(toFsPath(path), MAY_BE_GONE);
  } catch (error) {
    // A file where a folder should be.
    if (error instanceof Error && "code" in error && error.code === "ENOTDIR") return undefined;
    throw error;
  }
}

/**
 * Of a file, a link or all of a folder: what its archive depends on. Of what is `excluded` from that (paths, with their
 * kinds) nothing counts but that it is there, and of that kind.
 */
export function stampTree(path: ByteString, excluded: Readonly<Record<ByteString, NixFileKind>> = {}): FileStamp {
  const pieces: string[] = [];
  let newest = 0;
  const pending = [path];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const stats = lstatSync(toFsPath(next));
    const kind = Object.hasOwn(excluded, next) ? excluded[next] : undefined;
    if (kind !== undefined && kind === fileKind(stats)) {
      pieces.push(next.slice(path.length), kind);
      continue;
    }
    pieces.push(next.slice(path.length), describe(stats));
    newest = Math.max(newest, newestOf(stats));
    if (stats.isDirectory()) for (const name of readdirSync(toFsPath(next), "latin1").sort()) pending.push(`${next}/${name}`);
  }
  const text = pieces.join("\0");
  return { text: text.length < 200 ? text : hash("sha256", Buffer.from(text, "latin1")), newest };
}

/** As the language names it. */
export function fileKind(entry: Stats | Dirent): NixFileKind {
  return entry.isFile() ? "regular" : entry.isDirectory() ? "directory" : entry.isSymbolicLink() ? "symlink" : "unknown";
}

function describe({ dev, ino, mode, size, mtimeMs, ctimeMs }: Stats): string {
  return `${dev} ${ino} ${mode} ${size} ${mtimeMs} ${ctimeMs}`;
}

function newestOf({ mtimeMs, ctimeMs }: Stats): number {
  return Math.max(mtimeMs, ctimeMs);
}
