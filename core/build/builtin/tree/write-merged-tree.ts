import { chmodSync, constants, copyFileSync, linkSync, mkdirSync, symlinkSync } from "node:fs";
import { TsosError } from "../../../error/tsos-error.ts";
import { fromByteString, toByteString } from "../../../util/bytes.ts";
import type { ByteString } from "../../../util/bytes.ts";
import { unreachable } from "../../../util/unreachable.ts";
import type { MergedTree } from "./merge-trees.ts";
import { toFsPath } from "../../../fetch/archive/tree-path.ts";
import type { TreePath } from "../../../fetch/archive/tree-path.ts";

/**
 * Creates the tree at `target`. Every entry lies in a folder of the tree, never behind a link, which could lead out
 * of it. Files are hard links to their sources where the file system allows that;
 * those in `copies` are copies of their own, writable, to be changed.
 *
 * @throws TsosError `tree.conflict` naming an entry that lies behind a link or a file
 */
export function writeMergedTree(tree: MergedTree, target: string, copies: ReadonlySet<TreePath> = new Set()): void {
  const root = toByteString(target);
  mkdirSync(target);
  for (const [path, entry] of tree) {
    checkParent(tree, path);
    const place = `${root}/${path}`;
    switch (entry.kind) {
      case "directory":
        mkdirSync(toFsPath(place));
        break;
      case "symlink":
        symlinkSync(toFsPath(entry.target), toFsPath(place));
        break;
      case "file":
        if (!copies.has(path) && tryLink(entry.source, place)) break;
        copyFileSync(toFsPath(entry.source), toFsPath(place), constants.COPYFILE_FICLONE);
        chmodSync(toFsPath(place), entry.executable ? 0o755 : 0o644);
        break;
      default:
        unreachable(entry);
    }
  }
}

/** @throws TsosError `tree.conflict` when what is above `path` is no folder of the tree */
export function checkParent(tree: MergedTree, path: TreePath): void {
  const slash = path.lastIndexOf("/");
  const parent = tree.get(path.slice(0, Math.max(0, slash)));
  if (slash < 0 || parent?.kind === "directory") return;
  throw new TsosError({
    code: "tree.conflict",
    message: `"${fromByteString(path)}" cannot be made: what should be its folder is a ${parent?.kind ?? "path that is not in the tree"}`,
    hint: "name it by its place behind the link, or leave the link out by `remove`",
    data: { path },
  });
}

function tryLink(source: ByteString, place: ByteString): boolean {
  try {
    linkSync(toFsPath(source), toFsPath(place));
    return true;
  } catch (error) {
    // Another file system, too many links, or none allowed: a copy serves as well.
    if (error instanceof Error && "code" in error && LINK_REFUSALS.has(String(error.code))) return false;
    throw error;
  }
}

const LINK_REFUSALS: ReadonlySet<string> = new Set(["EXDEV", "EMLINK", "EPERM", "ENOTSUP", "EOPNOTSUPP"]);
