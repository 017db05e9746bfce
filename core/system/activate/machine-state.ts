import { lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { NO_ALLOCATIONS, type IdAllocations } from "./id-allocation.ts";
import { type EtcNode, type EtcSnapshot, type OwnedCopies, STATIC_LINK_TARGET } from "./etc-plan.ts";
import type { UserFiles } from "./user-plan.ts";

/** Where the activator keeps what it must know about a machine, below its root. */
export const STATE_FOLDER = "/var/lib/tsos";

/** A machine by its root folder; `""` is the one that this process runs on. */
export type MachineRoot = string;

export function readIdAllocations(root: MachineRoot): IdAllocations {
  const text = readText(join(root, STATE_FOLDER, "ids.json"));
  return text === undefined ? NO_ALLOCATIONS : { ...NO_ALLOCATIONS, ...(JSON.parse(text) as IdAllocations) };
}

export function readOwnedCopies(root: MachineRoot): OwnedCopies {
  const text = readText(join(root, STATE_FOLDER, "etc-copies.json"));
  return text === undefined ? {} : (JSON.parse(text) as OwnedCopies);
}

export function readUserFiles(root: MachineRoot): UserFiles {
  const read = (name: string): string => readText(join(root, "/etc", name)) ?? "";
  return {
    passwd: read("passwd"),
    group: read("group"),
    shadow: read("shadow"),
    gshadow: read("gshadow"),
    subuid: read("subuid"),
    subgid: read("subgid"),
  };
}

/** /etc as it is, read when asked for but for the own links, which are found by walking it once. */
export function snapshotEtc(root: MachineRoot): EtcSnapshot {
  const etc = join(root, "/etc");
  const ownLinks: string[] = [];
  const walk = (folder: string): void => {
    for (const entry of readFolder(join(etc, folder))) {
      const target = folder === "" ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory()) walk(target);
      else if (entry.isSymbolicLink() && readlinkSync(join(etc, target)).startsWith(STATIC_LINK_TARGET)) ownLinks.push(target);
    }
  };
  walk("");
  return { find: (target) => readNode(join(etc, target)), ownLinks };
}

const ABSENT: ReadonlySet<unknown> = new Set(["ENOENT", "ENOTDIR", "EINVAL", "EISDIR", "EACCES", "EPERM", "ENXIO"]);

/**
 * Goes on where there is nothing (of the kind) to read. What the disk cannot read is something else: taken for absent, a
 * file with all users would be written anew without them. @throws such an error
 */
export function ignoreAbsent(error: unknown): void {
  if (!(error instanceof Error && "code" in error && ABSENT.has(error.code))) throw error;
}

export function readNode(path: string): EtcNode {
  let stats;
  try {
    stats = lstatSync(path);
  } catch (error) {
    ignoreAbsent(error);
    return { kind: "missing" };
  }
  if (stats.isSymbolicLink()) return { kind: "link", target: readlinkSync(path) };
  return stats.isDirectory() ? { kind: "folder" } : { kind: "file" };
}

export function readText(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    ignoreAbsent(error);
    return undefined;
  }
}

/** The target of a link, or undefined for what is none. */
export function readLink(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch (error) {
    ignoreAbsent(error);
    return undefined;
  }
}

function readFolder(path: string): readonly import("node:fs").Dirent[] {
  try {
    return readdirSync(path, { withFileTypes: true });
  } catch (error) {
    ignoreAbsent(error);
    return [];
  }
}
