/** A file system of which one knows what is on the disk and what only in memory, so that the power can be cut. */
import { chmodSync, copyFileSync, linkSync, lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

type Inode = {
  readonly kind: "file" | "folder" | "link";
  readonly target?: string;
  /** Where its first contents lie; undefined for one that was made since. */
  readonly original?: string;
  readonly mode: number;
};

type Change =
  /** Names that change together, as a rename's two do. */
  | { readonly kind: "names"; readonly names: readonly { readonly folder: number; readonly name: string; readonly inode: number | undefined }[] }
  | { readonly kind: "data"; readonly inode: number; readonly offset: number; readonly bytes: Buffer }
  | { readonly kind: "size"; readonly inode: number; readonly size: number }
  | { readonly kind: "mode"; readonly inode: number; readonly mode: number }
  | { readonly kind: "sync"; readonly inode: number }
  | { readonly kind: "sync-all" };

/**
 * What of the changes that nobody synced is on the disk after a power cut. `nothing`: none of it, the strictest reading
 * of POSIX. `names`: names, links and modes, but no contents, as of a journal of metadata. `contents`: contents that were
 * written over those of a file that was there, but no names.
 */
export type Survival = "nothing" | "names" | "contents";

export class SimulatedDisk {
  readonly #inodes: Inode[] = [];
  readonly #changes: Change[] = [];
  /** What was there at first: folder → names. */
  readonly #original = new Map<number, Map<string, number>>();
  readonly #names = new Map<number, Map<string, number>>();
  readonly #contents = new Map<number, Buffer>();
  readonly root: number;

  /** @param folder what is on the disk at the beginning */
  constructor(folder: string) {
    this.root = this.#load(folder, new Map());
    for (const [inode, names] of this.#original) this.#names.set(inode, new Map(names));
  }

  #load(file: string, known: Map<number, number>): number {
    const stats = lstatSync(file);
    const seen = stats.isFile() ? known.get(stats.ino) : undefined;
    if (seen !== undefined) return seen;
    const kind = stats.isDirectory() ? "folder" : stats.isSymbolicLink() ? "link" : "file";
    const inode = this.#inodes.push({ kind, mode: stats.mode & 0o7777, original: file, ...(kind === "link" ? { target: readlinkSync(file) } : {}) }) - 1;
    if (kind === "file") known.set(stats.ino, inode);
    if (kind === "folder") this.#original.set(inode, new Map(readdirSync(file).map((name) => [name, this.#load(join(file, name), known)])));
    return inode;
  }

  /** How many changes there were; the power can be cut after each. */
  get length(): number {
    return this.#changes.length;
  }

  /** Whether the change before `at` was one, not a sync. */
  changesAt(at: number): boolean {
    return !this.#changes[at - 1]!.kind.startsWith("sync");
  }

  kindOf(inode: number): Inode["kind"] {
    return this.#inodes[inode]!.kind;
  }

  targetOf(inode: number): string {
    return this.#inodes[inode]!.target!;
  }

  find(folder: number, name: string): number | undefined {
    return this.#names.get(folder)?.get(name);
  }

  make(folder: number, name: string, node: { readonly kind: Inode["kind"]; readonly mode: number; readonly target?: string }): number {
    const inode = this.#inodes.push(node) - 1;
    if (node.kind === "folder") this.#names.set(inode, new Map());
    this.setNames([{ folder, name, inode }]);
    return inode;
  }

  setNames(names: readonly { readonly folder: number; readonly name: string; readonly inode: number | undefined }[]): void {
    for (const { folder, name, inode } of names) {
      if (inode === undefined) this.#names.get(folder)!.delete(name);
      else this.#names.get(folder)!.set(name, inode);
    }
    this.#changes.push({ kind: "names", names });
  }

  read(inode: number): Buffer {
    let contents = this.#contents.get(inode);
    if (contents === undefined) {
      const { original } = this.#inodes[inode]!;
      this.#contents.set(inode, (contents = original === undefined ? Buffer.alloc(0) : readFileSync(original)));
    }
    return contents;
  }

  write(inode: number, offset: number, bytes: Buffer): void {
    this.#contents.set(inode, written(this.read(inode), offset, bytes));
    this.#changes.push({ kind: "data", inode, offset, bytes });
  }

  truncate(inode: number, size: number): void {
    this.#contents.set(inode, resized(this.read(inode), size));
    this.#changes.push({ kind: "size", inode, size });
  }

  setMode(inode: number, mode: number): void {
    this.#changes.push({ kind: "mode", inode, mode });
  }

  /** Of a file: its contents and mode. Of a folder: its names. */
  sync(inode: number): void {
    this.#changes.push({ kind: "sync", inode });
  }

  syncAll(): void {
    this.#changes.push({ kind: "sync-all" });
  }

  /** The changes that are on the disk when the power goes after the first `at`. */
  survivors(at: number, survival: Survival): readonly number[] {
    const synced = new Set<number>();
    let all = false;
    const result: number[] = [];
    for (let i = at - 1; i >= 0; i--) {
      const change = this.#changes[i]!;
      if (change.kind === "sync-all") all = true;
      else if (change.kind === "sync") synced.add(change.inode);
      else if (change.kind === "names") {
        // A file system writes a rename whole: the sync of either folder brings both names.
        if (all || survival === "names" || change.names.some(({ folder }) => synced.has(folder))) result.push(i);
      } else if (all || synced.has(change.inode) || survival === (change.kind === "mode" ? "names" : "contents")) result.push(i);
    }
    return result.reverse();
  }

  /** Writes what is on the disk, then, to the new folder `target`; undefined for all changes. */
  materialise(survivors: readonly number[] | undefined, target: string): void {
    const names = new Map([...this.#original].map(([inode, entries]) => [inode, new Map(entries)]));
    const contents = new Map<number, Buffer>();
    const modes = new Map<number, number>();
    const contentsOf = (inode: number): Buffer => {
      const { original } = this.#inodes[inode]!;
      return contents.get(inode) ?? (original === undefined ? Buffer.alloc(0) : readFileSync(original));
    };
    for (const i of survivors ?? this.#changes.keys()) {
      const change = this.#changes[i]!;
      if (change.kind === "names") {
        for (const { folder, name, inode } of change.names) {
          const entries = names.get(folder) ?? new Map<string, number>();
          names.set(folder, entries);
          if (inode === undefined) entries.delete(name);
          else entries.set(name, inode);
        }
      } else if (change.kind === "data") contents.set(change.inode, written(contentsOf(change.inode), change.offset, change.bytes));
      else if (change.kind === "size") contents.set(change.inode, resized(contentsOf(change.inode), change.size));
      else if (change.kind === "mode") modes.set(change.inode, change.mode);
    }
    const placed = new Map<number, string>();
    const place = (inode: number, file: string): void => {
      const { kind, target: linkTarget, original, mode } = this.#inodes[inode]!;
      if (kind === "link") symlinkSync(linkTarget!, file);
      else if (kind === "folder") {
        mkdirSync(file);
        for (const [name, child] of names.get(inode) ?? []) place(child, join(file, name));
        chmodSync(file, modes.get(inode) ?? mode);
      } else {
        const twin = placed.get(inode);
        if (twin !== undefined) return linkSync(twin, file);
        placed.set(inode, file);
        const changed = contents.get(inode);
        if (changed === undefined && original !== undefined) copyFileSync(original, file);
        else writeFileSync(file, changed ?? "");
        chmodSync(file, modes.get(inode) ?? mode);
      }
    };
    place(this.root, target);
  }
}

function written(before: Buffer, offset: number, bytes: Buffer): Buffer {
  const after = Buffer.alloc(Math.max(before.length, offset + bytes.length));
  before.copy(after);
  bytes.copy(after, offset);
  return after;
}

function resized(before: Buffer, size: number): Buffer {
  const after = Buffer.alloc(size);
  before.copy(after);
  return after;
}
