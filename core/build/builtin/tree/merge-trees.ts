import { closeSync, lstatSync, openSync, readdirSync, readlinkSync, readSync } from "node:fs";
import { TsosError } from "../../../error/tsos-error.ts";
import { fromByteString, toByteString } from "../../../util/bytes.ts";
import type { ByteString } from "../../../util/bytes.ts";
import { compareByteStrings } from "../../../util/ordering.ts";
import { currentTarget, resolveLink, toFsPath } from "../../../fetch/archive/tree-path.ts";
import type { TreePath } from "../../../fetch/archive/tree-path.ts";

/** What a merged tree has at a path. A file's `source` is where its bytes are. */
export type MergedEntry =
  | { readonly kind: "directory" }
  | { readonly kind: "file"; readonly source: ByteString; readonly executable: boolean; readonly size: number }
  | { readonly kind: "symlink"; readonly target: ByteString; readonly source: ByteString };

/** Sorted by bytes, so that a folder stands before what is in it. */
export type MergedTree = ReadonlyMap<TreePath, MergedEntry>;

export type MergeOptions = {
  /** Where an entry of the tree `root` goes, or undefined to leave it out (a folder with all that is in it). */
  readonly place: (path: TreePath, root: string) => TreePath | undefined;
  /** A symbolic link's new target; both paths are those in its own tree. */
  readonly retarget?: (path: TreePath, target: ByteString, root: string) => ByteString;
};

/**
 * One tree of several, without touching the disk. Folders merge; the same file in two trees must have the
 * same bytes, the same link the same target.
 *
 * @throws TsosError `tree.conflict` naming the path and both trees.
 */
export function mergeTrees(roots: readonly string[], options: MergeOptions): MergedTree {
  const merged = new Map<TreePath, MergedEntry>();
  for (const root of roots) readTree(root, options, merged);
  return sortTree(merged);
}

export function sortTree(tree: ReadonlyMap<TreePath, MergedEntry>): MergedTree {
  return new Map([...tree].sort(([a], [b]) => compareByteStrings(a, b)));
}

/** Adds an entry and the folders above it. */
export function addEntry(tree: Map<TreePath, MergedEntry>, path: TreePath, entry: MergedEntry): void {
  tree.set(path, entry);
  for (let slash = path.lastIndexOf("/"); slash > 0; slash = path.lastIndexOf("/", slash - 1)) {
    const folder = path.slice(0, slash);
    if (tree.has(folder)) return;
    tree.set(folder, { kind: "directory" });
  }
}

function readTree(folder: string, { place, retarget }: MergeOptions, merged: Map<TreePath, MergedEntry>): void {
  const root = toByteString(folder);
  const visit = (parent: TreePath): void => {
    const fsFolder = parent === "" ? root : `${root}/${parent}`;
    for (const entry of readdirSync(toFsPath(fsFolder), { withFileTypes: true, encoding: "latin1" })) {
      const path = parent === "" ? entry.name : `${parent}/${entry.name}`;
      const placed = place(path, folder);
      if (placed === undefined) continue;
      const source = `${root}/${path}`;
      if (entry.isDirectory()) {
        if (placed !== "") add(merged, placed, { kind: "directory" }, source);
        visit(path);
      } else if (entry.isSymbolicLink()) {
        const target = readlinkSync(toFsPath(source), "latin1");
        add(merged, placed, { kind: "symlink", target: retarget === undefined ? target : retarget(path, target, folder), source }, source);
      } else if (entry.isFile()) {
        const { mode, size } = lstatSync(toFsPath(source));
        add(merged, placed, { kind: "file", source, executable: (mode & 0o100) !== 0, size }, source);
      } else {
        throw new TsosError({ code: "tree.special-file", message: `"${fromByteString(source)}" is neither file, folder nor link` });
      }
    }
  };
  visit("");
}

function add(merged: Map<TreePath, MergedEntry>, path: TreePath, entry: MergedEntry, source: ByteString): void {
  const existing = merged.get(path);
  if (existing === undefined) {
    addEntry(merged, path, entry);
    return;
  }
  if (existing.kind === "directory" && entry.kind === "directory") return;
  if (existing.kind === "symlink" && entry.kind === "symlink" && existing.target === entry.target) return;
  if (existing.kind === "file" && entry.kind === "file" && existing.size === entry.size && equalFiles(existing.source, entry.source)) return;
  // Moved to one folder, a program and a link to it under the same name are one.
  if (existing.kind === "file" && isLinkTo(entry, path)) return;
  if (entry.kind === "file" && isLinkTo(existing, path)) {
    merged.set(path, entry);
    return;
  }
  const first = existing.kind === "directory" ? "a folder of an earlier tree" : `"${fromByteString(existing.source)}"`;
  throw new TsosError({
    code: "tree.conflict",
    message: `two trees have something else at "${path}": ${first} and "${fromByteString(source)}"`,
    hint: "leave one of them out of `trees`, or the path itself by `remove`",
    data: { path },
  });
}

function isLinkTo(entry: MergedEntry, path: TreePath): boolean {
  return entry.kind === "symlink" && resolveLink(path, currentTarget(entry.target)) === path;
}

function equalFiles(a: ByteString, b: ByteString): boolean {
  const [left, right] = [openSync(toFsPath(a), "r"), openSync(toFsPath(b), "r")];
  try {
    const [one, two] = [Buffer.allocUnsafe(CHUNK), Buffer.allocUnsafe(CHUNK)];
    for (;;) {
      const length = readSync(left, one, 0, CHUNK, null);
      if (readSync(right, two, 0, CHUNK, null) !== length) return false;
      if (length === 0) return true;
      if (!one.subarray(0, length).equals(two.subarray(0, length))) return false;
    }
  } finally {
    closeSync(left);
    closeSync(right);
  }
}

const CHUNK = 64 * 1024;
