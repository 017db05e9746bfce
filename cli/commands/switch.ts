import { switchSystem, type SwitchAction, type SwitchTarget } from "../../core/system/switch.ts";
import { TsosError } from "../../core/error/tsos-error.ts";
import type { CommandContext } from "../context.ts";
import { evaluateTarget } from "../evaluation.ts";
import { ExitCode } from "../exit-code.ts";
import type { SwitchArguments } from "../main.ts";
import { UsageError } from "../usage-error.ts";

/**
 * `switch`, `boot`, `test` and `dry-activate`. To another generation or to one's variant (`--rollback`, `--generation`, `--specialisation`) nothing is
 * evaluated, built or fetched, so that side's code is not even loaded.
 */
export async function switchTo(context: CommandContext, args: SwitchArguments & { readonly action: SwitchAction }): Promise<number> {
  const { root } = context.flags;
  if (root === undefined && context.uid !== 0) {
    throw new TsosError({ code: "cli.needs-root", message: `"tsos ${args.action}" changes this machine, so it needs root`, hint: "run it with sudo, or name another machine's root with --root" });
  }
  const store = await context.openStore();
  const target = await chooseTarget(context, args);
  const { exitCode, generation, toplevel, offline } = await switchSystem({
    action: args.action,
    target,
    specialisation: args.specialisation,
    root,
    realPath: (path) => store.realPath(path),
    addRoot: (link) => store.addIndirectRoot(link),
    json: context.flags.json,
    signal: context.signal,
    onWait: () => context.say("waiting for another switch of this machine to end"),
    onOutput: (text, stream) => {
      context.quietScreen();
      (stream === "stdout" ? process.stdout : process.stderr).write(text);
    },
  });
  if (context.flags.json && args.action !== "dry-activate") context.print(JSON.stringify({ version: 1, exitCode, generation, toplevel, offline }));
  else if (exitCode === ExitCode.done && args.action !== "dry-activate") {
    context.say(`${offline ? "the machine is not running; it boots" : args.action === "boot" ? "the next boot is" : "running"} ${generation === undefined || args.action === "test" ? toplevel : args.specialisation !== undefined ? `the specialisation ${args.specialisation} of generation ${generation}` : `generation ${generation}`}`);
  }
  return exitCode;
}

async function chooseTarget(context: CommandContext, args: SwitchArguments & { readonly action: SwitchAction }): Promise<SwitchTarget> {
  if (args.generation !== undefined && args.rollback) {
    throw new UsageError({ code: "cli.two-targets", message: "--rollback and --generation name two generations", hint: "give one of them" });
  }
  if (args.generation !== undefined && !Number.isInteger(args.generation)) {
    throw new UsageError({ code: "cli.bad-generation", message: "--generation takes the number of one generation", hint: "tsos generations lists them" });
  }
  if (args.specialisation !== undefined && args.action === "boot") {
    throw new UsageError({ code: "cli.boot-specialisation", message: "a machine boots a generation, not one of its specialisations", hint: "tsos switch --specialisation NAME goes to it now" });
  }
  if (args.generation !== undefined) return { kind: "generation", number: args.generation };
  if (args.rollback) return { kind: "rollback" };
  if (args.specialisation !== undefined) return { kind: "current" };
  const { realiseResults } = await import("../realise.ts");
  const { evaluation, derivation } = await evaluateTarget(context, undefined, args.check);
  await realiseResults(context, await context.openStore(), { instantiation: evaluation.instantiation, targets: [derivation] });
  return { kind: "toplevel", toplevel: derivation.outPath };
}
