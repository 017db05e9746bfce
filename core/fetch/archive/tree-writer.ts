import { closeSync, linkSync, mkdirSync, openSync, rmSync, symlinkSync, writeSync } from "node:fs";
import { TsosError } from "../../error/tsos-error.ts";
import type { ByteString } from "../../util/bytes.ts";
import { toByteString } from "../../util/bytes.ts";
import type { TarSink } from "./read-tar.ts";
import { resolveLink, toFsPath } from "./tree-path.ts";
import type { TreePath } from "./tree-path.ts";

/**
 * Creates a tree below a folder that does not exist yet, from entries that nobody checked: an entry that
 * would lie behind a symbolic link or in a file, or that is there already, is an error. So nothing is ever
 * written outside.
 */
export class TreeWriter {
  private readonly kinds = new Map<TreePath, "directory" | "file" | "symlink">([["", "directory"]]);
  private readonly root: ByteString;

  constructor(root: string) {
    this.root = toByteString(root);
    mkdirSync(root);
  }

  /** `mkdir -p` inside the tree. */
  directory(path: TreePath): void {
    const kind = this.kinds.get(path);
    if (kind === "directory") return;
    if (kind !== undefined) throw conflict(path, `there is a ${kind} already`);
    const slash = path.lastIndexOf("/");
    this.directory(slash < 0 ? "" : path.slice(0, slash));
    mkdirSync(this.locate(path));
    this.kinds.set(path, "directory");
  }

  file(path: TreePath, executable: boolean): TarSink {
    this.claim(path, "file");
    // The only bit of a mode that a store keeps; so setuid, setgid and sticky end here.
    const descriptor = openSync(this.locate(path), "wx", executable ? 0o755 : 0o644);
    return {
      write(bytes) {
        for (let offset = 0; offset < bytes.length; ) offset += writeSync(descriptor, bytes, offset, bytes.length - offset);
      },
      end: () => closeSync(descriptor),
    };
  }

  /**
   * Links that leave the tree by `..` are refused, unless they may lead `anywhere`; absolute ones mean the root of
   * whoever uses the tree.
   */
  symlink(path: TreePath, target: ByteString, { anywhere = false }: { readonly anywhere?: boolean } = {}): void {
    if (target === "" || target.includes("\0") || (!anywhere && resolveLink(path, target) === undefined)) {
      throw new TsosError({
        code: "archive.unsafe-link",
        message: `the archive has a link "${path}" to "${target}", expected a target inside of it`,
        data: { path, target },
      });
    }
    this.claim(path, "symlink");
    symlinkSync(toFsPath(target), this.locate(path));
  }

  hardLink(path: TreePath, target: TreePath): void {
    if (this.kinds.get(target) !== "file") throw conflict(path, `it is a hard link to "${target}", which is no earlier file`);
    this.claim(path, "file");
    linkSync(this.locate(target), this.locate(path));
  }

  /** Takes a file or link away, for a later entry of the same name: an archive that was appended to has such. */
  remove(path: TreePath): void {
    const kind = this.kinds.get(path);
    if (kind === undefined || kind === "directory") return;
    rmSync(this.locate(path));
    this.kinds.delete(path);
  }

  has(path: TreePath): boolean {
    return this.kinds.has(path);
  }

  private claim(path: TreePath, kind: "file" | "symlink"): void {
    const existing = this.kinds.get(path);
    if (existing !== undefined) throw conflict(path, `there is a ${existing} already`);
    const slash = path.lastIndexOf("/");
    this.directory(slash < 0 ? "" : path.slice(0, slash));
    this.kinds.set(path, kind);
  }

  private locate(path: TreePath): string | Buffer {
    return toFsPath(path === "" ? this.root : `${this.root}/${path}`);
  }
}

function conflict(path: TreePath, reason: string): TsosError {
  return new TsosError({ code: "archive.conflict", message: `the archive's entry "${path}" cannot be made: ${reason}`, data: { path } });
}
