import { lstatSync, readdirSync, readlinkSync } from "node:fs";
import { resolve } from "node:path";
import type { SandboxPath } from "./sandbox.ts";

/** How Nix's setting `sandbox` says that there is to be none. */
export function isOff(sandbox: string | undefined): boolean {
  return sandbox === "false" || sandbox === "no" || sandbox === "0";
}

/** What of the machine a build with `sandbox = false` sees: all but what a sandbox has of its own. */
const OWN_OF_SANDBOX = new Set([
  ...["/nix", "/proc", "/dev", "/tmp", "/build", "/sys", "/etc"],
  ...["/etc/passwd", "/etc/group", "/etc/hosts", "/etc/nsswitch.conf", "/etc/resolv.conf", "/etc/services"],
]);

/** Where such a build sees the machine's `/etc`, of which its own has a link for each name but those. */
const MACHINE_ETC = "/.machine-etc";

function isEmptyFolder(path: string): boolean {
  try {
    return readdirSync(path).length === 0;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EACCES") return false;
    throw error;
  }
}

/**
 * What a build with `sandbox = false` is shown. Few mounts, since each of them costs a build a millisecond: what can be a
 * link is one, and a folder with nothing in it is made.
 */
export function machinePaths(): SandboxPath[] {
  const isOwn = (path: string): boolean => OWN_OF_SANDBOX.has(path);
  const paths = readdirSync("/").flatMap((name): SandboxPath[] => {
    const path = `/${name}`;
    if (isOwn(path)) return [];
    // On most machines /bin and /lib lead into /usr.
    const stats = lstatSync(path);
    const link = stats.isSymbolicLink() ? resolve("/", readlinkSync(path)) : undefined;
    if (stats.isDirectory() && isEmptyFolder(path)) return [{ shown: path, real: path, optional: true, isEmpty: true }];
    return link?.startsWith("/usr/") === true ? [{ shown: path, real: link, optional: true, isLink: true }] : [{ shown: path, real: path, optional: true }];
  });
  const entries = readdirSync("/etc").filter((name) => !isOwn(`/etc/${name}`));
  return [...paths, { shown: MACHINE_ETC, real: "/etc", optional: true }, ...entries.map((name) => ({ shown: `/etc/${name}`, real: `${MACHINE_ETC}/${name}`, optional: true, isLink: true }))];
}
