import { TsosError } from "../../error/tsos-error.ts";
import type { ByteString } from "../../util/bytes.ts";

/** A path below a tree's root: names between slashes, none of them empty, `.` or `..`; the root is "". */
export type TreePath = ByteString;

/**
 * The path of an archive's entry, without `./` and a slash at its end.
 *
 * @throws TsosError `archive.unsafe-path` when it is absolute or has `..` in it.
 */
export function parseTreePath(path: ByteString): TreePath {
  const parts = path.split("/").filter((part, i, all) => part !== "." && !(part === "" && i === all.length - 1 && i > 0));
  const kept = parts.filter((part) => part !== "");
  if (path.startsWith("/") || path.includes("\0") || kept.includes("..")) {
    throw new TsosError({
      code: "archive.unsafe-path",
      message: `the archive has an entry "${path}", expected a path inside of it`,
      data: { path },
    });
  }
  return kept.join("/");
}

/**
 * Where a symbolic link at `link` points, from the tree's root, or undefined when that is outside.
 *
 * @example
 * resolveLink("usr/bin/vi", "../share/vi") // "usr/share/vi"
 * resolveLink("usr/bin/vi", "/etc/alternatives/vi") // "etc/alternatives/vi"
 */
export function resolveLink(link: TreePath, target: ByteString): TreePath | undefined {
  const parts = target.startsWith("/") ? [] : link.split("/").slice(0, -1);
  for (const part of target.split("/")) {
    if (part === "" || part === ".") continue;
    if (part !== "..") parts.push(part);
    else if (parts.pop() === undefined && !target.startsWith("/")) return undefined;
  }
  return parts.join("/");
}

/** The relative target that leads from a link at `link` to `target`, both from the tree's root. */
export function relativeTarget(link: TreePath, target: TreePath): ByteString {
  const from = link.split("/").slice(0, -1);
  const to = target === "" ? [] : target.split("/");
  let common = 0;
  while (common < from.length && common < to.length && from[common] === to[common]) common++;
  return [...from.slice(common).map(() => ".."), ...to.slice(common)].join("/") || ".";
}

/** A path as the file system's functions take it: text where it is ASCII, else its bytes. */
export function toFsPath(path: ByteString): string | Buffer {
  return /^[\x00-\x7f]*$/.test(path) ? path : Buffer.from(path, "latin1");
}

const GLOB_TOKENS: Readonly<Record<string, string>> = { "**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]", "{": "(?:", "}": ")", ",": "|" };

/** A test for paths: `*` is anything within a name, `**` any names, `{a,b}` a choice. A folder's pattern also holds for all below. */
export function compileTreeGlobs(globs: readonly string[]): (path: TreePath) => boolean {
  if (globs.length === 0) return () => false;
  const sources = globs.map((glob) => glob.replace(/\*\*\/|\*\*|[*?{},.+^$()|[\]\\]/g, (token) => GLOB_TOKENS[token] ?? `\\${token}`));
  const pattern = new RegExp(`^(?:${sources.join("|")})(?:/|$)`, "s");
  return (path) => pattern.test(path);
}

/**
 * A link's target while it is open which of two it will be: relative inside of the tree, or as it was written,
 * when the whole tree shows that it has nothing there.
 */
export function openTarget(relative: ByteString, original: ByteString): ByteString {
  return `\0${relative}\0${original}`;
}

/** Both targets of an open link. */
export function parseOpenTarget(target: ByteString): { readonly relative: ByteString; readonly original: ByteString } | undefined {
  // No real target has a zero byte.
  const [start, relative, original] = target.split("\0");
  return start === "" && relative !== undefined && original !== undefined ? { relative, original } : undefined;
}

/** The target to follow, whether it is open or not. */
export function currentTarget(target: ByteString): ByteString {
  return parseOpenTarget(target)?.relative ?? target;
}
