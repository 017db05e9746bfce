import { basename, resolve } from "node:path";
import { switchHome } from "../../core/system/switch-home.ts";
import { switchSystem, type SwitchResult } from "../../core/system/switch.ts";
import type { SwitchAction, SwitchTarget } from "../../core/system/switch-target.ts";
import { TsosError } from "../../core/error/tsos-error.ts";
import type { CommandContext } from "../context.ts";
import { evaluateTarget } from "../evaluation.ts";
import { ExitCode } from "../exit-code.ts";
import { activationEnvironment, meansHome, ownHome, requireSharedStore } from "../home.ts";
import { UsageError } from "../usage-error.ts";

export type SwitchArguments = { readonly check: boolean; readonly home: boolean; readonly rollback: boolean; readonly generation?: number; readonly specialisation?: string };

/**
 * `switch`, `boot`, `test` and `dry-activate`. To another generation or to one's variant (`--rollback`, `--generation`, `--specialisation`) nothing is
 * evaluated, built or fetched, so that side's code is not even loaded.
 */
export async function switchTo(context: CommandContext, args: SwitchArguments & { readonly action: SwitchAction }): Promise<number> {
  const { root } = context.flags;
  const isHome = meansHome(context, args.home);
  // Whose configuration it is, a file with another name says only when it is evaluated.
  const isOpen = !isHome && root === undefined && !args.rollback && args.generation === undefined && args.specialisation === undefined && context.flags.config !== undefined && basename(context.flags.config) !== "system.config.ts";
  if (!isHome && !isOpen) requireRootFor(context, args.action);
  if (isHome && args.action === "boot") throw nothingToBoot();
  if (isHome) requireSharedStore(context);
  const store = await context.openStore();
  const { target, home } = await chooseTarget(context, args);
  if (isHome && target.kind === "toplevel" && home === undefined) throw new TsosError({ code: "home.not-a-home", message: "--home was given, but the configuration is one of a machine", hint: "name the file of a home with --config" });
  if (!isHome && home === undefined) requireRootFor(context, args.action);
  const common = {
    target,
    specialisation: args.specialisation,
    realPath: (path: string) => store.realPath(path),
    addRoot: (link: string) => store.addIndirectRoot(link),
    signal: context.signal,
    onOutput: (text: string, stream: "stdout" | "stderr") => {
      context.quietScreen();
      (stream === "stdout" && !context.flags.json ? process.stdout : process.stderr).write(text);
    },
  };
  if (isHome || home !== undefined) {
    const { action } = args;
    if (action === "boot") throw nothingToBoot();
    requireSharedStore(context);
    const own = ownHome(context);
    if (home !== undefined && home.user !== own.user) throw new TsosError({ code: "home.other-user", message: `the home is that of "${home.user}", and this user is "${own.user}"`, hint: "run it as that user" });
    if (home !== undefined && resolve(home.directory) !== resolve(own.directory)) throw new TsosError({ code: "home.other-folder", message: `the home is "${home.directory}", and this user's is "${own.directory}"`, hint: "home.homeDirectory says where it is" });
    const result = await switchHome({ ...common, action, home: own, env: activationEnvironment(context), onWait: () => context.say("waiting for another switch of this home to end") });
    return report(context, args, result);
  }
  const result = await switchSystem({
    ...common,
    action: args.action,
    root,
    json: context.flags.json,
    env: context.env,
    onWait: () => context.say("waiting for another switch of this machine to end"),
    onOutput: (text, stream) => {
      context.quietScreen();
      (stream === "stdout" ? process.stdout : process.stderr).write(text);
    },
  });
  return report(context, args, result);
}

function report(context: CommandContext, args: SwitchArguments & { readonly action: SwitchAction }, { exitCode, generation, toplevel, offline }: SwitchResult): number {
  if (context.flags.json && args.action !== "dry-activate") context.print(JSON.stringify({ version: 1, exitCode, generation, toplevel, offline }));
  else if (exitCode === ExitCode.done && args.action !== "dry-activate") {
    context.say(`${offline ? "the machine is not running; it boots" : args.action === "boot" ? "the next boot is" : "running"} ${generation === undefined || args.action === "test" ? toplevel : args.specialisation !== undefined ? `the specialisation ${args.specialisation} of generation ${generation}` : `generation ${generation}`}`);
  }
  return exitCode;
}

function requireRootFor(context: CommandContext, action: SwitchAction): void {
  if (context.flags.root === undefined && context.uid !== 0) {
    throw new TsosError({ code: "cli.needs-root", message: `"tsos ${action}" changes this machine, so it needs root`, hint: "run it with sudo, or name another machine's root with --root" });
  }
}

function nothingToBoot(): UsageError {
  return new UsageError({ code: "cli.boot-home", message: "a home has nothing to boot", hint: "tsos switch activates it now and keeps it" });
}

async function chooseTarget(context: CommandContext, args: SwitchArguments & { readonly action: SwitchAction }): Promise<{ readonly target: SwitchTarget; readonly home?: { readonly user: string; readonly directory: string } | undefined }> {
  if (args.generation !== undefined && args.rollback) {
    throw new UsageError({ code: "cli.two-targets", message: "--rollback and --generation name two generations", hint: "give one of them" });
  }
  if (args.generation !== undefined && !Number.isInteger(args.generation)) {
    throw new UsageError({ code: "cli.bad-generation", message: "--generation takes the number of one generation", hint: "tsos generations lists them" });
  }
  if (args.specialisation !== undefined && args.action === "boot") {
    throw new UsageError({ code: "cli.boot-specialisation", message: "a machine boots a generation, not one of its specialisations", hint: "tsos switch --specialisation NAME goes to it now" });
  }
  if (args.generation !== undefined) return { target: { kind: "generation", number: args.generation } };
  if (args.rollback) return { target: { kind: "rollback" } };
  if (args.specialisation !== undefined) return { target: { kind: "current" } };
  const { realiseResults } = await import("../realise.ts");
  const { evaluation, derivation } = await evaluateTarget(context, undefined, args.check, args.home ? ["home"] : undefined);
  await realiseResults(context, await context.openStore(), { instantiation: evaluation.instantiation, targets: [derivation] });
  return { target: { kind: "toplevel", toplevel: derivation.outPath }, home: evaluation.result.kind === "system" ? evaluation.result.home : undefined };
}
