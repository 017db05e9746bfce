import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Where a cgroup hierarchy is mounted, and this process's place in it. */
export type CgroupHierarchy = { readonly mountPoint: string; readonly path: string; readonly isUnified: boolean };

/**
 * The hierarchies of this process, from the texts of /proc/self/cgroup and /proc/self/mounts.
 *
 * @example
 * parseCgroups("0::/user.slice\n", "cgroup2 /sys/fs/cgroup cgroup2 rw 0 0\n")
 * // [{ mountPoint: "/sys/fs/cgroup", path: "/user.slice", isUnified: true }]
 */
export function parseCgroups(cgroupText: string, mountsText: string): readonly CgroupHierarchy[] {
  const mounts = mountsText.split("\n").map((line) => line.split(" "));
  const result: CgroupHierarchy[] = [];
  for (const line of cgroupText.split("\n")) {
    const match = /^(\d+):([^:]*):(.*)$/.exec(line);
    if (!match) continue;
    const [, id, controllers = "", path = "/"] = match;
    const isUnified = id === "0" && controllers === "";
    const mount = mounts.find(([, , type, options = ""]) => {
      if (isUnified) return type === "cgroup2";
      const present = options.split(",");
      return type === "cgroup" && controllers.split(",").every((one) => present.includes(one));
    });
    if (mount?.[1] !== undefined) result.push({ mountPoint: mount[1], path, isUnified });
  }
  return result;
}

/**
 * Makes a cgroup `name` below this process's own in every hierarchy that allows it; their folders. A machine's
 * systemd needs one of its own, and everything in it can be found and ended by it.
 */
export function makeCgroups(name: string): readonly string[] {
  const folders: string[] = [];
  for (const { mountPoint, path, isUnified } of parseCgroups(readFileSync("/proc/self/cgroup", "utf8"), readFileSync("/proc/self/mounts", "utf8"))) {
    const parent = join(mountPoint, path);
    const folder = join(parent, name);
    try {
      mkdirSync(folder);
      if (!isUnified && existsSync(join(folder, "cpuset.cpus"))) {
        // A version 1 cpuset starts empty and takes no process until it is filled.
        for (const file of ["cpuset.cpus", "cpuset.mems"]) writeFileSync(join(folder, file), readFileSync(join(parent, file)));
      }
      folders.push(folder);
    } catch {
      // A hierarchy that cannot be written is one that the machine does without.
      removeCgroup(folder);
    }
  }
  return folders;
}

/** Removes an empty cgroup with those below it; what is still in use stays. */
export function removeCgroup(folder: string): void {
  try {
    for (const entry of readdirSync(folder, { withFileTypes: true })) if (entry.isDirectory()) removeCgroup(join(folder, entry.name));
    rmdirSync(folder);
  } catch {
    // Gone already, or still used.
  }
}
