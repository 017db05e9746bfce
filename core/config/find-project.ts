import { existsSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";

const MARKS = ["tsos.lock", "package.json", ".git"];

/** The folder that a configuration's project begins at: the nearest one above it that is marked as one. */
export function findProject(file: string): string {
  const folder = realpathSync(dirname(file));
  for (let candidate = folder; ; candidate = dirname(candidate)) {
    if (MARKS.some((name) => existsSync(join(candidate, name)))) return candidate;
    if (dirname(candidate) === candidate) return folder;
  }
}
