import { readFileSync, readdirSync, realpathSync, statSync } from "node:fs";
import { join } from "node:path";
import { TsosError } from "../../error/tsos-error.ts";
import type { SystemManifest } from "../manifest.ts";
import { type ActivationPlan, planActivation } from "./activation-plan.ts";
import { holdGenerations, holdRunning } from "./activation-roots.ts";
import { checkRoot, FILE_STEPS, type StepContext } from "./activation-steps.ts";
import { type FailedCheck, runHealthChecks } from "./health-check.ts";
import { type JournalEntry, openJournal } from "./journal.ts";
import { type MachineRoot, STATE_FOLDER } from "./machine-state.ts";
import { readManifest } from "./read-manifest.ts";
import { type JobOutcome, runCommand, type SystemManager } from "./system-manager.ts";
import { setSystemProfile, SYSTEM_PROFILE } from "./system-profile.ts";
import { findUnit, readUnitFiles } from "./unit-files.ts";
import { mergeUnitPlans, type UnitPlan } from "./unit-plan.ts";

export type ActivateOptions = {
  readonly action: "switch" | "test";
  /** The full path of the toplevel in the store. */
  readonly toplevel: string;
  readonly root: MachineRoot;
  /** Undefined where no systemd runs on `root`: then only files change. */
  readonly systemManager: SystemManager | undefined;
  /** Becomes this generation again, rather than a new one. */
  readonly generation?: number | undefined;
  readonly report: (line: string) => void;
  /** Asks to stop: what was done so far is reverted. */
  readonly signal?: AbortSignal | undefined;
  /** Called when a step is about to run. */
  readonly onStep?: ((step: string, direction: "forward" | "back") => void) | undefined;
  readonly checkHealth?: (checks: SystemManifest["checks"]) => Promise<readonly FailedCheck[]>;
};

export type ActivationOutcome =
  | { readonly kind: "activated"; readonly generation: number | undefined; readonly failedUnits: readonly string[]; readonly warnings: readonly string[] }
  /** The machine is on `from` again. */
  | { readonly kind: "reverted"; readonly reason: string; readonly interrupted: boolean }
  /** There was nothing to go back to, or going back failed too; another run carries on. */
  | { readonly kind: "broken"; readonly reason: string };

type Generation = { readonly toplevel: string; readonly manifest: SystemManifest };

/**
 * Makes the machine run `toplevel`, or leaves it on what it ran: prepare, apply with a journal, check, commit. A
 * run that finds the journal of one that was killed carries on from whatever that one did.
 *
 * @throws TsosError before anything is changed: what is wrong with the generation or the machine
 */
