/**
 * Bubblewrap reads the kernel's whole list of mounts again for each mount it makes, and takes at most 9,000
 * words: a closure of thousands of paths would cost it half a minute, or fail. So the inputs of a large closure
 * are mounted beforehand, by this program inside a namespace that holds nothing else new: an outer bubblewrap
 * runs Node, which mounts and then runs the builder's bubblewrap.
 */
import { createRequire } from "node:module";
import type { Tool } from "./tool.ts";

/** Up to so many inputs are left to bubblewrap, which is done with them in the time that Node takes to start. */
export const MOUNTS_OF_BUBBLEWRAP = 150;

export type MountJob = {
  /** What is shown read-only, and the place in the scratch store (an empty file or folder) where. */
  readonly binds: readonly (readonly [real: string, place: string])[];
  readonly command: string;
  readonly args: readonly string[];
  /** How many descriptors from 3 on the command gets. */
  readonly descriptors: number;
};

// linux/mount.h: MS_BIND | MS_REC, then MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV.
const MOUNTER = `
const { readFileSync } = require("node:fs");
const { spawnSync } = require("node:child_process");
const koffi = require(process.argv[1]);
const job = JSON.parse(readFileSync(Number(process.argv[2]), "utf8"));
const mount = koffi.load(null).func("int mount(const char *source, const char *target, const char *type, unsigned long flags, const void *data)");
for (const [real, place] of job.binds) {
  if (mount(real, place, null, 4096 | 16384, null) !== 0 || mount(null, place, null, 32 | 4096 | 1 | 2 | 4, null) !== 0) {
    console.error("bwrap: mount of " + real + " failed with error " + koffi.errno());
    process.exit(1);
  }
}
const stdio = Array.from({ length: 3 + job.descriptors }, (_, i) => i);
const end = spawnSync(job.command, job.args, { stdio, env: {} });
if (end.error) console.error("bwrap: " + end.error.message);
process.exit(end.status ?? 1);
`;

/** The command that mounts what the job at `descriptor` says, and then runs its command. */
export function mounterCommand(bubblewrap: Tool, descriptor: number): Tool {
  const koffi = createRequire(import.meta.url).resolve("koffi");
  return {
    command: bubblewrap.command,
    args: [
      ...bubblewrap.args,
      // No process namespace: the inner bubblewrap looks itself up in the /proc that is mounted here.
      ...["--unshare-user", "--uid", "0", "--gid", "0", "--cap-add", "ALL", "--die-with-parent"],
      ...["--dev-bind", "/", "/", "--", process.execPath, "-e", MOUNTER, koffi, String(descriptor)],
    ],
  };
}
