import { dumpPath } from "../../nar/dump-path.ts";
import { readNar } from "../../nar/read-nar.ts";
import { RestoreVisitor } from "../../nar/restore-path.ts";

/** Copies a file or folder as a store would, but with folders that their owner can move and remove. */
export async function copyTree(source: string, target: string, signal?: AbortSignal): Promise<void> {
  using visitor = new WritableFolders(target);
  await readNar(dumpPath(source, { signal }), visitor);
}

class WritableFolders extends RestoreVisitor {
  // They stay as they were made: 0700.
  override endDirectory(): void {}
}
