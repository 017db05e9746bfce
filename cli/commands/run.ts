import { join } from "node:path";
import { inStoreView } from "../../core/shell/store-view.ts";
import { runOnTerminal } from "../../core/util/run-on-terminal.ts";
import type { CommandContext } from "../context.ts";
import { evaluateTarget } from "../evaluation.ts";
import { realiseResults } from "../realise.ts";
import { findSandboxTool } from "../tools.ts";

/** Realises a package and becomes its main program: same streams, same exit code. */
export async function run(context: CommandContext, args: { readonly package: string; readonly "--"?: readonly string[] }): Promise<number> {
  const target = args.package.startsWith("pkgs.") ? args.package : `pkgs.${args.package}`;
  const { evaluation, derivation, mainProgram } = await evaluateTarget(context, target, false);
  const store = await context.openStore();
  await realiseResults(context, store, { instantiation: evaluation.instantiation, targets: [derivation] });
  const words: readonly string[] = [join(derivation.outPath, "bin", mainProgram ?? target.slice("pkgs.".length)), ...(args["--"] ?? [])];
  const { storeRoot } = context.places;
  const [command, ...rest] = storeRoot === undefined ? words : inStoreView({ storeRoot, bubblewrap: await findSandboxTool(context, store), folder: context.folder }, words);
  using _terminal = context.handTerminalOver();
  return await runOnTerminal(command!, rest);
}
