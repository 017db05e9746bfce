import { spawn, type ChildProcess } from "node:child_process";
import { readFileSync, readlinkSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { TsosError } from "../error/tsos-error.ts";
import { runOnTerminal } from "../util/run-on-terminal.ts";

/** What stands in a root folder about the machine that runs on it; seen from the host only. */
export type MachineState = {
  readonly version: 1;
  readonly name: string;
  readonly root: string;
  /** The host's number of the machine's first process. */
  readonly leader: number;
  /** Tells it from another process that got the same number later. */
  readonly leaderStartTime: string;
};

export type MachineCommandOptions = {
  readonly env?: Readonly<Record<string, string>> | undefined;
  readonly input?: string | undefined;
  readonly timeoutSeconds?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called with what it writes, as it comes. */
  readonly onOutput?: ((text: string, stream: "stdout" | "stderr") => void) | undefined;
};

export type MachineCommandResult = { readonly code: number; readonly stdout: string; readonly stderr: string };

export type RunningMachine = {
  readonly root: string;
  readonly leader: number;
  /** Runs a command in the machine as root, with the PATH of its logins. */
  run(command: readonly [string, ...string[]], options?: MachineCommandOptions): Promise<MachineCommandResult>;
  /** The same with this process's terminal; its exit code. */
  runInteractive(command: readonly [string, ...string[]]): Promise<number>;
};

/** The machine's own /run covers this folder, so only the host sees the file. */
export function machineStateFile(root: string): string {
  return join(root, "run/tsos-machine.json");
}

/** The machine that runs on `root` now, started by whichever process. */
export function findRunningMachine(root: string): RunningMachine | undefined {
  let state: MachineState;
  try {
    state = JSON.parse(readFileSync(machineStateFile(realpathSync(root)), "utf8")) as MachineState;
  } catch {
    return undefined;
  }
  // A file that a reboot of the host left.
  if (processStartTime(state.leader) !== state.leaderStartTime) return undefined;
  return enterMachine(state);
}

/**
 * The toplevel that the machine of `root` runs now: this machine's for `/`. Undefined where it is not running.
 */
export function findRunningToplevel(root = "/"): string | undefined {
  const machine = root === "/" ? undefined : findRunningMachine(root);
  if (root !== "/" && machine === undefined) return undefined;
  try {
    return readlinkSync(machine === undefined ? "/run/current-system" : `/proc/${machine.leader}/root/run/current-system`);
  } catch {
    return undefined;
  }
}

/** Field 22 of /proc/PID/stat. */
export function processStartTime(pid: number): string | undefined {
  return processStatus(pid)?.[19];
}

/** The fields of /proc/PID/stat from the third on, the state; the command's name before them may hold anything. */
function processStatus(pid: number): readonly string[] | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  } catch {
    return undefined;
  }
}

/**
 * A machine that shuts down stops all its processes before it ends them, and nsenter does as its child does. Were it
 * not woken, it would never see its child's end, for which the machine's own end waits.
 */
function keepAwake(nsenter: ChildProcess): void {
  const timer = setInterval(() => {
    if (nsenter.pid !== undefined && processStatus(nsenter.pid)?.[0] === "T") nsenter.kill("SIGCONT");
  }, 200);
  nsenter.once("exit", () => clearInterval(timer));
  nsenter.once("error", () => clearInterval(timer));
}

const MACHINE_PATH = "/run/wrappers/bin:/run/current-system/sw/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin";

export function enterMachine({ leader, root }: MachineState): RunningMachine {
  const enter = (command: readonly string[], env: Readonly<Record<string, string>> = {}): readonly string[] => {
    const variables = { PATH: MACHINE_PATH, HOME: "/root", USER: "root", LANG: "C.UTF-8", TERM: process.env["TERM"] ?? "dumb", ...env };
    return [
      ...["--target", String(leader), "--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup", "--"],
      ...["/usr/bin/env", "-i", ...Object.entries(variables).map(([key, value]) => `${key}=${value}`)],
      ...command,
    ];
  };
  return {
    root,
    leader,
    async run(command, options = {}) {
      options.signal?.throwIfAborted();
      return await new Promise((resolve, reject) => {
        const child = spawn("nsenter", enter(command, options.env), { stdio: [options.input === undefined ? "ignore" : "pipe", "pipe", "pipe"], detached: true });
        keepAwake(child);
        let stdout = "";
        let stderr = "";
        // nsenter passes no signal on, so the whole group gets it. An abort asks, so that a switch can go back; the
        // time limit does not.
        const kill = (signal: NodeJS.Signals): void => {
          try {
            if (child.pid !== undefined) process.kill(-child.pid, signal);
          } catch {
            // It has ended by itself.
          }
        };
        const abort = (): void => kill("SIGTERM");
        const timer = options.timeoutSeconds === undefined ? undefined : setTimeout(() => kill("SIGKILL"), options.timeoutSeconds * 1000);
        options.signal?.addEventListener("abort", abort, { once: true });
        child.stdout?.setEncoding("utf8").on("data", (chunk: string) => {
          stdout += chunk;
          options.onOutput?.(chunk, "stdout");
        });
        child.stderr?.setEncoding("utf8").on("data", (chunk: string) => {
          stderr += chunk;
          options.onOutput?.(chunk, "stderr");
        });
        child.stdin?.on("error", () => {});
        child.stdin?.end(options.input);
        child.once("error", (cause) => reject(cannotEnter(cause)));
        child.once("close", (code, killedBy) => {
          clearTimeout(timer);
          options.signal?.removeEventListener("abort", abort);
          resolve({ code: code ?? (killedBy === "SIGTERM" ? 130 : 137), stdout, stderr });
        });
      });
    },
    async runInteractive(command) {
      return await runOnTerminal("nsenter", enter(command), { onStart: keepAwake }).catch((cause: unknown) => {
        throw cannotEnter(cause);
      });
    },
  };
}

function cannotEnter(cause: unknown): TsosError {
  return new TsosError({ code: "machine.enter", message: `"nsenter" cannot be run: ${cause instanceof Error ? cause.message : String(cause)}`, hint: "it is part of util-linux", cause });
}
