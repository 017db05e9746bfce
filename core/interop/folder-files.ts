import { lstatSync, readdirSync, readFileSync, readlinkSync, type Dirent, type Stats } from "node:fs";
import { encodeBase16 } from "../hash/base16.ts";
import { hashBytes } from "../hash/hash.ts";
import { narHashOfPathSync } from "../nar/dump-path.ts";
import { toFsPath } from "../nar/fs-path.ts";
import type { NixFileKind } from "../nix/nix-io.ts";
import { toByteString, type ByteString } from "../util/bytes.ts";
import type { SourceFiles } from "./source-files.ts";

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
    kind(path) {
      const stats = lstatSync(toFsPath(real(path)), { throwIfNoEntry: false });
      return stats === undefined ? undefined : kindOf(stats);
    },
    read: (path) => readFileSync(toFsPath(real(path)), "latin1"),
    list: (path) => new Map(readdirSync(toFsPath(real(path)), { withFileTypes: true, encoding: "latin1" }).map((entry): [ByteString, NixFileKind] => [entry.name, kindOf(entry)])),
    link: (path) => readlinkSync(toFsPath(real(path)), "latin1"),
    hash(path, method, excluded) {
      const file = real(path);
      const without = new Set(excluded.map(real));
      const digest = method === "flat" ? hashBytes("sha256", readFileSync(toFsPath(file))).digest : narHashOfPathSync(file, { include: (inner) => !without.has(inner) }).hash.digest;
      return { hash: `sha256:${encodeBase16(digest)}`, file, excluded: [...without] };
    },
  };
}

function kindOf(entry: Stats | Dirent): NixFileKind {
  return entry.isFile() ? "regular" : entry.isDirectory() ? "directory" : entry.isSymbolicLink() ? "symlink" : "unknown";
}
