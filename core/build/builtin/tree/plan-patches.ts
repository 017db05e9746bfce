import type { ByteString } from "../../../util/bytes.ts";
import type { MergedTree } from "./merge-trees.ts";
import { patchText } from "./patch-text.ts";
import { isElf, readElf, readStart } from "./read-elf.ts";
import type { Elf } from "./read-elf.ts";
import { mergeUsr, relocate } from "./relocate.ts";
import { compileTreeGlobs } from "../../../fetch/archive/tree-path.ts";
import type { TreePath } from "../../../fetch/archive/tree-path.ts";

/** Files that get the same search path in the same way. */
export type PatchGroup = { readonly kind: "program" | "fixed-program" | "library"; readonly runPath: ByteString; readonly paths: TreePath[] };

/** What of a tree has to change. */
export type PatchPlan = {
  readonly groups: readonly PatchGroup[];
  readonly scripts: ReadonlyMap<TreePath, Buffer>;
  readonly linkers: readonly TreePath[];
};

/** Reads the beginning of each program, library and script; nothing is changed yet. */
export function planPatches(tree: MergedTree, prefix: ByteString, { patchLibraries, rewrite }: { readonly patchLibraries: boolean; readonly rewrite: readonly string[] }): PatchPlan {
  const rewritten = compileTreeGlobs(rewrite);
  const groups = new Map<string, PatchGroup>();
  const scripts = new Map<TreePath, Buffer>();
  const linkers: TreePath[] = [];
  const elves = new Map<TreePath, Elf>();
  for (const [path, entry] of tree) {
    if (entry.kind !== "file" || entry.size < 4) continue;
    // Shared objects are not executable in Debian; all else that is neither a program nor a script is data.
    const library = /\.so(\.|$)/.test(path);
    const configuration = path.endsWith(".pc") || rewritten(path);
    if (!entry.executable && !library && !configuration) continue;
    const start = readStart(entry.source);
    if (isElf(start)) {
      const elf = readElf(entry.source, start);
      if (elf !== undefined) elves.set(path, elf);
    } else if ((entry.executable && start[0] === 0x23 && start[1] === 0x21) || configuration) {
      const text = patchText(entry.source, tree, prefix, configuration);
      if (text !== undefined) scripts.set(path, text);
    }
  }
  const folders = libraryFolders(tree, elves);
  for (const [path, elf] of elves) {
    if (elf.soname !== undefined && LINKER.test(elf.soname)) linkers.push(path);
    // The C library and its linker find themselves; patched, they break.
    if (elf.soname !== undefined && GLIBC.test(elf.soname)) continue;
    const program = elf.interpreter !== undefined && elf.soname === undefined;
    if (!program && elf.runPath === undefined && !(patchLibraries && elf.needed.length > 0)) continue;
    const runPath = [...new Set([...ownFolders(path, elf, tree), ...folders])];
    const text = runPath.map((folder) => (folder.startsWith("$") ? folder : `${prefix}/${folder}`)).join(":");
    const kind = !program ? "library" : elf.fixedAddress ? "fixed-program" : "program";
    const group = groups.get(`${kind} ${text}`);
    if (group === undefined) groups.set(`${kind} ${text}`, { kind, runPath: text, paths: [path] });
    else group.paths.push(path);
  }
  return { groups: [...groups.values()], scripts, linkers };
}

const LINKER = /^ld-linux.*\.so\./;
const GLIBC = /^(ld-linux.*|lib(c|m|dl|pthread|rt|resolv|util|mvec|anl|BrokenLocale|c_malloc_debug|nsl|thread_db|nss_[a-z]+))\.so\.\d+$/;

/** The folders that the tree's own libraries lie in, as far as something in the tree needs them by name. */
function libraryFolders(tree: MergedTree, elves: ReadonlyMap<TreePath, Elf>): readonly TreePath[] {
  const needed = new Set([...elves.values()].flatMap((elf) => elf.needed));
  const preferred = ["lib/x86_64-linux-gnu", "lib"].filter((folder) => tree.get(folder)?.kind === "directory");
  const found = new Set<TreePath>();
  for (const path of tree.keys()) {
    const slash = path.lastIndexOf("/");
    if (slash > 0 && needed.has(path.slice(slash + 1))) found.add(path.slice(0, slash));
  }
  const chosen = preferred.filter((folder) => found.has(folder));
  return chosen.length > 0 || found.size === 0 ? chosen : [...found];
}

/** What a file's own search path names, in the tree. */
function ownFolders(path: TreePath, elf: Elf, tree: MergedTree): readonly string[] {
  return (elf.runPath ?? "").split(":").flatMap((folder) => {
    if (folder.startsWith("$ORIGIN")) return [folder];
    const placed = folder.startsWith("/") ? relocate(mergeUsr(folder.slice(1).replace(/\/+$/, ""))) : undefined;
    return placed !== undefined && placed !== path && tree.get(placed)?.kind === "directory" ? [placed] : [];
  });
}
