import { mkdir, readFile, rename, symlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Tool } from "../../core/build/tool.ts";
import { enterShell } from "../../core/shell/enter-shell.ts";
import { formatEnvironmentScript, shellVariables, type ShellEnvironment } from "../../core/shell/shell-environment.ts";
import { isShellRooted, shellRootLink } from "../../core/shell/shell-root.ts";
import { existsSync, lutimesSync } from "node:fs";
import type { CommandContext } from "../context.ts";
import { endTypeCheck, evaluate, typeCheck } from "../evaluation.ts";
import { ExitCode } from "../exit-code.ts";
import { getConfig } from "../find-config.ts";
import { findNixProject } from "../nix-project/find-project.ts";
import { refuseNixFlags, type NixFlags } from "../nix-project/nix-flags.ts";
import { UsageError } from "../usage-error.ts";

export type ShellArguments = NixFlags & {
  /** `env`, or the shell of a Nix project that is meant: `.#NAME`, an attribute of `shell.nix`. */
  readonly action?: string;
  readonly pure: boolean;
  readonly packages?: readonly string[];
  readonly check: boolean;
  readonly "--"?: readonly string[];
};

/**
 * Enters the shell of `shell.config.ts`, or of the packages named with `-p`. When it was entered before and
 * nothing changed, neither the evaluator nor the store is opened.
 */
export async function shell(context: CommandContext, args: ShellArguments): Promise<number> {
  const action = args.action === "env" ? "env" : undefined;
  const project = args.packages === undefined ? findNixProject(context.folder, "shell", { target: action === undefined ? args.action : undefined, config: context.flags.config, configs: ["shell.config.ts"] }) : undefined;
  if (project !== undefined) {
    const { enterProjectShell } = await import("../nix-project/shell.ts");
    return enterProjectShell(context, project, { ...args, action, command: args["--"] });
  }
  refuseNixFlags(args, args.action);
  if (args.action !== undefined && action === undefined) throw new UsageError({ code: "cli.unknown-shell", message: `"${args.action}" is no shell: there is no flake.nix or shell.nix here`, hint: 'say "env", or give a command after --' });
  if (args.pure) throw new UsageError({ code: "cli.pure-shell", message: "--pure is for the shells of .nix files" });
  const file = args.packages === undefined ? getConfig(context, ["shell"]) : undefined;
  const checking = file !== undefined && args.check ? typeCheck(context, file) : Promise.resolve();
  checking.catch(() => undefined);
  const evaluation = await evaluate(context, file, args.packages === undefined ? { kind: "shell" } : { kind: "shell", packages: args.packages });
  if (file !== undefined && args.check) await endTypeCheck(context, file, { checking, evaluation });
  const { environment: derivation } = evaluation.result.shell;

  const { storeRoot } = context.places;
  const physical = (path: string): string => (storeRoot === undefined ? path : join(storeRoot, path));
  const link = shellRootLink(context.places.roots, file ?? `-p ${[...(args.packages ?? [])].sort().join(" ")}`);
  if (!isShellRooted(link, derivation.outPath, physical)) {
    const store = await context.openStore();
    const { realiseResults } = await import("../realise.ts");
    await realiseResults(context, store, { instantiation: evaluation.instantiation, targets: [derivation] });
    await mkdir(dirname(link), { recursive: true });
    const temporary = `${link}.tmp-${process.pid}`;
    await symlink(derivation.outPath, temporary);
    await rename(temporary, link);
    await store.addIndirectRoot(link);
  } else keepFresh(link);

  const environment = JSON.parse(await readFile(join(physical(derivation.outPath), "environment.json"), "utf8")) as ShellEnvironment;
  if (args.action === "env") {
    const variables = shellVariables(environment, context.env, (path) => existsSync(physical(path)));
    if (context.flags.json) context.print(JSON.stringify({ version: 1, variables: changedVariables(variables, context.env), shellHook: environment.shellHook }));
    else context.print(formatEnvironmentScript(environment, variables, context.env).replace(/\n$/, ""));
    return ExitCode.done;
  }
  const elsewhere = storeRoot === undefined ? {} : { storeRoot, bubblewrap: await findBubblewrap(context) };
  using _terminal = context.handTerminalOver();
  return await enterShell({ environment, command: args["--"], env: context.env, folder: context.folder, ...elsewhere });
}

/** A shell that is used does not expire. Who may not write there did not make it. */
function keepFresh(link: string): void {
  try {
    const now = Date.now() / 1000;
    lutimesSync(link, now, now);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && (error.code === "EACCES" || error.code === "EPERM" || error.code === "EROFS"))) throw error;
  }
}

function changedVariables(variables: Readonly<Record<string, string>>, inherited: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(Object.entries(variables).filter(([name, value]) => inherited[name] !== value));
}

// A store that is elsewhere is shown at its logical place by bubblewrap.
async function findBubblewrap(context: CommandContext): Promise<Tool> {
  const { findSandboxTool } = await import("../tools.ts");
  return findSandboxTool(context, await context.openStore());
}
