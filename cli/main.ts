import yargs from "yargs";
import type { Argv } from "yargs";
import type { CommandContext } from "./context.ts";
import { ExitCode } from "./exit-code.ts";
import { explainUsage } from "./explain-usage.ts";
import { findWrongFlag, globalOptions, readGlobalFlags, type GlobalFlags, type ParsedGlobals } from "./global-flags.ts";
import { nixOptions } from "./nix-project/nix-flags.ts";
import type { BuildArguments } from "./commands/build.ts";
import type { ProjectCheck } from "./nix-project/check.ts";
import type { RunArguments } from "./commands/run.ts";
import type { ShellArguments } from "./commands/shell.ts";
import { STORE_ACTIONS, type StoreArguments } from "./store-arguments.ts";
import { UsageError } from "./usage-error.ts";
import type { SwitchArguments } from "./commands/switch.ts";

export { endProcess } from "../core/util/end-process.ts";

/**
 * Runs one command line and gives its exit code. Each command's own code is loaded when it runs, so that a
 * short command pays for nothing else.
 */
export async function main(argv: readonly string[], version: string): Promise<number> {
  // Thrown, since yargs would lay out its help text, which takes longer than many a command, after each handler
  // that returns.
  const action =
    <A>(run: (context: CommandContext, args: A) => Promise<number>) =>
    (parsed: unknown): never => {
      throw new Chosen(readGlobalFlags(parsed as ParsedGlobals, process.cwd()), (context) => run(context, parsed as A));
    };

  const noLink = { type: "boolean", default: true, describe: "make the ./result link (--no-link: none)" } as const;
  const check = { type: "boolean", default: true, describe: "type-check (--no-check skips)" } as const;
  const home = { type: "boolean", default: false, describe: "this user's home, not the machine (default: what the nearest configuration is)" } as const;
  const words = <T>(y: Argv<T>) => y.positional("words", { type: "string", array: true, demandOption: true, describe: "what to look for" });
  const packages = <T>(y: Argv<T>) => y.positional("packages", { type: "string", array: true, demandOption: true, describe: "NAME or pkgs.NAME" });
  const switchOptions = <T>(y: Argv<T>) =>
    y
      .option("check", check)
      .option("rollback", { type: "boolean", default: false, describe: "go back to the generation before" })
      .option("generation", { type: "number", describe: "go to this generation", requiresArg: true })
      .option("home", home)
      .option("specialisation", { type: "string", describe: "go to this variant of the generation", requiresArg: true });

  const ofNix = <T>(y: Argv<T>) => y.options(nixOptions).group(Object.keys(nixOptions), "Of flakes and .nix files:");

  const parser = yargs([...argv])
    .scriptName("tsos")
    .usage("$0 COMMAND\n\nReproducible, atomic, revertible machines and dev shells, in TypeScript.")
    .parserConfiguration({ "populate--": true, "strip-dashed": true, "camel-case-expansion": true })
    .options(globalOptions)
    .group([...Object.keys(globalOptions), "version", "help"], "Everywhere:")
    .command(
      "init [template]",
      "start a project from a template",
      (y) => y.positional("template", { type: "string", describe: "its name", default: "minimal" }).option("force", { type: "boolean", default: false, describe: "also in a folder that is not empty" }).option("dir", { type: "string", describe: "the folder (default: this one)" }),
      action(async (context, args: { template: string; force: boolean; dir?: string }) => (await import("./commands/init.ts")).init(context, args)),
    )
    .command(
      "check [flake]",
      "type-check and evaluate, build nothing but the checks of a flake",
      (y) => ofNix(y.positional("flake", { type: "string", describe: "a flake (default: the project here)" })).option("check", check).option("build", { type: "boolean", default: true, describe: "of a flake: build its checks (--no-build skips)" }).option("all-systems", { type: "boolean", default: false, describe: "of a flake: evaluate what is for other systems too" }).option("watch", { type: "boolean", default: false, describe: "check again at every save" }),
      action(async (context, args: ProjectCheck & { flake?: string; check: boolean; watch: boolean }) => (await import("./commands/check.ts")).check(context, args)),
    )
    .command(
      "eval [path]",
      "print a value of the option tree",
      (y) => y.positional("path", { type: "string", describe: "OPTION.PATH or pkgs.NAME" }).option("drv", { type: "boolean", default: false, describe: "the derivation's path" }),
      action(async (context, args: { path?: string; drv: boolean }) => (await import("./commands/eval.ts")).evaluate(context, args)),
    )
    .command(
      "build [targets..]",
      "realise the system's toplevel, packages of options or pkgs.NAME",
      (y) => ofNix(y.positional("targets", { type: "string", array: true, default: [] as string[], describe: "OPTION.PATH, pkgs.NAME, .#NAME of a flake, an attribute of default.nix" })).option("link", noLink).option("out-link", { alias: "o", type: "string", default: "result", describe: "the link's name; those of further ones begin with it", requiresArg: true }).option("check", check).option("rebuild", { type: "boolean", default: false, describe: "build again and compare" }).option("profile", { type: "string", describe: "make it the next generation of a profile: a name of one's own, or a path", requiresArg: true }),
      action(async (context, args: BuildArguments) => (await import("./commands/build.ts")).build(context, args)),
    )
    .command(
      "update [inputs..]",
      "lock inputs to what their sources are now: all, or these",
      (y) => y.positional("inputs", { type: "string", array: true, default: [] as string[], describe: "names of inputs" }).option("types", { type: "boolean", default: false, describe: "change nothing, only make the types of what is locked" }),
      action(async (context, args: { inputs: string[]; types: boolean }) => (await import("./commands/update.ts")).update(context, args)),
    )
    .command("switch", "build and activate, now and at boot", switchOptions, action(async (context, args: SwitchArguments) => (await import("./commands/switch.ts")).switchTo(context, { ...args, action: "switch" })))
    .command("boot", "build and activate at the next boot", switchOptions, action(async (context, args: SwitchArguments) => (await import("./commands/switch.ts")).switchTo(context, { ...args, action: "boot" })))
    .command("test", "build and activate now, not at boot", switchOptions, action(async (context, args: SwitchArguments) => (await import("./commands/switch.ts")).switchTo(context, { ...args, action: "test" })))
    .command("dry-activate", "build, and say what a switch would do", switchOptions, action(async (context, args: SwitchArguments) => (await import("./commands/switch.ts")).switchTo(context, { ...args, action: "dry-activate" })))
    .command(
      "generations [action] [arguments..]",
      "list, diff A B, delete N…; with --profile: list, delete, rollback",
      (y) => y.positional("action", { choices: ["list", "diff", "delete", "rollback"] as const, default: "list" as const }).positional("arguments", { type: "string", array: true, default: [] as string[] }).option("older-than", { type: "string", describe: "delete those older than this, such as 30d", requiresArg: true }).option("profile", { type: "string", describe: "those of a profile that tsos build --profile made, not of the machine", requiresArg: true }).option("home", home),
      action(async (context, args: { action: "list" | "diff" | "delete" | "rollback"; arguments: string[]; home: boolean; olderThan?: string; profile?: string }) => (await import("./commands/generations.ts")).generations(context, args)),
    )
    .command(
      "shell [action]",
      "enter the shell of shell.config.ts, shell.nix or flake.nix, or run a command in it (-- CMD …)",
      (y) => ofNix(y.positional("action", { type: "string", describe: "env: print the environment; or .#NAME of a flake" })).option("pure", { type: "boolean", default: false, describe: "of a .nix file: forget the variables of this shell" }).option("packages", { alias: "p", type: "string", array: true, describe: "a shell of these packages, without a file" }).option("check", check),
      action(async (context, args: ShellArguments) => (await import("./commands/shell.ts")).shell(context, args)),
    )
    .command(
      "run [package] [arguments..]",
      "run a package's main program; its own options stand after --",
      (y) => ofNix(y.positional("package", { type: "string", describe: "pkgs.NAME, .#NAME of a flake, an attribute of default.nix" }).positional("arguments", { type: "string", array: true, default: [] as string[], describe: "words for the program" })),
      action(async (context, args: RunArguments) => (await import("./commands/run.ts")).run(context, args)),
    )
    .command(
      "machine",
      "boot the configuration in a container of its own, with a shell (or -- CMD)",
      (y) => y.option("name", { type: "string", describe: "the machine's name (default: its host name)", requiresArg: true }).option("port", { alias: "p", type: "string", array: true, describe: "forward HOST:MACHINE" }).option("keep", { type: "boolean", default: false, describe: "keep its files for the next start" }).option("check", check),
      action(async (context, args: { name?: string; port?: string[]; keep: boolean; check: boolean; "--"?: string[] }) => (await import("./commands/machine.ts")).machine(context, args)),
    )
    .command("option", "options of the nearest configuration: what there is, what it is set to", (y) =>
      y
        .command("search <words..>", "options that have all words in their name or description", words, action(async (context, args: { words: string[] }) => (await import("./commands/option.ts")).searchOptions(context, args)))
        .command("show <path>", "type, default, description, definitions with their places, and the value", (z) => z.positional("path", { type: "string", demandOption: true, describe: "OPTION.PATH" }), action(async (context, args: { path: string }) => (await import("./commands/option.ts")).showOption(context, args)))
        .command("docs", "the documentation of all options", (z) => z.option("format", { choices: ["markdown", "json"] as const, default: "markdown" as const, describe: "as what" }), action(async (context, args: { format: "markdown" | "json" }) => (await import("./commands/option.ts")).documentAllOptions(context, args)))
        .demandCommand(1, "search, show or docs?"),
    )
    .command("pkg", "packages: what there is", (y) =>
      y
        .command("search <words..>", "packages that have all words in their name or description", words, action(async (context, args: { words: string[] }) => (await import("./commands/pkg.ts")).searchPackages(context, args)))
        .command("show <name>", "version, outputs, where it is defined, whether the store has it", (z) => z.positional("name", { type: "string", demandOption: true, describe: "NAME or pkgs.NAME" }), action(async (context, args: { name: string }) => (await import("./commands/pkg.ts")).showPackage(context, args)))
        .demandCommand(1, "search or show?"),
    )
    .command("add <packages..>", "add packages to the configuration file", packages, action(async (context, args: { packages: string[] }) => (await import("./commands/edit.ts")).addPackages(context, args)))
    .command("remove <packages..>", "remove packages from the configuration file", packages, action(async (context, args: { packages: string[] }) => (await import("./commands/edit.ts")).removePackages(context, args)))
    .command(
      "set <option> [value]",
      "set an option in the configuration file",
      (y) => y.positional("option", { type: "string", demandOption: true, describe: "OPTION.PATH" }).positional("value", { type: "string", describe: "a value of the option's type, JSON for lists and objects; after -- if it begins with a dash" }),
      action(async (context, args: { option: string; value?: string; "--"?: string[] }) => (await import("./commands/edit.ts")).setOption(context, args)),
    )
    .command(
      "store <action> [paths..]",
      "the store by hand",
      (y) =>
        y
          .positional("action", { choices: STORE_ACTIONS, demandOption: true })
          .positional("paths", { type: "string", array: true, default: [] as string[] })
          .option("check-contents", { type: "boolean", default: false, describe: "verify: read and hash every path" })
          .option("repair", { type: "boolean", default: false, describe: "verify: make right what is wrong, from a cache or by a build" })
          .option("name", { type: "string", describe: "add: the store path's name", requiresArg: true })
          .option("reverse", { type: "boolean", default: false, describe: "closure: who refers to it" })
          .option("from", { type: "string", describe: "copy, ls, cat, info: from this cache or store", requiresArg: true })
          .option("to", { type: "string", describe: "copy: to this cache or store", requiresArg: true })
          .option("recursive", { type: "boolean", default: true, describe: "copy, sign, export: with all that the paths need" })
          .option("check-signatures", { type: "boolean", describe: "copy --from: only what a trusted key signed (--no-check-signatures: all); verify: look at signatures too" })
          .option("key-file", { type: "string", array: true, nargs: 1, describe: "sign, serve: a secret key (may be given again)" })
          .option("listen", { type: "string", default: "127.0.0.1:5000", describe: "serve: HOST:PORT", requiresArg: true })
          .option("token-file", { type: "string", describe: "serve: only to who says what this file holds", requiresArg: true }),
      action(async (context, args: StoreArguments) => (await import("./commands/store.ts")).store(context, args)),
    )
    .command(
      "gc",
      "delete what no root reaches",
      (y) => y.option("older-than", { type: "string", describe: "first delete generations older than this, such as 30d", requiresArg: true }).option("roots-older-than", { type: "string", describe: "results and shells last built or entered before this keep nothing", requiresArg: true }).option("max", { type: "string", describe: "stop after this much, such as 10G", requiresArg: true }).option("dry-run", { type: "boolean", default: false, describe: "only say what would go" }),
      action(async (context, args: { olderThan?: string; rootsOlderThan?: string; max?: string; dryRun: boolean }) => (await import("./commands/gc.ts")).gc(context, args)),
    )
    .command(
      "daemon",
      "serve the store to other users and to Nix clients",
      (y) => y.option("socket", { type: "string", describe: "where to listen (default: daemon-socket/socket of the store's state)", requiresArg: true }).option("stdio", { type: "boolean", default: false, describe: "serve one client on standard input and output" }),
      action(async (context, args: { socket?: string; stdio: boolean }) => (await import("./commands/daemon.ts")).daemon(context, args)),
    )
    // Its command line is read by cli/nix/main.ts: the program hands it over before this parser is loaded.
    .command("nix <command> [arguments..]", "the classic nix-* commands with their own arguments: instantiate, build, shell, …", () => undefined, () => undefined)
    .check((parsed) => findWrongFlag(parsed as unknown as ParsedGlobals) ?? true)
    .demandCommand(1, "which command?")
    .strict()
    .recommendCommands()
    .version("version", "print the version", version)
    .help("help", "print this")
    .wrap(Math.min(110, process.stdout.columns ?? 110))
    .exitProcess(false)
    .fail((message, error, y) => {
      // What the parser throws itself, and the texts of `check`, are about the command line as well.
      if (error instanceof Error && error.name !== "YError") throw error;
      let help = "";
      y.showHelp((text) => (help = text));
      throw explainUsage(error instanceof Error ? error.message : (message ?? String(error)), argv, help);
    });

  try {
    await parser.parseAsync();
  } catch (error) {
    if (!(error instanceof Chosen || error instanceof UsageError)) throw error;
    const { reportError, withContext } = await import("./context.ts");
    if (error instanceof UsageError) return await reportError(error, { json: argv.includes("--json"), color: "auto", verbose: false });
    return await withContext(error.flags, version, error.run);
  }
  // Help and version are printed by yargs itself.
  return ExitCode.done;
}

/** The command that a command line means. */
class Chosen extends Error {
  readonly flags: GlobalFlags;
  readonly run: (context: CommandContext) => Promise<number>;

  constructor(flags: GlobalFlags, run: (context: CommandContext) => Promise<number>) {
    super("a command is to be run");
    this.flags = flags;
    this.run = run;
  }
}