export async function activate(options: ActivateOptions): Promise<ActivationOutcome> {
  const { root, report } = options;
  const journal = openJournal(join(root, STATE_FOLDER, "activation.json"));
  const warnings: string[] = [];
  const warn = (line: string): void => {
    warnings.push(line);
    report(`warning: ${line}`);
  };

  const to: Generation = { toplevel: options.toplevel, manifest: readManifest(options.toplevel) };
  const left = journal.find();
  if (left !== undefined) report(`carrying on after a switch to ${left.to} that was cut off at its step "${left.step}"`);
  const from = findGeneration(left === undefined ? findRunningToplevel(root) : left.from, warn);
  checkRoot(root, to.manifest);
  await checkFirewall(options, to.manifest);
  const cutOff = left === undefined ? undefined : { to: left.to === to.toplevel ? undefined : findGeneration(left.to, () => {}), units: left.units };
  const plan = planActivation({ root, from, to, states: await options.systemManager?.listUnits(), cutOff });

  const entry: Omit<JournalEntry, "step" | "units" | "direction"> = { version: 1, action: options.action, from: from?.toplevel ?? null, to: to.toplevel };
  const units = left === undefined ? plan.units : mergeUnitPlans(left.units, plan.units);
  const beforeStep =
    (direction: "forward" | "back", pending: UnitPlan) =>
    (step: string): void => {
      journal.write({ ...entry, direction, step, units: pending });
      options.onStep?.(step, direction);
    };

  holdGenerations(root, from?.toplevel ?? null, to.toplevel);
  let failedUnits: readonly string[] = [];
  try {
    const step = beforeStep("forward", units);
    failedUnits = await apply({ options, to, from, plan, warn, step });
    options.signal?.throwIfAborted();
    if (to.manifest.checks.length > 0) {
      step("checks");
      await checkHealth(options, to.manifest);
    }
    options.signal?.throwIfAborted();
    step("commit");
    const generation = options.action === "switch" ? setSystemProfile(join(root, SYSTEM_PROFILE), to.toplevel, options.generation) : undefined;
    journal.remove();
    holdRunning(root, to.toplevel);
    return { kind: "activated", generation, failedUnits, warnings };
  } catch (error) {
    const reason = reasonOf(error);
    const interrupted = options.signal?.aborted === true;
    if (from === undefined) {
      return { kind: "broken", reason: `${reason}; there is no generation before this one to go back to` };
    }
    report(`error: ${reason}`);
    report(`going back to ${from.toplevel}`);
    try {
      const back = planActivation({ root, from: to, to: from, states: await options.systemManager?.listUnits(), cutOff: { to: cutOff?.to, units } });
      const step = beforeStep("back", mergeUnitPlans(units, back.units));
      await apply({ options: { ...options, signal: undefined }, to: from, from: to, plan: back, warn, step });
      journal.remove();
      holdRunning(root, from.toplevel);
      return { kind: "reverted", reason, interrupted };
    } catch (second) {
      return { kind: "broken", reason: `${reason}; and going back failed too: ${reasonOf(second)}` };
    }
  }
}

type ApplyInput = {
  readonly options: ActivateOptions;
  readonly from: Generation | undefined;
  readonly to: Generation;
  readonly plan: ActivationPlan;
  readonly warn: (line: string) => void;
  readonly step: (name: string) => void;
};

/** Runs all steps up to the health checks; returns the units that failed. */
async function apply({ options, from, to, plan, warn, step }: ApplyInput): Promise<readonly string[]> {
  const { root, report, systemManager, signal } = options;
  const { units } = plan;
  const failedBefore = new Set((await systemManager?.listUnits())?.filter((state) => state.active === "failed").map((state) => state.name));
  const problems: string[] = [];
  const jobs = async (verb: "stop" | "reload" | "restart" | "start", participle: string): Promise<void> => {
    if (systemManager === undefined || units[verb].length === 0) return;
    report(`${participle} the following units: ${units[verb].join(", ")}`);
    const outcome = await systemManager[verb](units[verb]);
    problems.push(...describeOutcome(participle, outcome, warn));
  };

  signal?.throwIfAborted();
  if (systemManager !== undefined) {
    step("stop-units");
    await jobs("stop", "stopping");
    if (units.skipped.length > 0) report(`NOT restarting the following changed units: ${units.skipped.join(", ")}`);
  }
  const context: StepContext = {
    root,
    live: root === "" && systemManager !== undefined,
    toplevel: to.toplevel,
    manifest: to.manifest,
    plan,
    action: options.action,
    report,
    warn,
  };
  for (const one of FILE_STEPS) {
    signal?.throwIfAborted();
    step(one.name);
    await one.run(context);
  }
  if (systemManager === undefined) return [];

  signal?.throwIfAborted();
  step("reload-systemd");
  if (from !== undefined && !hasSameSystemd(from.manifest.osRoot, to.manifest.osRoot)) {
    report("restarting systemd, which is another version");
    await systemManager.daemonReexec();
  }
  await systemManager.daemonReload();
  // What failed and is no more would stay on the list of failures, and switches in quick succession are no reason
  // to run into a unit's limit of starts.
  const files = readUnitFiles(to.manifest);
  const isGone = (name: string): boolean => findUnit(files, name)?.masked !== false;
  await systemManager.resetFailed([...units.start, ...units.restart, ...[...failedBefore].filter(isGone)]);
  signal?.throwIfAborted();
  step("start-units");
  await jobs("reload", "reloading");
  await jobs("restart", "restarting");
  await jobs("start", "starting");
  const touched = new Set([...units.reload, ...units.restart, ...units.start]);
  const failed = (await systemManager.listUnits())
    .filter((state) => (state.active === "failed" && (touched.has(state.name) || !failedBefore.has(state.name))) || (state.sub === "auto-restart" && touched.has(state.name)))
    .map((state) => state.name);
  for (const name of failed) {
    const log = await systemManager.log(name);
    warn(`the unit ${name} failed${log === "" ? "" : `; the end of its log:\n${indent(log)}`}`);
  }
  return [...new Set([...failed, ...problems])].sort();
}

