import { TsosError } from "../../../error/tsos-error.ts";
import { fromByteString, toByteString } from "../../../util/bytes.ts";
import { concatenateFiles, writeConcatenations } from "./concatenations.ts";
import type { Concatenations } from "./concatenations.ts";
import { addEntry, mergeTrees, sortTree } from "./merge-trees.ts";
import type { MergedEntry } from "./merge-trees.ts";
import { compileTreeGlobs, parseTreePath, relativeTarget } from "../../../fetch/archive/tree-path.ts";
import type { TreePath } from "../../../fetch/archive/tree-path.ts";
import { writeMergedTree } from "./write-merged-tree.ts";

export type ComposeTask = {
  readonly kind: "compose";
  /** Unpacked trees on disk. */
  readonly trees: readonly string[];
  readonly target: string;
  /** Links that nobody ships, such as alternatives: path → target. They replace what is there. */
  readonly links: Readonly<Record<string, string>>;
  /** Link → candidates for its target, paths in the tree: the first that exists is taken, none makes no link. */
  readonly alternatives: Readonly<Record<string, readonly string[]>>;
  /** Empty folders. */
  readonly directories: readonly string[];
  readonly concatenate: Concatenations;
  /** Globs of paths to leave out. */
  readonly remove: readonly string[];
};

/** Merges trees by hard links. */
export function composeTree(task: ComposeTask): void {
  const removed = compileTreeGlobs(task.remove);
  const tree = new Map<TreePath, MergedEntry>(mergeTrees(task.trees, { place: (path) => (removed(path) ? undefined : path) }));
  addAlternatives(tree, task.alternatives);
  addLinks(tree, task.links);
  for (const path of task.directories) {
    const parsed = parseTreePath(toByteString(path));
    if (!tree.has(parsed)) addEntry(tree, parsed, { kind: "directory" });
  }
  const files = concatenateFiles(tree, task.concatenate);
  writeMergedTree(sortTree(tree), task.target);
  writeConcatenations(task.target, files);
}

function addAlternatives(tree: Map<TreePath, MergedEntry>, alternatives: ComposeTask["alternatives"]): void {
  for (const [link, candidates] of Object.entries(alternatives)) {
    const path = parseTreePath(toByteString(link));
    const target = candidates.map((candidate) => parseTreePath(toByteString(candidate))).find((candidate) => tree.has(candidate));
    if (target !== undefined && !tree.has(path)) addLinks(tree, { [link]: fromByteString(relativeTarget(path, target)) });
  }
}

/** Puts symbolic links into a tree; a file or link that is there gives way, a folder does not. */
export function addLinks(tree: Map<TreePath, MergedEntry>, links: Readonly<Record<string, string>>): void {
  for (const [path, target] of Object.entries(links)) {
    const parsed = parseTreePath(toByteString(path));
    if (tree.get(parsed)?.kind === "directory") {
      throw new TsosError({ code: "tree.conflict", message: `the link "${path}" would stand where the trees have a folder`, data: { path } });
    }
    addEntry(tree, parsed, { kind: "symlink", target: toByteString(target), source: `links:${path}` });
  }
}
