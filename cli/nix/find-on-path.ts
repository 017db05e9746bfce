import { delimiter, join } from "node:path";
import { TsosError } from "../../core/error/tsos-error.ts";
import { mayRun } from "../../core/util/may-access.ts";
import type { Tool } from "../../core/build/tool.ts";

/** A program's file in the folders of `PATH`. */
export function findProgram(env: NodeJS.ProcessEnv, program: string): string | undefined {
  for (const folder of (env["PATH"] ?? "").split(delimiter)) {
    const file = join(folder, program);
    if (folder.startsWith("/") && mayRun(file)) return file;
  }
  return undefined;
}

/** @throws TsosError where no folder of `PATH` has the program. */
export function findOnPath(env: NodeJS.ProcessEnv, program: string): Tool {
  const command = findProgram(env, program);
  if (command !== undefined) return { command, args: [] };
  throw new TsosError({ code: "nix.missing-program", message: `the program "${program}" is not on PATH`, hint: "install bubblewrap, in whose sandbox builds run" });
}
