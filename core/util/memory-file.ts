import { closeSync, writeSync } from "node:fs";
import { libc, type NativeFunction } from "./libc.ts";

const MFD_CLOEXEC = 1;

let memfdCreate: NativeFunction | undefined;

/**
 * A file without a name or a disk, for handing bytes to a process by descriptor. It is read from its beginning;
 * the caller closes it.
 */
export function openMemoryFile(contents: Uint8Array = new Uint8Array()): number {
  memfdCreate ??= libc().bind("int memfd_create(const char *name, unsigned int flags)");
  const descriptor = memfdCreate("tsos", MFD_CLOEXEC) as number;
  if (descriptor < 0) throw libc().error("memfd_create");
  try {
    // At positions, so that the place where a reader begins does not move.
    for (let written = 0; written < contents.length; ) written += writeSync(descriptor, contents, written, contents.length - written, written);
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
  return descriptor;
}
