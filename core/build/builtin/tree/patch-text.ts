import { readFileSync } from "node:fs";
import type { ByteString } from "../../../util/bytes.ts";
import type { MergedTree } from "./merge-trees.ts";
import { findInTree } from "./relocate.ts";
import { toFsPath } from "../../../fetch/archive/tree-path.ts";

/** A script with the tree's interpreter and own paths, or undefined where nothing changes. */
export function patchText(source: ByteString, tree: MergedTree, prefix: ByteString, configuration: boolean): Buffer | undefined {
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

const OWN_PATH = /(?<![\w.$~}/-])\/(?:usr\/)?(?:bin|sbin|lib|libexec|share|include)\/[A-Za-z0-9_+.@%/-]*[A-Za-z0-9_+@%-]/g;
