import { closeSync, constants, fstatSync, lstatSync, openSync, readlinkSync, readSync } from "node:fs";
import { TsosError } from "../../error/tsos-error.ts";
import { toFsPath } from "../../nar/fs-path.ts";
import { bytesToByteString, toByteString, type ByteString } from "../../util/bytes.ts";
import { parseTreePath } from "../archive/tree-path.ts";
import type { TarSink } from "../archive/read-tar.ts";
import type { TreeWriter } from "../archive/tree-writer.ts";
import { readTar } from "../archive/read-tar.ts";
import { runGit, streamGit, type GitRepository } from "./run-git.ts";
import type { SourceContext } from "./scheme.ts";

/** A commit's entry: a file's blob, a link's, or a submodule's commit. */
type TreeEntry = { readonly mode: string; readonly id: string; readonly path: ByteString };

/** Where a tree is written to. */
export type TreeTarget = Pick<TreeWriter, "directory" | "file" | "symlink">;

/** Writes a commit's tree into `writer`: blobs as they are, without filters; submodules as empty folders. */
export async function writeCommit(repository: GitRepository, rev: string, writer: TreeTarget, exportIgnore: boolean, context: SourceContext): Promise<void> {
  const listed = parseEntries(await runGit(repository, ["ls-tree", "-r", "-z", "--full-tree", rev], context));
  const kept = exportIgnore ? await findExported(repository, rev, context) : undefined;
  const entries = kept === undefined ? listed : listed.filter((entry) => kept.has(entry.path));
  const blobs = entries.filter((entry) => entry.mode !== "160000");
  for (const entry of entries) if (entry.mode === "160000") writer.directory(parseTreePath(entry.path));
  const reader = new BatchReader(streamGit(repository, ["cat-file", "--batch"], context, blobs.map((entry) => `${entry.id}\n`).join("")));
  for (const { path, mode, id } of blobs) {
    if (mode === "120000") {
      const parts: Uint8Array[] = [];
      await reader.next(id, { write: (bytes) => void parts.push(bytes.slice()), end: () => undefined });
      writer.symlink(parseTreePath(path), bytesToByteString(Buffer.concat(parts)), { anywhere: true });
    } else {
      await reader.next(id, writer.file(parseTreePath(path), mode === "100755"));
    }
  }
  await reader.end();
}

/** Copies tracked files of a working tree into `writer`, as they are on disk; those that are gone are left out. */
export async function writeWorkTree(repository: GitRepository & { readonly workTree: string }, writer: TreeTarget, exportIgnore: boolean, context: SourceContext): Promise<void> {
  const root = toByteString(repository.workTree);
  const folders = new Map<ByteString, boolean>([["", true]]);
  // A link in the place of a folder leads to files that are not the repository's.
  const isFolder = (path: ByteString): boolean => {
    let known = folders.get(path);
    if (known === undefined) {
      const slash = path.lastIndexOf("/");
      known = isFolder(slash < 0 ? "" : path.slice(0, slash)) && lstatSync(toFsPath(`${root}/${path}`), { throwIfNoEntry: false })?.isDirectory() === true;
      folders.set(path, known);
    }
    return known;
  };
  const listed = bytesToByteString(await runGit(repository, ["ls-files", "-z"], context)).split("\0");
  const ignored = exportIgnore ? await findIgnored(repository, listed, context) : undefined;
  const buffer = new Uint8Array(1 << 16);
  for (const name of new Set(listed)) {
    if (name === "" || ignored?.(name) === true) continue;
    const slash = name.lastIndexOf("/");
    if (!isFolder(slash < 0 ? "" : name.slice(0, slash))) continue;
    const file = toFsPath(`${root}/${name}`);
    const stats = lstatSync(file, { throwIfNoEntry: false });
    if (stats?.isSymbolicLink() === true) writer.symlink(parseTreePath(name), readlinkSync(file, "latin1"), { anywhere: true });
    else if (stats?.isFile() === true) copyFile(file, writer, name, buffer);
    context.signal?.throwIfAborted();
  }
}

