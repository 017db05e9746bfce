import { unpackDebArchive } from "../archive/unpack-deb-archive.ts";
import type { UnpackDebTask } from "../archive/unpack-deb-archive.ts";
import { unpackNpmArchive } from "../archive/unpack-npm-archive.ts";
import type { UnpackNpmTask } from "../archive/unpack-npm-archive.ts";
import { composeTree } from "../tree/compose-tree.ts";
import type { ComposeTask } from "../tree/compose-tree.ts";
import { patchTree } from "../tree/patch-tree.ts";
import type { PatchTask } from "../tree/patch-tree.ts";
import { unreachable } from "../../../util/unreachable.ts";

/** What takes so long that it runs beside the main thread: plain data, sent to a worker. */
export type BuiltinTask = UnpackDebTask | UnpackNpmTask | ComposeTask | PatchTask;

export async function runBuiltinTask(task: BuiltinTask): Promise<void> {
  switch (task.kind) {
    case "unpack-deb":
      return unpackDebArchive(task);
    case "unpack-npm":
      return unpackNpmArchive(task);
    case "compose":
      return composeTree(task);
    case "patch-elf":
      return patchTree(task);
    default:
      return unreachable(task);
  }
}
