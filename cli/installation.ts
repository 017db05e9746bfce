import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { assert } from "../core/util/unreachable.ts";

/** The folder that holds tsos itself (package.json, core, templates, dist), from the place of the running file. */
export function findInstallation(): string {
  let folder = import.meta.dirname;
  while (!existsSync(join(folder, "templates")) || !existsSync(join(folder, "package.json"))) {
    const parent = dirname(folder);
    assert(parent !== folder, "tsos's own folder is not above its running file");
    folder = parent;
  }
  return folder;
}
