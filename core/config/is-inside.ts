import { realpathSync } from "node:fs";
import { sep } from "node:path";

/** Whether a path leads into a folder once links are followed. */
export function isInside(root: string, path: string): boolean {
  const [realRoot, real] = [realpathSync(root), realpathSync(path)];
  return real === realRoot || real.startsWith(realRoot + sep);
}
