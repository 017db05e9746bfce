import { join } from "node:path";
import { compareUtf8 } from "../../util/ordering.ts";
import type { EtcEntry, SystemManifest } from "../manifest.ts";
import { type EtcPlan, planEtc } from "./etc-plan.ts";
import { readIdAllocations, readLink, readOwnedCopies, readText, readUserFiles, snapshotEtc, type MachineRoot } from "./machine-state.ts";
import { readUnitFiles } from "./unit-files.ts";
import { EMPTY_UNIT_PLAN, mergeUnitPlans, planUnits, type UnitPlan, type UnitState } from "./unit-plan.ts";
import { planUsers, type UserPlan } from "./user-plan.ts";

/** All that a switch is going to do; plain data. */
export type ActivationPlan = {
  readonly version: 1;
  readonly from: string | null;
  readonly to: string;
  /** Undefined where /usr is the right one already. */
  readonly osRoot: { readonly from: string | null; readonly to: string } | null;
  readonly users: UserPlan;
  readonly etc: EtcPlan;
  /** Entries of /etc that are there in both generations and differ. */
  readonly changedEtc: readonly string[];
  readonly hostName: { readonly from: string; readonly to: string } | null;
  readonly sysctl: Readonly<Record<string, string>>;
  readonly units: UnitPlan;
};

export type ActivationPlanInput = {
  readonly root: MachineRoot;
  readonly from: { readonly toplevel: string; readonly manifest: SystemManifest } | undefined;
  readonly to: { readonly toplevel: string; readonly manifest: SystemManifest };
  /** Undefined where no systemd runs: units are then left out. */
  readonly states: readonly UnitState[] | undefined;
  readonly cutOff?: CutOffSwitch | undefined;
};

/** A switch that was killed, or failed, and left units between two generations. */
export type CutOffSwitch = {
  /** Where it was going; units may run its definitions. Undefined when that can no longer be read. */
  readonly to: { readonly manifest: SystemManifest } | undefined;
  readonly units: UnitPlan;
};

/** Reads the machine and changes nothing. @throws TsosError `users.*` */
export function planActivation({ root, from, to, states, cutOff }: ActivationPlanInput): ActivationPlan {
  const usr = readLink(join(root, "/usr"));
  const wantedUsr = osRootLink(to.manifest.osRoot);
  const hostName = readText(join(root, "/etc/hostname"))?.trim() ?? "";
  return {
    version: 1,
    from: from?.toplevel ?? null,
    to: to.toplevel,
    osRoot: usr === wantedUsr ? null : { from: usr === undefined ? null : `/${usr.replace(/\/usr$/, "")}`, to: to.manifest.osRoot },
    users: planUsers(to.manifest.users, readUserFiles(root), readIdAllocations(root), (file) => readText(join(root, file))),
    etc: planEtc(to.manifest.etc, snapshotEtc(root), readOwnedCopies(root)),
    changedEtc: changedEntries(from?.manifest.etc ?? [], to.manifest.etc),
    hostName: to.manifest.hostName === "" || to.manifest.hostName === hostName ? null : { from: hostName, to: to.manifest.hostName },
    sysctl: Object.fromEntries(Object.entries(to.manifest.sysctl).filter(([key, value]) => from?.manifest.sysctl[key] !== value)),
    units: states === undefined ? EMPTY_UNIT_PLAN : planAllUnits(states, from?.manifest, to.manifest, cutOff),
  };
}

function planAllUnits(states: readonly UnitState[], from: SystemManifest | undefined, to: SystemManifest, cutOff: CutOffSwitch | undefined): UnitPlan {
  const newFiles = readUnitFiles(to);
  const planFrom = (old: SystemManifest | undefined): UnitPlan =>
    planUnits({
      states,
      oldFiles: old === undefined ? undefined : readUnitFiles(old),
      newFiles,
      oldTarget: old?.defaultTarget ?? to.defaultTarget,
      newTarget: to.defaultTarget,
      pending: cutOff?.units,
    });
  const plan = planFrom(from);
  return cutOff?.to === undefined ? plan : mergeUnitPlans(plan, planFrom(cutOff.to.manifest));
}

/** What /usr points to: relative, so that it also holds for who looks into the root from outside. */
export function osRootLink(osRoot: string): string {
  return `${osRoot.replace(/^\/+/, "")}/usr`;
}

function changedEntries(before: readonly EtcEntry[], after: readonly EtcEntry[]): readonly string[] {
  const old = new Map(before.map((entry) => [entry.target, JSON.stringify(sortedEntry(entry))]));
  return after
    .filter((entry) => old.has(entry.target) && old.get(entry.target) !== JSON.stringify(sortedEntry(entry)))
    .map((entry) => entry.target)
    .sort(compareUtf8);
}

function sortedEntry(entry: EtcEntry): readonly string[] {
  return entry.kind === "link" ? [entry.kind, entry.source] : [entry.kind, entry.source, entry.mode, entry.user, entry.group];
}

/** What `dry-activate` prints: a line for each thing that would happen, none for what stays. */
export function describePlan(plan: ActivationPlan): readonly string[] {
  const lines: string[] = [];
  const list = (intro: string, names: readonly string[]): void => {
    if (names.length > 0) lines.push(`${intro}: ${names.join(", ")}`);
  };
  list("would stop the following units", plan.units.stop);
  list("would NOT restart the following changed units", plan.units.skipped);
  if (plan.osRoot !== null) lines.push(`would make /usr point into ${plan.osRoot.to}`);
  list("would add the users", plan.users.addedUsers);
  list("would remove the users", plan.users.removedUsers);
  list("would change the users", plan.users.changedUsers);
  list("would add the groups", plan.users.addedGroups);
  list("would remove the groups", plan.users.removedGroups);
  const added = plan.etc.operations.filter((operation) => operation.kind === "link").map((operation) => operation.target);
  list("would add to /etc", added);
  list("would change in /etc", plan.changedEtc);
  list("would remove from /etc", plan.etc.stale);
  list("would leave alone in /etc, since tsos does not own it", plan.etc.conflicts);
  if (plan.hostName !== null) lines.push(`would change the host name from "${plan.hostName.from}" to "${plan.hostName.to}"`);
  list("would set", Object.entries(plan.sysctl).map(([key, value]) => `${key}=${value}`));
  list("would reload the following units", plan.units.reload);
  list("would restart the following units", plan.units.restart);
  list("would start the following units", plan.units.start);
  for (const warning of plan.users.warnings) lines.push(`warning: ${warning}`);
  return lines;
}
