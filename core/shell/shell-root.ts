import { createHash } from "node:crypto";
import { lstatSync, readlinkSync } from "node:fs";
import { join } from "node:path";

/**
 * The link that keeps a project's shell from being collected, one for each project. Whoever makes it has
 * realised the shell before, so while it is there the shell and its packages are valid: no need to ask the store.
 */
export function shellRootLink(stateDir: string, project: string): string {
  return join(stateDir, "shells", createHash("sha256").update(project).digest("hex").slice(0, 32));
}

/** Whether `link` keeps `outPath`, and that is there. `physical` gives where a store path is on disk. */
export function isShellRooted(link: string, outPath: string, physical: (path: string) => string): boolean {
  try {
    if (readlinkSync(link) !== physical(outPath) && readlinkSync(link) !== outPath) return false;
    return lstatSync(physical(outPath)).isDirectory();
  } catch {
    return false;
  }
}
