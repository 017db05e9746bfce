import { chmodSync, closeSync, fchmodSync, fchownSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, symlinkSync, writeSync } from "node:fs";
import { dirname, resolve } from "node:path";

/** Replaces `file` whole or not at all, and returns when it is on disk. `mode` holds whatever the umask. */
export function writeDurably(file: string, contents: string | Uint8Array, mode: number, owner?: { readonly uid: number; readonly gid: number }): void {
  const temporary = `${file}.tsos-new`;
  rmSync(temporary, { force: true, recursive: true });
  const descriptor = openSync(temporary, "wx", 0o600);
  try {
    let rest = typeof contents === "string" ? Buffer.from(contents) : contents;
    while (rest.length > 0) rest = rest.subarray(writeSync(descriptor, rest));
    if (owner !== undefined) fchownSync(descriptor, owner.uid, owner.gid);
    // After the owner, whose change takes setuid bits away.
    fchmodSync(descriptor, mode);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  renameSync(temporary, file);
  syncFolder(dirname(file));
}

/** Makes `link` point to `target`, in one step where another link or file is there. */
export function replaceLink(target: string, link: string): void {
  const temporary = `${link}.tsos-new`;
  rmSync(temporary, { force: true });
  symlinkSync(target, temporary);
  renameSync(temporary, link);
}

export function syncFolder(folder: string): void {
  const descriptor = openSync(folder, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** Makes a folder with those above it that are missing; they get `mode` whatever the umask. */
export function makeFolder(folder: string, mode = 0o755): void {
  const first = mkdirSync(folder, { recursive: true, mode });
  if (first === undefined) return;
  const top = resolve(first);
  for (let made = resolve(folder); made.length >= top.length; made = dirname(made)) chmodSync(made, mode);
}
