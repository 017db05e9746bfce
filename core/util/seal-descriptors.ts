import { readdirSync } from "node:fs";
import { libc } from "./libc.ts";

const F_SETFD = 2;
const FD_CLOEXEC = 1;

let sealed = false;

/**
 * Keeps descriptors that this process itself inherited (from a shell, a test runner) from the processes it
 * starts. Node opens its own so that they do not outlive an exec; once is enough.
 */
export function sealDescriptors(): void {
  if (sealed) return;
  sealed = true;
  const fcntl = libc().bind("int fcntl(int descriptor, int command, int argument)");
  for (const name of readdirSync("/proc/self/fd")) {
    const descriptor = Number(name);
    // One of them was the listing's own and is closed by now, which is no matter.
    if (descriptor > 2) fcntl(descriptor, F_SETFD, FD_CLOEXEC);
  }
}