/** Whether a path, or a folder that it is in, has the attribute `export-ignore` in the working tree. */
async function findIgnored(repository: GitRepository & { readonly workTree: string }, names: readonly ByteString[], context: SourceContext): Promise<(name: ByteString) => boolean> {
  const all = new Set<ByteString>();
  for (const name of names) for (let end = name.length; end > 0; end = name.lastIndexOf("/", end - 1)) all.add(name.slice(0, end));
  const output = await runGit(repository, ["check-attr", "-z", "--stdin", "export-ignore"], context, { input: Buffer.from([...all].map((name) => `${name}\0`).join(""), "latin1"), cwd: repository.workTree });
  const words = bytesToByteString(output).split("\0");
  const ignored = new Set<ByteString>();
  for (let i = 0; i + 2 < words.length; i += 3) if (words[i + 2] === "set") ignored.add(words[i]!);
  return (name) => {
    for (let end = name.length; end > 0; end = name.lastIndexOf("/", end - 1)) if (ignored.has(name.slice(0, end))) return true;
    return false;
  };
}

function copyFile(file: string | Buffer, writer: TreeTarget, name: ByteString, buffer: Uint8Array): void {
  const descriptor = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    const sink = writer.file(parseTreePath(name), (fstatSync(descriptor).mode & 0o100) !== 0);
    for (let read = readSync(descriptor, buffer); read > 0; read = readSync(descriptor, buffer)) sink.write(buffer.subarray(0, read));
    sink.end();
  } finally {
    closeSync(descriptor);
  }
}

function parseEntries(output: Buffer): readonly TreeEntry[] {
  return bytesToByteString(output)
    .split("\0")
    .filter((line) => line !== "")
    .map((line) => {
      const tab = line.indexOf("\t");
      const [mode = "", , id = ""] = line.slice(0, tab).split(" ");
      return { mode, id, path: line.slice(tab + 1) };
    });
}

/** The paths that `git archive` would take: those without the attribute `export-ignore`. */
async function findExported(repository: GitRepository, rev: string, context: SourceContext): Promise<ReadonlySet<ByteString>> {
  const names = new Set<ByteString>();
  await readTar(streamGit(repository, ["archive", "--format=tar", rev], context, ""), (entry) => {
    names.add(entry.path.replace(/\/$/, ""));
    return undefined;
  });
  return names;
}

/** Reads what `git cat-file --batch` writes: a line that tells the size, the bytes, a line's end. */
class BatchReader {
  private readonly chunks: AsyncGenerator<Buffer>;
  private buffer: Buffer = Buffer.alloc(0);

  constructor(chunks: AsyncGenerator<Buffer>) {
    this.chunks = chunks;
  }

  async next(id: string, sink: TarSink): Promise<void> {
    let end = this.buffer.indexOf(10);
    while (end < 0) {
      if (!(await this.more())) throw truncated(id);
      end = this.buffer.indexOf(10);
    }
    const header = this.buffer.subarray(0, end).toString("latin1");
    const match = /^[0-9a-f]+ blob (\d+)$/.exec(header);
    if (match === null) throw new TsosError({ code: "source.git-failed", message: `git has no blob "${id}": ${header}` });
    this.buffer = this.buffer.subarray(end + 1);
    for (let left = Number(match[1]); left > 0; ) {
      if (this.buffer.length === 0 && !(await this.more())) throw truncated(id);
      const part = this.buffer.subarray(0, left);
      sink.write(part);
      left -= part.length;
      this.buffer = this.buffer.subarray(part.length);
    }
    sink.end();
    if (this.buffer.length === 0 && !(await this.more())) throw truncated(id);
    this.buffer = this.buffer.subarray(1);
  }

  async end(): Promise<void> {
    while (await this.more());
  }

  private async more(): Promise<boolean> {
    const { done, value } = await this.chunks.next();
    if (done === true) return false;
    this.buffer = this.buffer.length === 0 ? value : Buffer.concat([this.buffer, value]);
    return true;
  }
}

function truncated(id: string): TsosError {
  return new TsosError({ code: "source.git-failed", message: `git ended inside the blob "${id}"` });
}