/** The units that are still under way at the time limit; why others failed is found in their state. */
function describeOutcome(what: string, outcome: JobOutcome, warn: (line: string) => void): readonly string[] {
  switch (outcome.kind) {
    case "done":
      return [];
    case "failed":
      warn(`${what} units: ${outcome.message}`);
      return [];
    case "timed-out":
      warn(`${what} took longer than ${outcome.seconds} s and goes on by itself: ${outcome.pending.join(", ")}`);
      return outcome.pending;
  }
}

async function checkFirewall({ systemManager, root }: ActivateOptions, manifest: SystemManifest): Promise<void> {
  if (manifest.firewall === null || systemManager === undefined || root !== "") return;
  const result = await runCommand(join(manifest.osRoot, "usr/sbin/nft"), ["--check", "--file", manifest.firewall.ruleset], { seconds: 30 });
  // 127: the OS root has none, and the unit that loads the rules will say so.
  if (result.code !== 0 && result.code !== 127) {
    throw new TsosError({ code: "activate.firewall", message: `the firewall's rules are refused by nft: ${result.output}` });
  }
}

async function checkHealth({ checkHealth: check = runHealthChecks, report, systemManager }: ActivateOptions, manifest: SystemManifest): Promise<void> {
  const failed = await check(manifest.checks);
  for (const { name, reason } of failed) report(`the health check "${name}" does not hold: ${reason}`);
  if (failed.length > 0) {
    // As a rule the cause is a unit that started and ended a moment later.
    for (const { name, active } of (await systemManager?.listUnits()) ?? []) {
      if (active === "failed") report(`the unit ${name} has failed; the end of its log:\n${indent((await systemManager?.log(name)) ?? "")}`);
    }
    throw new TsosError({ code: "activate.unhealthy", message: `health checks do not hold: ${failed.map(({ name }) => `"${name}"`).join(", ")}` });
  }
}

/** What runs now: /run/current-system, which only a boot or a switch sets. */
export function findRunningToplevel(root: MachineRoot): string | null {
  try {
    return realpathSync(join(root, "/run/current-system"));
  } catch {
    return null;
  }
}

export function findGeneration(toplevel: string | null, warn: (line: string) => void): Generation | undefined {
  if (toplevel === null) return undefined;
  try {
    return { toplevel, manifest: readManifest(toplevel) };
  } catch (error) {
    warn(`the generation that ran before cannot be read, so there is no way back to it: ${reasonOf(error)}`);
    return undefined;
  }
}

/** Hard links of the same package, or the same bytes. */
function hasSameSystemd(before: string, after: string): boolean {
  if (before === after) return true;
  const files = (osRoot: string): readonly string[] => {
    const found = ["usr/lib/systemd/systemd"];
    for (const folder of ["usr/lib/systemd", "usr/lib/x86_64-linux-gnu/systemd", "usr/lib/aarch64-linux-gnu/systemd"]) {
      try {
        for (const name of readdirSync(join(osRoot, folder)).sort()) if (name.startsWith("libsystemd-")) found.push(`${folder}/${name}`);
      } catch {
        // Not every OS root has every folder.
      }
    }
    return found;
  };
  const old = files(before);
  const now = files(after);
  if (old.join() !== now.join()) return false;
  try {
    return old.every((file) => {
      const [a, b] = [join(before, file), join(after, file)];
      const [x, y] = [statSync(a), statSync(b)];
      return (x.dev === y.dev && x.ino === y.ino) || (x.size === y.size && readFileSync(a).equals(readFileSync(b)));
    });
  } catch {
    return false;
  }
}

function indent(text: string): string {
  return text.replace(/^/gm, "    ");
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
