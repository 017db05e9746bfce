import { join } from "node:path";
import { runOnTerminal } from "../../core/util/run-on-terminal.ts";
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
  using _terminal = context.handTerminalOver();
  return await runOnTerminal(program, args["--"] ?? []);
}
