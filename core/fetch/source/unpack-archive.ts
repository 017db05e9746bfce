import { createReadStream, openSync, readdirSync, readSync, closeSync, statSync } from "node:fs";
import { join } from "node:path";
import { decompress, detectCompression } from "../../compression/decompress.ts";
import { TsosError } from "../../error/tsos-error.ts";
import { parseTreePath } from "../archive/tree-path.ts";
import { TreeWriter } from "../archive/tree-writer.ts";
import { readTar } from "../archive/read-tar.ts";
import { createUnpackGuard, defaultUnpackLimits, type UnpackLimits } from "./unpack-guard.ts";

export type UnpackedArchive = {
  /** The tree: the archive's only folder, if that is all there is at its top, else `target`. */
  readonly root: string;
  /** The latest time of any of its entries, in seconds. */
  readonly lastModified: number;
};

/**
 * Unpacks a tar archive (plain or compressed) or a zip archive, known by its first bytes, into the new folder `target`.
 * Nothing is ever written outside of it; modes other than "executable" are left out.
 *
 * @throws TsosError `archive.*` for one that is broken or unsafe; what was written before stays.
 */
export async function unpackArchive(file: string, target: string, options: { readonly signal?: AbortSignal | undefined; readonly limits?: UnpackLimits | undefined } = {}): Promise<UnpackedArchive> {
  const limits = options.limits ?? defaultUnpackLimits;
  const start = readStart(file);
  const lastModified = start[0] === 0x50 && start[1] === 0x4b ? await unpackZipFile(file, target, limits, options.signal) : await unpackTar(file, start, target, limits, options.signal);
  const names = readdirSync(target);
  const only = names.length === 1 ? join(target, names[0]!) : undefined;
  return { root: only !== undefined && statSync(only, { throwIfNoEntry: false })?.isDirectory() === true && !isLink(target, names[0]!) ? only : target, lastModified };
}

function isLink(folder: string, name: string): boolean {
  return readdirSync(folder, { withFileTypes: true }).some((entry) => entry.name === name && entry.isSymbolicLink());
}

async function unpackTar(file: string, start: Uint8Array, target: string, limits: UnpackLimits, signal: AbortSignal | undefined): Promise<number> {
  const writer = new TreeWriter(target);
  const guard = createUnpackGuard(limits);
  let lastModified = 0;
  const source = createReadStream(file, { highWaterMark: 256 * 1024, ...(signal === undefined ? {} : { signal }) });
  await readTar(decompress(detectCompression(start), source), (entry) => {
    guard.entry();
    lastModified = Math.max(lastModified, entry.modified);
    const path = parseTreePath(entry.path);
    switch (entry.kind) {
      case "directory":
        writer.directory(path);
        return undefined;
      case "file": {
        writer.remove(path);
        const sink = writer.file(path, entry.ownerExecutable);
        return {
          write: (bytes) => {
            guard.bytes(bytes.length);
            sink.write(bytes);
          },
          end: () => sink.end(),
        };
      }
      case "symlink":
        writer.remove(path);
        // A link is data until somebody follows it, and who reads a tree follows none that leads out.
        writer.symlink(path, entry.target, { anywhere: true });
        return undefined;
      case "hard-link":
        writer.remove(path);
        writer.hardLink(path, parseTreePath(entry.target));
        return undefined;
      default:
        throw new TsosError({
          code: "archive.unsafe-kind",
          message: `the archive's entry "${entry.path}" is of the kind "${entry.type}", expected a file, folder or link`,
          data: { path: entry.path },
        });
    }
  });
  return lastModified;
}

async function unpackZipFile(file: string, target: string, limits: UnpackLimits, signal: AbortSignal | undefined): Promise<number> {
  const { unpackZip } = await import("./unpack-zip.ts");
  return unpackZip(file, new TreeWriter(target), createUnpackGuard(limits), signal);
}

function readStart(file: string): Uint8Array {
  const descriptor = openSync(file, "r");
  try {
    const start = new Uint8Array(16);
    return start.subarray(0, readSync(descriptor, start, 0, start.length, 0));
  } finally {
    closeSync(descriptor);
  }
}
