import type { CommandContext } from "../context.ts";
import { evaluateChecked } from "../evaluation.ts";
import { ExitCode } from "../exit-code.ts";
import { findProjectOfTarget } from "../nix-project/find-project.ts";
import { CONFIG_KINDS, getConfig } from "../find-config.ts";
import { refuseNixFlags } from "../nix-project/nix-flags.ts";
import type { ProjectCheck } from "../nix-project/check.ts";

/** Type-checks and evaluates, assertions included; builds nothing but the checks of a flake. With `watch` again at every save. */
export async function check(context: CommandContext, args: ProjectCheck & { readonly flake?: string; readonly check: boolean; readonly watch: boolean }): Promise<number> {
  const project = findProjectOfTarget(context, args.flake);
  if (project !== undefined) return (await import("../nix-project/check.ts")).checkProject(context, project, args);
  refuseNixFlags(args, args.flake);
  const file = getConfig(context, CONFIG_KINDS);
  const isShell = file.endsWith("shell.config.ts");
  const request = isShell ? ({ kind: "shell" } as const) : ({ kind: "system" } as const);
  if (args.watch) return (await import("./check-watch.ts")).watchAndCheck(context, file, request, args.check);
  const evaluation = await evaluateChecked(context, file, request, args.check);
  const { result } = evaluation;
  const drvPath = result.kind === "system" ? result.toplevel.drvPath : result.kind === "shell" ? result.shell.environment.drvPath : undefined;
  if (context.flags.json) context.print(JSON.stringify({ version: 1, file, drvPath, warnings: evaluation.warnings }));
  else context.say(`${file} is sound`);
  return ExitCode.done;
}
