import { spawnSync } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";

export type Time = { readonly wall: number; readonly cpu: number };

/** Milliseconds of processor time of all children that have ended, to 10. */
function childTime(): number {
  const fields = readFileSync("/proc/self/stat", "utf8").replace(/^.*\) /s, "").split(" ");
  return (Number(fields[13]) + Number(fields[14])) * 10;
}

/** Runs a command to its end, its output thrown away. @throws when it fails */
export function timeProcess(command: string, args: readonly string[], options: { readonly env?: NodeJS.ProcessEnv; readonly input?: string | undefined; readonly cwd?: string } = {}): Time {
  const input = options.input === undefined ? undefined : openSync(options.input, "r");
  try {
    const before = childTime();
    const start = performance.now();
    const { status, stderr } = spawnSync(command, args, { env: options.env ?? process.env, cwd: options.cwd, stdio: [input ?? "ignore", "ignore", "pipe"], encoding: "utf8", maxBuffer: 1 << 28 });
    if (status !== 0) throw new Error(`${command} ${args.join(" ").slice(0, 200)}: ${stderr.slice(-600)}`);
    return { wall: performance.now() - start, cpu: childTime() - before };
  } finally {
    if (input !== undefined) closeSync(input);
  }
}
