import type { ByteString } from "../../../util/bytes.ts";
import type { MergedEntry } from "./merge-trees.ts";
import { currentTarget, resolveLink } from "../../../fetch/archive/tree-path.ts";
import type { TreePath } from "../../../fetch/archive/tree-path.ts";

/** `usr` becomes the root, `sbin` part of `bin`; the machine's variable state has no place in a store. */
export function relocate(path: TreePath): TreePath | undefined {
  if (path === "usr" || path === "usr/sbin") return path === "usr" ? "" : "bin";
  if (path.startsWith("usr/sbin/")) return `bin/${path.slice("usr/sbin/".length)}`;
  if (path.startsWith("usr/")) return path.slice("usr/".length);
  return path === "etc" || path.startsWith("etc/") ? path : undefined;
}

/** The same for a package that others need: its programs are theirs to run, not the user's. */
export function relocateDependency(path: TreePath): TreePath | undefined {
  const placed = relocate(path);
  return placed === "bin" || placed?.startsWith("bin/") ? `libexec/${placed}` : placed;
}

/** Whether a path leads somewhere in the tree, links of folders followed. */
export function hasPath(tree: ReadonlyMap<TreePath, MergedEntry>, path: TreePath, depth = 0): boolean {
  if (tree.has(path)) return true;
  if (depth > 20) return false;
  for (let slash = path.indexOf("/"); slash > 0; slash = path.indexOf("/", slash + 1)) {
    const entry = tree.get(path.slice(0, slash));
    if (entry === undefined) return false;
    if (entry.kind !== "symlink") continue;
    const resolved = resolveLink(path.slice(0, slash), currentTarget(entry.target));
    return resolved !== undefined && hasPath(tree, `${resolved}${path.slice(slash)}`, depth + 1);
  }
  return false;
}

/** Where the tree has what a machine has at an absolute path. */
export function findInTree(tree: ReadonlyMap<TreePath, MergedEntry>, path: ByteString): TreePath | undefined {
  const placed = path.startsWith("/") ? relocate(mergeUsr(path.slice(1))) : undefined;
  if (placed === undefined || placed === "") return undefined;
  if (hasPath(tree, placed)) return placed;
  return placed.startsWith("bin/") && hasPath(tree, `libexec/${placed}`) ? `libexec/${placed}` : undefined;
}

/** Where a path of a machine lies once its `bin`, `sbin` and `lib` are part of `usr`. */
export function mergeUsr(path: TreePath): TreePath {
  return /^(bin|sbin|lib|lib64)(\/|$)/.test(path) ? `usr/${path}` : path;
}
