import type { ByteString } from "../../../util/bytes.ts";
import type { MergedEntry } from "./merge-trees.ts";
import { hasPath } from "./relocate.ts";
import { openTarget, parseOpenTarget, relativeTarget, resolveLink } from "../../../fetch/archive/tree-path.ts";
import type { TreePath } from "../../../fetch/archive/tree-path.ts";

/** Relative links keep their meaning in the new places; absolute ones into the tree become relative. */
export function retargetLink(path: TreePath, target: ByteString, place: (path: TreePath) => TreePath | undefined): ByteString {
  const placed = place(path);
  const resolved = resolveLink(path, target);
  const destination = resolved === undefined ? undefined : place(resolved);
  return placed === undefined || destination === undefined ? target : openTarget(relativeTarget(placed, destination), target);
}

/** Decides each open link: relative where the tree has what it leads to, else as it was written. */
export function settleLinks(tree: Map<TreePath, MergedEntry>): void {
  for (const [path, entry] of tree) {
    const open = entry.kind === "symlink" ? parseOpenTarget(entry.target) : undefined;
    if (entry.kind !== "symlink" || open === undefined) continue;
    const destination = resolveLink(path, open.relative);
    const inside =
      destination !== undefined &&
      (destination === "" || hasPath(tree, destination) || (destination.startsWith("bin/") && hasPath(tree, `libexec/${destination}`)));
    tree.set(path, { ...entry, target: inside || !open.original.startsWith("/") ? open.relative : open.original });
  }
}

/**
 * What a link of `bin` stands for belongs to `bin` as well, whichever package has it: python3 is a link to
 * python3.13 of another package. Then links that missed the move are set right.
 */
export function gatherPrograms(tree: Map<TreePath, MergedEntry>): void {
  const queue = [...tree.keys()].filter((path) => path.startsWith("bin/"));
  for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
    const entry = tree.get(path);
    const destination = entry?.kind === "symlink" ? resolveLink(path, entry.target) : undefined;
    if (destination === undefined || !/^(libexec\/)?bin\/[^/]+$/.test(destination)) continue;
    const visible = destination.replace(/^libexec\//, "");
    const hidden = tree.get(`libexec/${visible}`);
    if (!tree.has(visible) && hidden !== undefined) {
      tree.delete(`libexec/${visible}`);
      tree.set(visible, moveLink(hidden, `libexec/${visible}`, visible));
      queue.push(visible);
    }
  }
  for (const [path, entry] of tree) {
    const destination = entry.kind === "symlink" ? resolveLink(path, entry.target) : undefined;
    if (entry.kind !== "symlink" || destination === undefined || entry.target.startsWith("/") || tree.has(destination)) continue;
    const other = destination.startsWith("libexec/bin/") ? destination.slice("libexec/".length) : `libexec/${destination}`;
    if (/^(libexec\/)?bin\/[^/]+$/.test(destination) && tree.has(other)) tree.set(path, { ...entry, target: relativeTarget(path, other) });
  }
}

/** An entry at another place: a relative link keeps its meaning. */
function moveLink(entry: MergedEntry, from: TreePath, to: TreePath): MergedEntry {
  if (entry.kind !== "symlink" || entry.target.startsWith("/")) return entry;
  const destination = resolveLink(from, entry.target);
  return destination === undefined ? entry : { ...entry, target: relativeTarget(to, destination) };
}
