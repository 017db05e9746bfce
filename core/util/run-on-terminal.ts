import { spawn, type ChildProcess } from "node:child_process";
import { constants } from "node:os";

export type RunOnTerminalOptions = {
  readonly cwd?: string | undefined;
  /** The whole environment; default this process's own. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  readonly onStart?: ((child: ChildProcess) => void) | undefined;
};

/** Sent to this process by a terminal, and by it to the child as well, which decides what they mean. */
const SHARED = ["SIGINT", "SIGQUIT"] as const;
/** Sent to this process alone, and meant for what it runs. */
const PASSED_ON = ["SIGTERM", "SIGHUP"] as const;

/**
 * Runs a program with this process's own streams, as if it took its place.
 *
 * @returns its exit code, or as a shell gives it 128 and the number of the signal that ended it
 * @throws an error of the platform (`ENOENT`, `EACCES`) when it cannot be started
 */
export async function runOnTerminal(command: string, args: readonly string[], options: RunOnTerminalOptions = {}): Promise<number> {
  let child: ChildProcess | undefined;
  const ignore = (): void => undefined;
  const passOn = (signal: NodeJS.Signals): void => void child?.kill(signal);
  // Before it starts: a signal may come as soon as it is seen to run.
  for (const signal of SHARED) process.on(signal, ignore);
  for (const signal of PASSED_ON) process.on(signal, passOn);
  try {
    const started = spawn(command, [...args], { stdio: "inherit", ...(options.cwd === undefined ? {} : { cwd: options.cwd }), ...(options.env === undefined ? {} : { env: options.env }) });
    child = started;
    options.onStart?.(started);
    return await new Promise<number>((resolve, reject) => {
      started.once("error", reject);
      started.once("exit", (code, signal) => resolve(signal === null ? (code ?? 1) : 128 + constants.signals[signal]));
    });
  } finally {
    for (const signal of SHARED) process.off(signal, ignore);
    for (const signal of PASSED_ON) process.off(signal, passOn);
  }
}
