import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { TsosError } from "../../../error/tsos-error.ts";
import { fromByteString, toByteString } from "../../../util/bytes.ts";
import type { ByteString } from "../../../util/bytes.ts";
import { addLinks } from "./compose-tree.ts";
import { concatenateFiles, writeConcatenations } from "./concatenations.ts";
import type { Concatenations } from "./concatenations.ts";
import { addEntry, mergeTrees, sortTree } from "./merge-trees.ts";
import type { MergedEntry, MergedTree } from "./merge-trees.ts";
import { hasSoundSegments, isElf, readElf, readStart } from "./read-elf.ts";
import type { Elf } from "./read-elf.ts";
import { compileTreeGlobs, currentTarget, openTarget, parseOpenTarget, parseTreePath, relativeTarget, resolveLink, toFsPath } from "./tree-path.ts";
import type { TreePath } from "./tree-path.ts";
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

/** In values `$out` stands for the result's path. */
export type Wrapper = {
  /** Set whatever the caller has. */
  readonly env?: Readonly<Record<string, string>>;
  /** Set unless the caller has it. */
  readonly defaults?: Readonly<Record<string, string>>;
  /** Put before the caller's list, with a colon. */
  readonly prefix?: Readonly<Record<string, string>>;
  /** Arguments before the caller's. */
  readonly args?: readonly string[];
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

/** `usr` becomes the root, `sbin` part of `bin`; the machine's variable state has no place in a store. */
function relocate(path: TreePath): TreePath | undefined {
  if (path === "usr" || path === "usr/sbin") return path === "usr" ? "" : "bin";
  if (path.startsWith("usr/sbin/")) return `bin/${path.slice("usr/sbin/".length)}`;
  if (path.startsWith("usr/")) return path.slice("usr/".length);
  return path === "etc" || path.startsWith("etc/") ? path : undefined;
}

function relocateDependency(path: TreePath): TreePath | undefined {
  const placed = relocate(path);
  return placed === "bin" || placed?.startsWith("bin/") ? `libexec/${placed}` : placed;
}

/** Relative links keep their meaning in the new places; absolute ones into the tree become relative. */
function retargetLink(path: TreePath, target: ByteString, place: typeof relocate): ByteString {
  const placed = place(path);
  const resolved = resolveLink(path, target);
  const destination = resolved === undefined ? undefined : place(resolved);
  return placed === undefined || destination === undefined ? target : openTarget(relativeTarget(placed, destination), target);
}

function settleLinks(tree: Map<TreePath, MergedEntry>): void {
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
function gatherPrograms(tree: Map<TreePath, MergedEntry>): void {
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

/** Whether a path leads somewhere in the tree, links of folders followed. */
function hasPath(tree: ReadonlyMap<TreePath, MergedEntry>, path: TreePath, depth = 0): boolean {
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

/** An entry at another place: a relative link keeps its meaning. */
function moveLink(entry: MergedEntry, from: TreePath, to: TreePath): MergedEntry {
  if (entry.kind !== "symlink" || entry.target.startsWith("/")) return entry;
  const destination = resolveLink(from, entry.target);
  return destination === undefined ? entry : { ...entry, target: relativeTarget(to, destination) };
}

function linkFolder(tree: Map<TreePath, MergedEntry>, folder: string): void {
  const start = `${parseTreePath(toByteString(folder))}/`;
  for (const [path, entry] of [...tree]) {
    const name = path.startsWith(start) ? path.slice(start.length) : "";
    if (name === "" || name.includes("/") || entry.kind === "directory" || tree.has(`bin/${name}`)) continue;
    addEntry(tree, `bin/${name}`, { kind: "symlink", target: relativeTarget(`bin/${name}`, path), source: `links:${path}` });
  }
}

/** Files that get the same search path in the same way. */
type PatchGroup = { readonly kind: "program" | "fixed-program" | "library"; readonly runPath: ByteString; readonly paths: TreePath[] };

type PatchPlan = {
  readonly groups: readonly PatchGroup[];
  readonly scripts: ReadonlyMap<TreePath, Buffer>;
  readonly linkers: readonly TreePath[];
};

function planPatches(tree: MergedTree, prefix: ByteString, { patchLibraries, rewrite }: PatchTask): PatchPlan {
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

function mergeUsr(path: TreePath): TreePath {
  return /^(bin|sbin|lib|lib64)(\/|$)/.test(path) ? `usr/${path}` : path;
}

/** A script with the tree's interpreter and own paths, or undefined where nothing changes. */
function patchText(source: ByteString, tree: MergedTree, prefix: ByteString, configuration: boolean): Buffer | undefined {
  const text = readFileSync(toFsPath(source)).toString("latin1");
  const lineEnd = configuration ? 0 : (text.indexOf("\n") + 1 || text.length);
  const line = text.slice(0, lineEnd).replace(/^#!\s*(\S+)(?:([ \t]+)(\S+))?/, (whole, interpreter: string, gap?: string, argument?: string) => {
    const program = /^\/(usr\/)?bin\/env$/.test(interpreter) && argument !== undefined ? findInTree(tree, `/usr/bin/${argument}`) : undefined;
    if (program !== undefined) return `#!${prefix}/${program}`;
    const placed = findInTree(tree, interpreter);
    if (placed === undefined) return whole;
    return `#!${prefix}/${placed}${argument === undefined ? "" : `${gap ?? " "}${argument}`}`;
  });
  const body = text.slice(lineEnd).replace(OWN_PATH, (whole) => {
    const placed = findInTree(tree, whole);
    return placed === undefined ? whole : `${prefix}/${placed}`;
  });
  const patched = line + (configuration ? body.replace(/^prefix=\/usr\b/m, `prefix=${prefix}`) : body);
  return patched === text ? undefined : Buffer.from(patched, "latin1");
}

/** Where the tree has what a machine has at an absolute path. */
function findInTree(tree: MergedTree, path: ByteString): TreePath | undefined {
  const placed = path.startsWith("/") ? relocate(mergeUsr(path.slice(1))) : undefined;
  if (placed === undefined || placed === "") return undefined;
  if (hasPath(tree, placed)) return placed;
  return placed.startsWith("bin/") && hasPath(tree, `libexec/${placed}`) ? `libexec/${placed}` : undefined;
}

const OWN_PATH = /(?<![\w.$~}/-])\/(?:usr\/)?(?:bin|sbin|lib|libexec|share|include)\/[A-Za-z0-9_+.@%/-]*[A-Za-z0-9_+@%-]/g;

function replaceFile(path: ByteString, entry: MergedEntry | undefined, bytes: Buffer): void {
  const executable = entry?.kind === "file" && entry.executable;
  // Removed first: what is there may be a hard link to a file of the store.
  rmSync(toFsPath(path), { force: true });
  writeFileSync(toFsPath(path), bytes, { mode: executable ? 0o755 : 0o644, flag: "wx" });
}

/**
 * Takes the machine's libraries from the dynamic linker's search: its cache and its default folders. Same
 * lengths, so nothing else of the file moves.
 */
function isolateLinker(path: ByteString): void {
  const bytes = readFileSync(toFsPath(path));
  const replace = (text: string, by: string): void => {
    for (let at = bytes.indexOf(text); at >= 0; at = bytes.indexOf(text, at + text.length)) bytes.write(by, at, "latin1");
  };
  replace("/etc/ld.so.cache\0", "/nix/store/.none\0");
  replace("/lib/x86_64-linux-gnu/\0/usr/lib/x86_64-linux-gnu/\0/lib/\0/usr/lib/\0", "/nix/store/.none/.lib/\0/nix/store/.none/.usr/lib/\0/nix/\0/nix/.no/\0");
  writeFileSync(toFsPath(path), bytes);
}

function runPatchelf(task: PatchTask, plan: PatchPlan): void {
  const [command, fixed] = locatePatchelf(task.patchelf);
  const linker = plan.linkers.length > 0 ? `${task.prefix}/${fromByteString(plan.linkers[0]!)}` : undefined;
  const run = (args: readonly string[], files: readonly string[]): void => {
    try {
      execFileSync(command, [...fixed, ...args, ...files], { env: {}, stdio: ["ignore", "pipe", "pipe"] });
    } catch (cause) {
      const output = cause instanceof Error && "stderr" in cause ? String(cause.stderr).trim() : String(cause);
      throw new TsosError({ code: "patch.failed", message: `patchelf failed on the programs of "${task.prefix}": ${output}`, cause });
    }
  };
  for (const { kind, runPath, paths } of plan.groups) {
    const setRunPath = ["--force-rpath", "--set-rpath", fromByteString(runPath)];
    const setLinker = kind === "library" || linker === undefined ? [] : ["--set-interpreter", linker];
    for (let at = 0; at < paths.length; at += BATCH) {
      const files = paths.slice(at, at + BATCH).map((path) => `${task.target}/${fromByteString(path)}`);
      if (kind !== "fixed-program") run([...setRunPath, ...setLinker], files);
      else {
        // In one go, or in the other order, patchelf lets the new segment of such a program overlap the old one.
        run(setRunPath, files);
        if (setLinker.length > 0) run(setLinker, files);
      }
      const broken = files.find((file) => !hasSoundSegments(toByteString(file)));
      if (broken !== undefined) {
        throw new TsosError({ code: "patch.failed", message: `patchelf left "${broken}" with segments that overlap`, data: { file: broken } });
      }
    }
  }
}

// So many files a call keep the command line well below the kernel's limit.
const BATCH = 200;

function locatePatchelf(trees: readonly string[]): readonly [command: string, args: readonly string[]] {
  for (const tree of trees) if (existsSync(`${tree}/bin/patchelf`)) return [`${tree}/bin/patchelf`, []];
  const find = (path: string): string | undefined => trees.map((tree) => `${tree}/${path}`).find((candidate) => existsSync(candidate));
  const linker = find("usr/lib64/ld-linux-x86-64.so.2") ?? find("usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2");
  const patchelf = find("usr/bin/patchelf");
  if (linker === undefined || patchelf === undefined) {
    throw new TsosError({ code: "patch.no-patchelf", message: `no patchelf with its C library is in ${trees.map((tree) => `"${tree}"`).join(", ") || "no tree"}` });
  }
  const libraries = trees.map((tree) => `${tree}/usr/lib/x86_64-linux-gnu`).filter((folder) => existsSync(folder));
  return [realpathSync(linker), ["--library-path", libraries.join(":"), patchelf]];
}

/** `bin/git` → `bin/.git-wrapped`, beside it, so that what it finds relative to itself stays found. */
function moveWrapped(tree: Map<TreePath, MergedEntry>, path: TreePath): TreePath {
  const entry = tree.get(path);
  if (entry === undefined || entry.kind === "directory") {
    throw new TsosError({ code: "patch.no-program", message: `there is no program "${path}" to wrap in the trees`, data: { path } });
  }
  tree.delete(path);
  tree.set(hiddenPath(path), entry);
  return path;
}

function hiddenPath(path: TreePath): TreePath {
  return path.replace(/([^/]*)$/, ".$1-wrapped");
}

function writeWrapper(target: ByteString, path: TreePath, wrapper: Wrapper, prefix: ByteString, tree: ReadonlyMap<TreePath, MergedEntry>): void {
  const value = (text: string): string => quoteShell(toByteString(text).replaceAll("$out", prefix));
  const shellPath = ["bash", "sh", "dash"].map((name) => findInTree(tree, `/usr/bin/${name}`)).find((found) => found !== undefined);
  const shell = shellPath === undefined ? "/bin/sh" : `${prefix}/${shellPath}`;
  const bash = shellPath?.endsWith("/bash") === true;
  const lines = [
    `#!${shell}`,
    ...Object.entries(wrapper.env ?? {}).map(([name, text]) => `export ${name}=${value(text)}`),
    ...Object.entries(wrapper.defaults ?? {}).map(([name, text]) => `[ -n "\${${name}+x}" ] || export ${name}=${value(text)}`),
    ...Object.entries(wrapper.prefix ?? {}).map(([name, text]) => `export ${name}=${value(text)}"\${${name}:+:$${name}}"`),
    // Only bash can pass on the name that the program was called by.
    [`exec`, ...(bash ? [`-a "$0"`] : []), quoteShell(`${prefix}/${hiddenPath(path)}`), ...(wrapper.args ?? []).map(value), `"$@"`].join(" "),
    "",
  ];
  writeFileSync(toFsPath(`${target}/${path}`), Buffer.from(lines.join("\n"), "latin1"), { mode: 0o755, flag: "wx" });
}

function quoteShell(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
