import { spawn, type ChildProcessByStdio } from "node:child_process";
import { join, resolve } from "node:path";
import type { Readable, Writable } from "node:stream";

export const installation = resolve(import.meta.dirname, "../..");
export const tsosProgram = join(installation, "bin/tsos.js");

export type TsosOptions = {
  readonly cwd: string;
  /** Caches and machines go here, so that nothing of the machine's own is touched or helps. */
  readonly stateFolder: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly input?: string | Buffer;
  /** Words before the command: `["unshare", "-n"]`. */
  readonly prefix?: readonly string[];
};

export type TsosResult = {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stdoutBytes: Buffer;
  readonly stderr: string;
};

export type TsosProcess = {
  readonly pid: number;
  readonly child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly ended: Promise<TsosResult>;
  /** What it has written on stderr until now. */
  stderr(): string;
};

/** Starts the built program as a user does, in a session of its own, so that a signal to it reaches it alone. */
export function startTsos(args: readonly string[], options: TsosOptions): TsosProcess {
  const [command, ...rest] = [...(options.prefix ?? []), process.execPath, tsosProgram, ...args];
  const env = { ...process.env, NO_COLOR: undefined, FORCE_COLOR: undefined, TSOS_CACHE_DIR: join(options.stateFolder, "cache"), TSOS_STATE_DIR: join(options.stateFolder, "state"), ...options.env };
  const child = spawn(command!, rest, { cwd: options.cwd, detached: true, stdio: ["pipe", "pipe", "pipe"], env });
  const stdout: Buffer[] = [];
  let stderr = "";
  child.stdout.on("data", (chunk: Buffer) => void stdout.push(chunk));
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => void (stderr += chunk));
  // It may be gone before it read all.
  child.stdin.on("error", () => {});
  child.stdin.end(options.input);
  const ended = new Promise<TsosResult>((done, failed) => {
    child.once("error", failed);
    // A child of its own that lives on holds the pipes open, so their end is not waited for when it was killed.
    child.once("exit", (code, signal) => {
      const finish = (): void => {
        const stdoutBytes = Buffer.concat(stdout);
        done({ code, signal, stdout: stdoutBytes.toString(), stdoutBytes, stderr });
      };
      if (signal === "SIGKILL") setImmediate(finish);
      else child.once("close", finish);
    });
  });
  return { pid: child.pid!, child, ended, stderr: () => stderr };
}

export async function runTsos(args: readonly string[], options: TsosOptions): Promise<TsosResult> {
  return await startTsos(args, options).ended;
}
