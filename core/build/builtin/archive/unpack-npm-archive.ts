import { createReadStream } from "node:fs";
import { decompress } from "../../../compression/decompress.ts";
import { TsosError } from "../../../error/tsos-error.ts";
import { readTar } from "../../../fetch/archive/read-tar.ts";
import { compileTreeGlobs, parseTreePath } from "../../../fetch/archive/tree-path.ts";
import type { TreePath } from "../../../fetch/archive/tree-path.ts";
import { TreeWriter } from "../../../fetch/archive/tree-writer.ts";

export type UnpackNpmTask = {
  readonly kind: "unpack-npm";
  readonly source: string;
  readonly target: string;
  /** Where in the target the package goes; "" is the target itself. */
  readonly folder: string;
  /** Globs of paths to leave out. */
  readonly prune: readonly string[];
  /** Paths that become executable whatever the archive says: npm does that for a package's `bin`. */
  readonly executables: readonly string[];
};

/** Unpacks an npm tarball without the folder that all of it lies in (`package/`, whatever its name). */
export async function unpackNpmArchive(task: UnpackNpmTask): Promise<void> {
  const pruned = compileTreeGlobs(task.prune);
  const executables = new Set<TreePath>(task.executables.map((path) => parseTreePath(path)));
  const folder = parseTreePath(task.folder);
  const inFolder = (path: TreePath): TreePath => (folder === "" ? path : `${folder}/${path}`);
  const writer = new TreeWriter(task.target);
  const bytes = createReadStream(task.source, { highWaterMark: 256 * 1024 });
  await readTar(decompress("gzip", bytes), (entry) => {
    const path = parseTreePath(entry.path).replace(/^[^/]*\/?/s, "");
    if (path === "" || pruned(path)) return undefined;
    switch (entry.kind) {
      case "directory":
        writer.directory(inFolder(path));
        return undefined;
      case "file":
        return writer.file(inFolder(path), entry.executable || executables.has(path));
      default:
        // npm itself unpacks nothing else.
        throw new TsosError({
          code: "archive.unsafe-kind",
          message: `the npm tarball's entry "${entry.path}" is of the kind "${entry.type}", expected a file or folder`,
          data: { path: entry.path },
        });
    }
  });
  for (const path of executables) {
    if (!writer.has(inFolder(path))) {
      throw new TsosError({ code: "archive.no-program", message: `the npm tarball has no "${path}", which its "bin" names`, data: { path } });
    }
  }
}
