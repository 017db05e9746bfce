import { writeFileSync } from "node:fs";
import { TsosError } from "../../../error/tsos-error.ts";
import { toByteString } from "../../../util/bytes.ts";
import type { ByteString } from "../../../util/bytes.ts";
import type { MergedEntry } from "./merge-trees.ts";
import { findInTree } from "./relocate.ts";
import { toFsPath } from "../../../fetch/archive/tree-path.ts";
import type { TreePath } from "../../../fetch/archive/tree-path.ts";

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

/** `bin/git` → `bin/.git-wrapped`, beside it, so that what it finds relative to itself stays found. */
export function moveWrapped(tree: Map<TreePath, MergedEntry>, path: TreePath): TreePath {
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

/** Writes the script that stands where the program was. */
export function writeWrapper(target: ByteString, path: TreePath, wrapper: Wrapper, prefix: ByteString, tree: ReadonlyMap<TreePath, MergedEntry>): void {
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
