import { execFileSync } from "node:child_process";
import { closeSync } from "node:fs";
import { openMemoryFile } from "../util/memory-file.ts";
import { createSeccompFilter, seccompMachine } from "./seccomp-filter.ts";
import { createBuilderGuard } from "./builder-guard.ts";
import type { Tool } from "./tool.ts";

export type SandboxedCommand = {
  readonly bubblewrap: Tool;
  readonly command: string;
  readonly args: readonly string[];
  /** What it sees, at its own place. */
  readonly readable: readonly string[];
  readonly writable: readonly string[];
};

/**
 * Runs a program that a builtin builder takes from its inputs. Whoever wrote the derivation chose that program, so it
 * gets what a builder gets: namespaces of its own, no network, no setuid bits, and only these files.
 *
 * @throws what `execFileSync` throws, with `stderr`
 */
export function runToolSandboxed({ bubblewrap, command, args, readable, writable }: SandboxedCommand): void {
  const filter = openMemoryFile(createSeccompFilter(seccompMachine()));
  try {
    // Of its own: it may run in a thread, and a program may take as long as it likes.
    using guard = createBuilderGuard();
    using status = guard.openStatus();
    const words = [
      ...bubblewrap.args,
      ...["--unshare-all", "--unshare-user", "--uid", "1000", "--gid", "100", "--die-with-parent", "--new-session", "--clearenv", "--seccomp", "3", "--json-status-fd", "4"],
      ...readable.flatMap((path) => ["--ro-bind", path, path]),
      ...writable.flatMap((path) => ["--bind", path, path]),
      ...["--remount-ro", "/", "--", command, ...args],
    ];
    execFileSync(bubblewrap.command, words, { env: {}, stdio: ["ignore", "pipe", "pipe", filter, status.descriptor], maxBuffer: 1 << 20, timeout: 600_000 });
  } finally {
    closeSync(filter);
  }
}
