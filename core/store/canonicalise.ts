import { lchownSync, lutimesSync, type Stats } from "node:fs";
import { TsosError } from "../error/tsos-error.ts";
import { toFsPath } from "../nar/fs-path.ts";
import { native } from "../util/native.ts";
import { changeMode, walkTree, type VisitFile } from "./file-tree.ts";

/** Set by the kernel or the security policy, not by a builder. Nix: the setting ignored-acls. */
const KEPT_ATTRIBUTES: ReadonlySet<string> = new Set(["security.csm", "security.selinux", "system.nfs4_acl"]);

/** Every file of a store has this modification time, in seconds. */
export const CANONICAL_TIME = 1;

/**
 * Gives a tree the metadata of all store objects: modification time 1, modes 0444 and 0555 (executable for its
 * owner → for all), so neither setuid nor write bits, this process's user as owner, no extended attributes or
 * access lists. What has it already is left untouched, so a second call is cheap, and hard links to files of the
 * store stay as they are.
 *
 * @throws TsosError `store.special-file` for anything but files, folders and symbolic links
 */
export async function canonicalisePath(root: string, options: { readonly signal?: AbortSignal | undefined } = {}): Promise<void> {
  const canonicalise = createCanonicaliser();
  await walkTree(root, canonicalise, options);
}

/**
 * Whether what is made in `folder` could inherit attributes from it. What `restorePath` makes elsewhere has the right times
 * and modes, and nobody else's files, so that looking at each is saved.
 */
export function givesAttributes(folder: string): boolean {
  return native().listExtendedAttributes(folder).some((name) => !KEPT_ATTRIBUTES.has(name));
}

// Nix: libstore/posix-fs-canonicalise.cc
function createCanonicaliser(): VisitFile {
  const calls = native();
  const uid = process.geteuid!();
  const gid = process.getegid!();
  return (file, stats, place) => {
    if (!stats.isFile() && !stats.isDirectory() && !stats.isSymbolicLink()) {
      throw new TsosError({
        code: "store.special-file",
        message: `"${file}" is ${specialKind(stats)}, expected a file, a folder or a symbolic link`,
        hint: "a store object can hold nothing else; have the build remove it",
        data: { file },
      });
    }
    // Never by its whole path, on whose way somebody may have put a link.
    const target = toFsPath(place);
    for (const name of calls.listExtendedAttributes(target)) {
      if (KEPT_ATTRIBUTES.has(name)) continue;
      // Only a writable file lets its owner remove an attribute; its final mode follows below.
      if (!stats.isSymbolicLink() && uid !== 0) changeMode(place, stats, stats.mode | 0o200, file);
      calls.removeExtendedAttribute(target, name);
      if (!stats.isSymbolicLink() && uid !== 0) changeMode(place, stats, stats.mode & 0o7777, file);
    }
    if (!stats.isSymbolicLink()) {
      const mode = stats.mode & 0o7777;
      const wanted = 0o444 | (stats.isDirectory() || (mode & 0o100) !== 0 ? 0o111 : 0);
      // A file that others may run and its owner may not is left as it is where all may.
      if (mode !== wanted && mode !== 0o555) changeMode(place, stats, wanted, file);
    }
    if (stats.mtimeMs !== CANONICAL_TIME * 1000) lutimesSync(target, stats.atime, CANONICAL_TIME);
    if (stats.uid !== uid) lchownSync(target, uid, gid);
  };
}

function specialKind(stats: Stats): string {
  if (stats.isFIFO()) return "a named pipe";
  if (stats.isSocket()) return "a socket";
  if (stats.isBlockDevice()) return "a block device";
  return "a character device";
}
