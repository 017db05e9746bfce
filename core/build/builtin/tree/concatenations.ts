import { readFileSync, writeFileSync } from "node:fs";
import { TsosError } from "../../../error/tsos-error.ts";
import { toByteString } from "../../../util/bytes.ts";
import { addEntry } from "./merge-trees.ts";
import type { MergedEntry } from "./merge-trees.ts";
import { compileTreeGlobs, parseTreePath, toFsPath } from "../../../fetch/archive/tree-path.ts";
import type { TreePath } from "../../../fetch/archive/tree-path.ts";
import { checkParent } from "./write-merged-tree.ts";

/** A file's path → globs of the files that it is made of, in the order of their paths. */
export type Concatenations = Readonly<Record<string, readonly string[]>>;

/**
 * The files that packages make of others when they are installed, such as the bundle of all certificates:
 * path → contents. Makes room for them in the tree.
 *
 * @throws TsosError `tree.nothing-to-concatenate` when no file matches.
 */
export function concatenateFiles(tree: Map<TreePath, MergedEntry>, concatenations: Concatenations): ReadonlyMap<TreePath, Buffer> {
  const result = new Map<TreePath, Buffer>();
  for (const [path, globs] of Object.entries(concatenations)) {
    const matches = compileTreeGlobs(globs);
    const parts = [...tree].sort(([a], [b]) => (a < b ? -1 : 1)).flatMap(([candidate, entry]) => {
      if (entry.kind !== "file" || !matches(candidate)) return [];
      const bytes = readFileSync(toFsPath(entry.source));
      return bytes.at(-1) === NEWLINE ? [bytes] : [bytes, Buffer.from([NEWLINE])];
    });
    if (parts.length === 0) {
      throw new TsosError({ code: "tree.nothing-to-concatenate", message: `no file of the trees matches ${globs.map((glob) => `"${glob}"`).join(", ")}, of which "${path}" is to be made` });
    }
    const parsed = parseTreePath(toByteString(path));
    const slash = parsed.lastIndexOf("/");
    tree.delete(parsed);
    if (slash > 0) addFolder(tree, parsed.slice(0, slash));
    checkParent(tree, parsed);
    result.set(parsed, Buffer.concat(parts));
  }
  return result;
}

/** Once the tree is on disk. */
export function writeConcatenations(target: string, files: ReadonlyMap<TreePath, Buffer>): void {
  for (const [path, bytes] of files) writeFileSync(toFsPath(`${toByteString(target)}/${path}`), bytes, { mode: 0o644, flag: "wx" });
}

function addFolder(tree: Map<TreePath, MergedEntry>, path: TreePath): void {
  if (!tree.has(path)) addEntry(tree, path, { kind: "directory" });
}

const NEWLINE = 10;
