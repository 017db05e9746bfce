import { spawn } from "node:child_process";
import { join } from "node:path";
import type { CommandContext } from "../context.ts";
import { evaluateTarget } from "../evaluation.ts";
import { realiseResults } from "../realise.ts";

/** Realises a package and becomes its main program: same streams, same exit code. */
export async function run(context: CommandContext, args: { readonly package: string; readonly "--"?: readonly string[] }): Promise<number> {
  const target = args.package.startsWith("pkgs.") ? args.package : `pkgs.${args.package}`;
  const { evaluation, derivation, mainProgram } = await evaluateTarget(context, target, false);
  const store = await context.openStore();
  await realiseResults(context, store, { instantiation: evaluation.instantiation, targets: [derivation] });
  const program = join(store.realPath(derivation.outPath), "bin", mainProgram ?? target.slice("pkgs.".length));
  context.quietScreen();
  return runProgram(program, args["--"] ?? []);
}

/** As a shell would: the exit code, or 128 and the number of the signal that ended it. */
export function runProgram(command: string, args: readonly string[], options: { readonly env?: NodeJS.ProcessEnv } = {}): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, [...args], { stdio: "inherit", ...(options.env === undefined ? {} : { env: options.env }) });
    // The terminal sends its signals to the child as well; it decides what they mean.
    const ignore = (): void => undefined;
    process.on("SIGINT", ignore);
    process.on("SIGQUIT", ignore);
    child.on("error", reject);
    child.on("exit", (code, signal) => {
      process.off("SIGINT", ignore);
      process.off("SIGQUIT", ignore);
      resolve(code ?? 128 + (signal === null ? 0 : SIGNALS[signal] ?? 1));
    });
  });
}

const SIGNALS: Readonly<Record<string, number>> = { SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGABRT: 6, SIGKILL: 9, SIGSEGV: 11, SIGPIPE: 13, SIGTERM: 15 };
