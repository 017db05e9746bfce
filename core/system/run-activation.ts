import { spawn } from "node:child_process";
import { constants } from "node:os";
import { TsosError } from "../error/tsos-error.ts";
import type { MachineCommandResult } from "./running-machine.ts";

/**
 * Runs a program of an activation on this machine. The signal ends it, or with `endsAll` also what it started, for a
 * program that does not do that itself.
 *
 * @throws TsosError `switch.not-started`
 */
export async function runActivation(
  [command, ...args]: readonly [string, ...string[]],
  { onOutput, signal, env, endsAll = false }: { readonly endsAll?: boolean | undefined; readonly onOutput?: ((text: string, stream: "stdout" | "stderr") => void) | undefined; readonly signal?: AbortSignal | undefined; readonly env?: NodeJS.ProcessEnv | undefined },
): Promise<MachineCommandResult> {
  signal?.throwIfAborted();
  return await new Promise((resolve, reject) => {
    // A session of its own: neither Ctrl-C nor the end of an SSH session reaches it but by the signal.
    const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], detached: true, ...(env === undefined ? {} : { env }) });
    const abort = (): void => {
      if (!endsAll || child.pid === undefined) return void child.kill("SIGTERM");
      try {
        process.kill(-child.pid, "SIGTERM");
      } catch {
        // It has ended by itself.
      }
    };
    signal?.addEventListener("abort", abort, { once: true });
    const output = { stdout: "", stderr: "" };
    for (const stream of ["stdout", "stderr"] as const) {
      child[stream].setEncoding("utf8").on("data", (chunk: string) => {
        output[stream] += chunk;
        onOutput?.(chunk, stream);
      });
    }
    child.once("error", (cause) => reject(new TsosError({ code: "switch.not-started", message: `"${command}" cannot be run: ${cause.message}`, cause })));
    child.once("close", (code, killedBy) => {
      signal?.removeEventListener("abort", abort);
      resolve({ code: code ?? (killedBy === null ? 1 : 128 + constants.signals[killedBy]), ...output });
    });
  });
}
