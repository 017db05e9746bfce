import type { CommandContext } from "../context.ts";
import { evaluate as evaluateFile, evaluateTarget } from "../evaluation.ts";
import { ExitCode } from "../exit-code.ts";
import { CONFIG_KINDS, getConfig } from "../find-config.ts";

/** Prints an option's value as JSON, or with `--drv` (and for packages) a derivation's path. */
export async function evaluate(context: CommandContext, args: { readonly path?: string; readonly drv: boolean }): Promise<number> {
  if (args.drv || args.path?.startsWith("pkgs.")) {
    const { derivation } = await evaluateTarget(context, args.path, false);
    if (context.flags.json) context.print(JSON.stringify({ version: 1, drvPath: derivation.drvPath, outPath: derivation.outPath, outputs: derivation.outputs }));
    else context.print(args.drv ? derivation.drvPath : derivation.outPath);
    return ExitCode.done;
  }
  const evaluation = await evaluateFile(context, getConfig(context, CONFIG_KINDS), { kind: "option", path: args.path ?? "" });
  const { value } = evaluation.result.option;
  context.print(context.flags.json ? JSON.stringify({ version: 1, path: args.path ?? "", value }) : JSON.stringify(value, undefined, 2));
  return ExitCode.done;
}
