import type { NixEnvironment } from "./nix-environment.ts";

/** The version of the language and the commands, as `builtins.nixVersion` names it. */
const NIX_VERSION = "2.34.8";

export function answerHelp(environment: NixEnvironment, wants: "help" | "version"): number {
  if (wants === "version") environment.print(`${environment.classic} (Nix) ${NIX_VERSION}\n`);
  else environment.print(`Usage: ${environment.command} …\n`);
  return 0;
}
