import { join } from "node:path";
import { inStoreView } from "../../core/shell/store-view.ts";
import { runOnTerminal } from "../../core/util/run-on-terminal.ts";
import type { CommandContext } from "../context.ts";
import { evaluateTarget } from "../evaluation.ts";
import { findProjectOfTarget } from "../nix-project/find-project.ts";
import { refuseNixFlags, type NixFlags } from "../nix-project/nix-flags.ts";
import { realiseResults } from "../realise.ts";
import { findSandboxTool } from "../tools.ts";
import { UsageError } from "../usage-error.ts";

export type RunArguments = NixFlags & { readonly package?: string; readonly arguments: readonly string[]; readonly "--"?: readonly string[] };

/** Realises a package and becomes its main program, with the words behind its name: same streams, same exit code. */
export async function run(context: CommandContext, args: RunArguments): Promise<number> {
  const words = [...args.arguments, ...(args["--"] ?? [])];
  const project = findProjectOfTarget(context, args.package);
  if (project !== undefined) return (await import("../nix-project/run.ts")).runProject(context, project, words, args);
  refuseNixFlags(args, args.package);
  if (args.package === undefined) throw new UsageError({ code: "cli.no-package", message: `"tsos run" needs a package`, hint: "tsos run pkgs.NAME; in the folder of a flake its default is meant" });
  const target = args.package.startsWith("pkgs.") ? args.package : `pkgs.${args.package}`;
  const { evaluation, derivation, mainProgram } = await evaluateTarget(context, target, false);
  const store = await context.openStore();
  await realiseResults(context, store, { instantiation: evaluation.instantiation, targets: [derivation] });
  const line: readonly string[] = [join(derivation.outPath, "bin", mainProgram ?? target.slice("pkgs.".length)), ...words];
  const { storeRoot } = context.places;
  const [command, ...rest] = storeRoot === undefined ? line : inStoreView({ storeRoot, bubblewrap: await findSandboxTool(context, store), folder: context.folder }, line);
  using _terminal = context.handTerminalOver();
  return await runOnTerminal(command!, rest);
}
