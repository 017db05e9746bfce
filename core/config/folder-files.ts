import { lstatSync, readdirSync, readFileSync, readlinkSync, type Dirent, type Stats } from "node:fs";
import { encodeBase16 } from "../hash/base16.ts";
import { hashBytes } from "../hash/hash.ts";
import { narHashOfPathSync } from "../nar/dump-path.ts";
import { toFsPath } from "../nar/fs-path.ts";
import type { NixFileKind } from "../nix/nix-io.ts";
import { toByteString, type ByteString } from "../util/bytes.ts";
import { RAW_ANSWER, type SourceCall, type SourceFiles } from "./source-files.ts";

/**
 * Files of this machine as sources of an evaluation: `places` says where each announced store path (in full) really is.
 * A symbolic link is shown, never followed; what it leads to is looked up like any other path.
 */
export function createFolderFiles(places: ReadonlyMap<string, string>): SourceFiles {
  const roots = [...places].map(([path, place]): readonly [ByteString, ByteString] => [toByteString(path), toByteString(place)]);
  const real = (path: ByteString): ByteString => {
    for (const [root, place] of roots) if (path === root || path.startsWith(`${root}/`)) return place + path.slice(root.length);
    throw new Error(`"${path}" is below no source`);
  };
  return {
    kind: (path) => kindAt(real(path)),
    read: (path) => readFileSync(toFsPath(real(path)), "latin1"),
    list: (path) => new Map(entriesOf(real(path))),
    link: (path) => readlinkSync(toFsPath(real(path)), "latin1"),
    hash(path, method, excluded) {
      const file = real(path);
      const without = excluded.map(real);
      return { hash: hashAt(file, method, new Set(without)), file, excluded: without };
    },
  };
}

/**
 * Answers the isolate for an input whose tree is at `root`. The isolate makes paths out of names; `..` it has none,
 * and what links lead to it asks for itself.
 */
export function answerSourceCall(root: string, call: SourceCall): string {
  const at = (path: ByteString): ByteString => {
    if (path.split("/").includes("..")) throw new Error("a path leads upwards");
    return path === "" ? toByteString(root) : `${toByteString(root)}/${path}`;
  };
  const path = at(call.path);
  switch (call.ask) {
    case "kind":
      return JSON.stringify(kindAt(path) ?? null);
    case "read":
      return RAW_ANSWER + readFileSync(toFsPath(path), "latin1");
    case "list":
      return JSON.stringify(entriesOf(path));
    case "link":
      return RAW_ANSWER + readlinkSync(toFsPath(path), "latin1");
    case "hash":
      return JSON.stringify(hashAt(path, call.method ?? "nar", new Set((call.excluded ?? []).map(at))));
  }
}

function kindAt(path: ByteString): NixFileKind | undefined {
  const stats = lstatSync(toFsPath(path), { throwIfNoEntry: false });
  return stats === undefined ? undefined : kindOf(stats);
}

function entriesOf(path: ByteString): [ByteString, NixFileKind][] {
  return readdirSync(toFsPath(path), { withFileTypes: true, encoding: "latin1" }).map((entry) => [entry.name, kindOf(entry)]);
}

function hashAt(path: ByteString, method: "nar" | "flat", excluded: ReadonlySet<ByteString>): string {
  const digest = method === "flat" ? hashBytes("sha256", readFileSync(toFsPath(path))).digest : narHashOfPathSync(path, { include: (inner) => !excluded.has(inner) }).hash.digest;
  return `sha256:${encodeBase16(digest)}`;
}

function kindOf(entry: Stats | Dirent): NixFileKind {
  return entry.isFile() ? "regular" : entry.isDirectory() ? "directory" : entry.isSymbolicLink() ? "symlink" : "unknown";
}
