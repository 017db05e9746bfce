import { readFileSync } from "node:fs";
import { join } from "node:path";

/** What `cli/dev/build.js` has made for evaluations: the runtime for the isolate and the workers. */
export type RuntimeFolder = {
  readonly folder: string;
  readonly version: string;
  /** Of the runtime's script and all that decides what it computes. */
  readonly hash: string;
  /** The names that `import … from "tsos"` finds. */
  readonly exports: readonly string[];
  /** Those of them that depend on the folder of the file that imports them, such as `path`. */
  readonly folderExports: readonly string[];
};

/** Reads the runtime's description in `folder`, which is tsos's `dist`. */
export function openRuntimeFolder(folder: string): RuntimeFolder {
  const data = JSON.parse(readFileSync(join(folder, "runtime.json"), "utf8")) as Omit<RuntimeFolder, "folder">;
  return { ...data, folder };
}
