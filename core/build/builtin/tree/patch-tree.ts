import { rmSync, writeFileSync } from "node:fs";
import { toByteString } from "../../../util/bytes.ts";
import type { ByteString } from "../../../util/bytes.ts";
import { addLinks } from "./compose-tree.ts";
import { concatenateFiles, writeConcatenations } from "./concatenations.ts";
import type { Concatenations } from "./concatenations.ts";
import { isolateLinker } from "./isolate-linker.ts";
import { addEntry, mergeTrees, sortTree } from "./merge-trees.ts";
import type { MergedEntry } from "./merge-trees.ts";
import { planPatches } from "./plan-patches.ts";
import { relocate, relocateDependency } from "./relocate.ts";
import { runPatchelf } from "./run-patchelf.ts";
import { gatherPrograms, retargetLink, settleLinks } from "./settle-links.ts";
import { compileTreeGlobs, parseTreePath, relativeTarget, toFsPath } from "../../../fetch/archive/tree-path.ts";
import type { TreePath } from "../../../fetch/archive/tree-path.ts";
import type { Tool } from "../../tool.ts";
import { moveWrapped, writeWrapper } from "./wrap-program.ts";
import type { Wrapper } from "./wrap-program.ts";
import { writeMergedTree } from "./write-merged-tree.ts";

export type PatchTask = {
  readonly kind: "patch-elf";
  /** Unpacked trees on disk: the packages and all that they need. */
  readonly trees: readonly string[];
  /** Those of `trees` whose programs go to `bin`; the others' go to `libexec/bin`, where scripts find them. */
  readonly main: readonly string[];
  readonly target: string;
  /** The path under which the result will be used. */
  readonly prefix: string;
  /** Trees that together hold patchelf and its libraries; used where `trees` have a program to patch. */
  readonly patchelf: readonly string[];
  /** What patchelf is run by: it is a program of the derivation's choice. */
  readonly bubblewrap: Tool;
  /** Program's path in the result (`bin/git`) → the environment it runs with. */
  readonly wrappers: Readonly<Record<string, Wrapper>>;
  /** Path in the result → target. */
  readonly links: Readonly<Record<string, string>>;
  /** Folders of the result whose programs are linked into `bin`. */
  readonly linkFolders: readonly string[];
  readonly concatenate: Concatenations;
  /** Globs of paths (of the trees) to leave out. */
  readonly remove: readonly string[];
  /** Globs of further text files (of the result) in which the machine's paths become those of the tree. */
  readonly rewrite: readonly string[];
  /** Also give each library a search path of its own, for programs of other closures that link to it. */
  readonly patchLibraries: boolean;
};

/**
 * Merges a closure of Debian packages into one relocated tree, `usr` being its root: programs get the tree's
 * own dynamic linker and library folders, scripts its interpreters, absolute links become relative. Files
 * that stay as they are remain hard links.
 *
 * Only programs are patched, with DT_RPATH: it also holds for the libraries that they load, however deep.
 */
export function patchTree(task: PatchTask): void {
  const removed = compileTreeGlobs(task.remove);
  const main = new Set(task.main);
  const relocators = new Map(task.trees.map((root) => [root, main.has(root) ? relocate : relocateDependency]));
  const place = (path: TreePath, root: string): TreePath | undefined => (removed(path) ? undefined : relocators.get(root)!(path));
  const retarget = (path: TreePath, target: ByteString, root: string): ByteString => retargetLink(path, target, relocators.get(root)!);
  const tree = new Map<TreePath, MergedEntry>(mergeTrees(task.trees, { place, retarget }));
  if (tree.has("bin") && !tree.has("sbin")) addEntry(tree, "sbin", { kind: "symlink", target: "bin", source: "bin" });
  settleLinks(tree);
  gatherPrograms(tree);
  addLinks(tree, task.links);
  for (const folder of task.linkFolders) linkFolder(tree, folder);
  const wrapped = new Map<TreePath, Wrapper>();
  for (const [path, wrapper] of Object.entries(task.wrappers)) wrapped.set(moveWrapped(tree, parseTreePath(toByteString(path))), wrapper);

  const concatenated = concatenateFiles(tree, task.concatenate);
  const prefix = toByteString(task.prefix);
  const plan = planPatches(sortTree(tree), prefix, task);
  writeMergedTree(sortTree(tree), task.target, new Set([...plan.groups.map(({ paths }) => paths), plan.linkers].flat()));
  const target = toByteString(task.target);
  writeConcatenations(task.target, concatenated);
  for (const [path, text] of plan.scripts) replaceFile(`${target}/${path}`, tree.get(path), text);
  for (const path of plan.linkers) isolateLinker(`${target}/${path}`);
  if (plan.groups.length > 0) runPatchelf(task, plan);
  for (const [path, wrapper] of wrapped) writeWrapper(target, path, wrapper, prefix, tree);
}

function linkFolder(tree: Map<TreePath, MergedEntry>, folder: string): void {
  const start = `${parseTreePath(toByteString(folder))}/`;
  for (const [path, entry] of [...tree]) {
    const name = path.startsWith(start) ? path.slice(start.length) : "";
    if (name === "" || name.includes("/") || entry.kind === "directory" || tree.has(`bin/${name}`)) continue;
    addEntry(tree, `bin/${name}`, { kind: "symlink", target: relativeTarget(`bin/${name}`, path), source: `links:${path}` });
  }
}

function replaceFile(path: ByteString, entry: MergedEntry | undefined, bytes: Buffer): void {
  const executable = entry?.kind === "file" && entry.executable;
  // Removed first: what is there may be a hard link to a file of the store.
  rmSync(toFsPath(path), { force: true });
  writeFileSync(toFsPath(path), bytes, { mode: executable ? 0o755 : 0o644, flag: "wx" });
}
