import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { removeTree } from "../../../core/store/file-tree.ts";

/** In one folder for ours, the reference's and the source: figures are of the same file system. */
export async function inFolder<T>(body: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(process.env["TSOS_BENCH_DIR"] ?? tmpdir(), "tsos-bench-"));
  try {
    return await body(folder);
  } finally {
    await removeTree(folder);
  }
}
