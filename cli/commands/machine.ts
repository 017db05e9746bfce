import { join } from "node:path";
import { rm } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { startMachine } from "../../core/system/machine.ts";
import type { CommandContext } from "../context.ts";
import { evaluateChecked } from "../evaluation.ts";
import { ExitCode } from "../exit-code.ts";
import { getConfig } from "../find-config.ts";
import { findContainerTool } from "../tools.ts";
import { realiseResults } from "../realise.ts";
import { requireRoot } from "../require-root.ts";
import { UsageError } from "../usage-error.ts";

export type MachineArguments = {
  readonly name?: string;
  readonly port?: readonly string[];
  readonly keep: boolean;
  readonly check: boolean;
  readonly "--"?: readonly string[];
};

/**
 * Boots the configuration, with its `virtualisation.vmVariant`, in a container of its own, with a shell on this terminal (or a command in it), and
 * stops it when that ends. `tsos switch --root` acts on it meanwhile.
 */
export async function machine(context: CommandContext, args: MachineArguments): Promise<number> {
  const ports = (args.port ?? []).map(parsePort);
  requireRoot(context, "tsos machine", "boots a container");
  const evaluation = await evaluateChecked(context, getConfig(context, ["system"]), { kind: "system", variant: "vm" }, args.check);
  const derivation = evaluation.result.toplevel;
  const store = await context.openStore();
  await realiseResults(context, store, { instantiation: evaluation.instantiation, targets: [derivation] });
  const name = args.name ?? (evaluation.result.hostName !== "" ? evaluation.result.hostName : "machine");
  const folder = join(context.places.state, "machines", name);
  const root = context.flags.root ?? join(folder, "root");
  const tool = await findContainerTool(context, store);
  context.say(`booting ${name}, its root is ${root}`);
  try {
    await using started = await startMachine({
      name,
      root,
      toplevel: derivation.outPath,
      realStoreDir: store.realStoreDir,
      storeDir: store.storeDir,
      stateFolder: folder,
      nspawn: [tool.command, ...tool.args],
      addRoot: (link) => store.addIndirectRoot(link),
      report: context.report,
      signal: context.signal,
    });
    for (const unit of started.failedUnits) context.say(`warning: the unit ${unit} failed; see journalctl -u ${unit}`);
    for (const { host, guest } of ports) {
      const forwarded = await started.forwardPort(host, guest);
      context.say(`its port ${guest} is http://127.0.0.1:${forwarded.hostPort}/ here`);
    }
    using _terminal = context.handTerminalOver();
    const command = args["--"] ?? [];
    const [program, ...rest] = command.length === 0 ? ["/usr/bin/bash", "--login"] : command;
    const code = await started.runInteractive([program!, ...rest]);
    // Killed, as who shuts the machine down from inside is: that is no failure.
    if (code === 137 && (await Promise.race([started.stopped.then(() => true), sleep(2000, false)]))) return ExitCode.done;
    return code;
  } finally {
    if (!args.keep && context.flags.root === undefined) await rm(folder, { recursive: true, force: true });
  }
}

/** `HOST:MACHINE`, or one number for both. */
function parsePort(text: string): { readonly host: number; readonly guest: number } {
  const match = /^(?:(\d{1,5}):)?(\d{1,5})$/.exec(text);
  const guest = Number(match?.[2]);
  const host = Number(match?.[1] ?? match?.[2]);
  if (match === null || guest < 1 || guest > 65535 || host > 65535) {
    throw new UsageError({ code: "cli.bad-port", message: `"${text}" is not a port to forward`, hint: "write HOST:MACHINE, such as 8080:80; the host's port 0 takes any that is free" });
  }
  return { host, guest };
}

