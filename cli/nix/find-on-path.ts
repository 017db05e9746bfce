import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { TsosError } from "../../core/error/tsos-error.ts";
import type { Tool } from "../../core/build/build-options.ts";

/** @throws TsosError where no folder of `PATH` has the program. */
export function findOnPath(env: NodeJS.ProcessEnv, program: string): Tool {
  for (const folder of (env["PATH"] ?? "").split(delimiter)) {
    const file = join(folder, program);
    if (!folder.startsWith("/")) continue;
    try {
      accessSync(file, constants.X_OK);
      return { command: file, args: [] };
    } catch {
      // The next one may have it.
    }
  }
  throw new TsosError({ code: "nix.missing-program", message: `the program "${program}" is not on PATH`, hint: "install bubblewrap, in whose sandbox builds run" });
}
