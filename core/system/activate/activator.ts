import { realpathSync } from "node:fs";
import { join, resolve } from "node:path";
import { TsosError } from "../../error/tsos-error.ts";
import { activate, findGeneration, findRunningToplevel } from "./activate.ts";
import { lockActivation } from "./activation-lock.ts";
import { type ActivationPlan, describePlan, planActivation } from "./activation-plan.ts";
import { activateAtBoot } from "./boot.ts";
import { checkRoot } from "./activation-steps.ts";
import { openJournal } from "./journal.ts";
import { STATE_FOLDER } from "./machine-state.ts";
import { readManifest } from "./read-manifest.ts";
import { openSystemd } from "./system-manager.ts";
import { setSystemProfile, SYSTEM_PROFILE } from "./system-profile.ts";

/** The exit codes that the command line promises. */
export const EXIT = { done: 0, failed: 1, usage: 2, unitFailed: 3, reverted: 4, interrupted: 130 } as const;

type Arguments = {
  readonly action: "switch" | "test" | "boot" | "dry-activate" | "init";
  readonly toplevel: string;
  readonly root: string;
  readonly generation: number | undefined;
  readonly json: boolean;
};

const USAGE = "usage: switch-to-configuration switch|test|boot|dry-activate [--root DIR] [--generation N] [--json]";

/** The activator as a program; returns its exit code. What it does goes to standard error, a plan to standard output. */
export async function runActivator(argv: readonly string[]): Promise<number> {
  const report = (line: string): void => void process.stderr.write(`${line}\n`);
  const parsed = parseArguments(argv);
  if (typeof parsed === "string") {
    report(parsed);
    report(USAGE);
    return EXIT.usage;
  }
  // What is made here is for everyone on the machine, whatever its caller keeps to himself.
  process.umask(0o022);
  // A terminal that goes away takes neither the switch nor its outcome with it.
  process.on("SIGHUP", () => {});
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});
  const abort = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => abort.abort(new Error("interrupted")));
  try {
    return await run(parsed, report, abort.signal);
  } catch (error) {
    if (!(error instanceof TsosError)) throw error;
    report(`error: ${error.message}`);
    if (error.hint !== undefined) report(`hint: ${error.hint}`);
    return EXIT.failed;
  }
}

async function run({ action, toplevel, root, generation, json }: Arguments, report: (line: string) => void, signal: AbortSignal): Promise<number> {
  if (action === "init") return (await activateAtBoot({ toplevel, root, report: (line) => report(`tsos: ${line}`) })) ? EXIT.done : EXIT.failed;
  const manifest = readManifest(toplevel);
  const systemManager = root === "" ? openSystemd(manifest.unitTimeoutSeconds) : undefined;
  if (action === "dry-activate") {
    checkRoot(root, manifest);
    const left = openJournal(join(root, STATE_FOLDER, "activation.json")).find();
    const from = findGeneration(left === undefined ? findRunningToplevel(root) : left.from, report);
    const plan = planActivation({ root, from, to: { toplevel, manifest }, states: await systemManager?.listUnits(), cutOff: left === undefined ? undefined : { to: findGeneration(left.to, () => {}), units: left.units } });
    if (json) process.stdout.write(`${JSON.stringify(printablePlan(plan), undefined, 2)}\n`);
    else for (const line of describePlan(plan)) process.stdout.write(`${line}\n`);
    return EXIT.done;
  }
  using _lock = await lockActivation(root, { report, signal });
  if (action === "boot") {
    const number = setSystemProfile(join(root, SYSTEM_PROFILE), toplevel, generation);
    report(`generation ${number} is the one that the machine boots next`);
    return EXIT.done;
  }
  const outcome = await activate({ action, toplevel, root, systemManager, generation, report, signal });
  switch (outcome.kind) {
    case "activated":
      if (outcome.failedUnits.length > 0) {
        report(`activated, but the following units failed: ${outcome.failedUnits.join(", ")}`);
        return EXIT.unitFailed;
      }
      return EXIT.done;
    case "reverted":
      report(`reverted: the machine is on its old generation again (${outcome.reason})`);
      return outcome.interrupted ? EXIT.interrupted : EXIT.reverted;
    case "broken":
      report(`error: the switch is not complete: ${outcome.reason}`);
      report("hint: run it again; it carries on from where this one stopped");
      return EXIT.failed;
  }
}

/** Without the texts of the user database, which hold password hashes. */
export function printablePlan(plan: ActivationPlan): unknown {
  const { files: _files, allocations: _allocations, uids: _uids, gids: _gids, ...users } = plan.users;
  return { ...plan, users };
}

function parseArguments(argv: readonly string[]): Arguments | string {
  let toplevel: string | undefined;
  let action: Arguments["action"] | undefined;
  let root = "";
  let generation: number | undefined;
  let json = false;
  const rest = [...argv];
  for (let arg = rest.shift(); arg !== undefined; arg = rest.shift()) {
    switch (arg) {
      case "--toplevel":
        toplevel = rest.shift();
        break;
      case "--root":
        root = resolve(rest.shift() ?? "/");
        if (root === "/") root = "";
        break;
      case "--generation":
        generation = Number(rest.shift());
        if (!Number.isInteger(generation) || generation < 1) return "--generation needs a generation's number";
        break;
      case "--json":
        json = true;
        break;
      case "switch":
      case "test":
      case "boot":
      case "dry-activate":
      case "init":
        if (action !== undefined) return `two actions: "${action}" and "${arg}"`;
        action = arg;
        break;
      default:
        return `unknown argument "${arg}"`;
    }
  }
  if (action === undefined) return "an action is needed";
  if (toplevel === undefined) return "--toplevel is needed";
  return { action, toplevel: realpathSync(toplevel), root, generation, json };
}
