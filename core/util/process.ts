import { spawn } from "node:child_process";
import { closeSync } from "node:fs";
import { Socket } from "node:net";
import { openPipe } from "./pipe.ts";
import { sealDescriptors } from "./seal-descriptors.ts";

export type ProcessOptions = {
  readonly command: string;
  readonly args: readonly string[];
  /** The whole environment; nothing is inherited. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Descriptors the process gets as 3, 4, …; they stay open here. */
  readonly descriptors?: readonly number[];
  /** Kills the process and its whole group. */
  readonly signal?: AbortSignal;
  /** A process of it that has left the group, to be killed before; undefined: there is none. */
  readonly findLeader?: () => number | undefined;
  /** What it writes to standard output and standard error, in the order in which it does. */
  readonly onOutput?: (chunk: Uint8Array) => void;
};

export type ProcessEnd = { readonly kind: "exited"; readonly code: number } | { readonly kind: "killed"; readonly signal: NodeJS.Signals };

/** How long output may still arrive after the end; only a process that left the group could hold the pipe open. */
const DRAIN_MS = 2000;

/**
 * Runs a process in a session and group of its own, standard input empty, and waits for its end and the end of
 * its output. It gets no descriptors but those named here. Standard output and standard error are one pipe (not a socket, so that `/dev/stderr` can be opened).
 *
 * @throws the signal's reason when it was aborted, after the group is dead.
 * @throws an error of the platform (`ENOENT`, `EACCES`), naming the command, when it cannot be run.
 */
export async function runProcess(options: ProcessOptions): Promise<ProcessEnd> {
  options.signal?.throwIfAborted();
  sealDescriptors();
  const pipe = openPipe();
  let child;
  try {
    child = spawn(options.command, options.args, {
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      env: options.env,
      stdio: ["ignore", pipe.writeEnd, pipe.writeEnd, ...(options.descriptors ?? [])],
      detached: true,
    });
  } catch (cause) {
    closeSync(pipe.readEnd);
    throw notStarted(options.command, cause);
  } finally {
    closeSync(pipe.writeEnd);
  }

  const output = new Socket({ fd: pipe.readEnd, readable: true, writable: false });
  const drained = new Promise<void>((resolve) => {
    output.once("close", () => resolve());
    output.on("error", () => output.destroy());
  });
  if (options.onOutput) output.on("data", options.onOutput);
  else output.resume();

  const kill = (): void => {
    if (child.pid === undefined) return;
    for (const pid of [options.findLeader?.(), -child.pid]) {
      try {
        if (pid !== undefined) process.kill(pid, "SIGKILL");
      } catch {
        // It has ended by itself.
      }
    }
  };
  options.signal?.addEventListener("abort", kill, { once: true });
  try {
    const end = await new Promise<ProcessEnd>((resolve, reject) => {
      child.once("error", (cause) => reject(notStarted(options.command, cause)));
      child.once("exit", (code, signal) => resolve(signal === null ? { kind: "exited", code: code ?? 0 } : { kind: "killed", signal }));
    });
    const timer = setTimeout(() => output.destroy(), DRAIN_MS);
    await drained;
    clearTimeout(timer);
    options.signal?.throwIfAborted();
    return end;
  } finally {
    options.signal?.removeEventListener("abort", kill);
    output.destroy();
  }
}

function notStarted(command: string, cause: unknown): Error {
  const { message, code } = cause as NodeJS.ErrnoException;
  return Object.assign(new Error(`cannot run "${command}": ${message}`, { cause }), { code });
}
