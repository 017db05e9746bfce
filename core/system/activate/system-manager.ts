import { spawn } from "node:child_process";
import type { UnitState } from "./unit-plan.ts";

/** systemd, as far as a switch talks to it. Lists that are empty do nothing. */
export type SystemManager = {
  listUnits(): Promise<readonly UnitState[]>;
  stop(units: readonly string[]): Promise<JobOutcome>;
  reload(units: readonly string[]): Promise<JobOutcome>;
  restart(units: readonly string[]): Promise<JobOutcome>;
  start(units: readonly string[]): Promise<JobOutcome>;
  daemonReload(): Promise<void>;
  daemonReexec(): Promise<void>;
  /** Forgets that units failed, and how often they were started of late. */
  resetFailed(units: readonly string[]): Promise<void>;
  /** Why a unit failed: the last lines of its log. */
  log(unit: string): Promise<string>;
};

export type JobOutcome =
  | { readonly kind: "done" }
  | { readonly kind: "failed"; readonly message: string }
  /** Jobs that were still under way at the limit; they go on by themselves. */
  | { readonly kind: "timed-out"; readonly seconds: number; readonly pending: readonly string[] };

export type CommandResult = { readonly code: number; readonly output: string; readonly timedOut: boolean };

/** The environment of every command of an activation: of the OS root alone, nothing of the caller's. */
export const ACTIVATION_ENVIRONMENT: Readonly<Record<string, string>> = {
  PATH: "/usr/bin:/usr/sbin",
  LANG: "C.UTF-8",
  HOME: "/root",
  SYSTEMD_COLORS: "0",
  SYSTEMD_PAGER: "",
  // What is asked must not depend on a terminal.
  SYSTEMD_ASK_PASSWORD: "0",
};

/** Runs a command with a time limit; its standard output and error are joined. */
export async function runCommand(command: string, args: readonly string[], limits: { readonly seconds: number; readonly env?: Readonly<Record<string, string>> }): Promise<CommandResult> {
  return await new Promise((resolve) => {
    const child = spawn(command, args, { env: { ...ACTIVATION_ENVIRONMENT, ...limits.env }, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      child.kill("SIGKILL");
    }, limits.seconds * 1000);
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => (output += chunk));
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => (output += chunk));
    // The pipes may stay open in what the command left behind, so its own end counts, shortly after.
    const finish = (code: number): void => {
      clearTimeout(timer);
      resolve({ code, output: output.trimEnd(), timedOut });
      child.stdout.destroy();
      child.stderr.destroy();
    };
    child.once("error", (error) => {
      output += error.message;
      finish(127);
    });
    child.once("close", (code) => finish(code ?? 137));
    child.once("exit", (code) => setTimeout(() => finish(code ?? 137), 500).unref());
  });
}

/** The running systemd by its `systemctl`. `jobSeconds` bounds each of stopping, reloading, restarting, starting. */
export function openSystemd(jobSeconds: number): SystemManager {
  const systemctl = async (args: readonly string[], seconds = 60): Promise<CommandResult> => await runCommand("systemctl", ["--no-pager", "--no-ask-password", ...args], { seconds });
  const jobs = async (verb: string, units: readonly string[]): Promise<JobOutcome> => {
    if (units.length === 0) return { kind: "done" };
    const result = await systemctl([verb, "--", ...units], jobSeconds);
    if (result.timedOut) {
      const pending = (await systemctl(["list-jobs", "--no-legend", "--plain"])).output
        .split("\n")
        .map((line) => line.trim().split(/\s+/)[1] ?? "")
        .filter((name) => units.includes(name));
      return { kind: "timed-out", seconds: jobSeconds, pending };
    }
    return result.code === 0 ? { kind: "done" } : { kind: "failed", message: result.output };
  };
  return {
    async listUnits() {
      const result = await systemctl(["list-units", "--all", "--full", "--plain", "--no-legend"]);
      if (result.code !== 0) throw new Error(`systemctl list-units failed: ${result.output}`);
      return parseUnitList(result.output);
    },
    stop: async (units) => await jobs("stop", units),
    reload: async (units) => await jobs("reload-or-restart", units),
    restart: async (units) => await jobs("restart", units),
    start: async (units) => await jobs("start", units),
    async daemonReload() {
      const result = await systemctl(["daemon-reload"]);
      if (result.code !== 0) throw new Error(`systemctl daemon-reload failed: ${result.output}`);
    },
    async daemonReexec() {
      const result = await systemctl(["daemon-reexec"]);
      if (result.code !== 0) throw new Error(`systemctl daemon-reexec failed: ${result.output}`);
    },
    async resetFailed(units) {
      // One that is not loaded is an error, which changes nothing for the others.
      if (units.length > 0) await systemctl(["reset-failed", "--", ...units]);
    },
    async log(unit) {
      return (await runCommand("journalctl", ["-q", "-b", "-n", "10", "-o", "cat", "--no-pager", "-u", unit], { seconds: 20 })).output;
    },
  };
}

/** `UNIT LOAD ACTIVE SUB DESCRIPTION`, as of `list-units --plain --no-legend`. */
export function parseUnitList(text: string): readonly UnitState[] {
  const states: UnitState[] = [];
  for (const line of text.split("\n")) {
    const [name, load, active, sub] = line.trim().split(/\s+/);
    if (name === undefined || load === undefined || active === undefined || sub === undefined) continue;
    states.push({ name, active, sub });
  }
  return states;
}
