import { compareUtf8 } from "../../util/ordering.ts";
import { activatorBoolean, type UnitSections, unitBoolean, unitValue, unitValues } from "./unit-file.ts";
import { findUnit, type UnitFiles, wantedUnits } from "./unit-files.ts";

/** A unit as systemd reports it. */
export type UnitState = {
  readonly name: string;
  /** `active`, `inactive`, `failed`, `activating`, `deactivating`, `reloading`, … */
  readonly active: string;
  /** Such as `running`, `exited`, `auto-restart`. */
  readonly sub: string;
};

/** Sorted lists; a unit is in at most one of `restart` and `reload`, and may be in `stop` and `start` both. */
export type UnitPlan = {
  /** Stopped while the old definitions hold. */
  readonly stop: readonly string[];
  readonly reload: readonly string[];
  readonly restart: readonly string[];
  readonly start: readonly string[];
  /** Changed, but told to be left as they are. */
  readonly skipped: readonly string[];
};

export type UnitPlanInput = {
  readonly states: readonly UnitState[];
  readonly oldFiles: UnitFiles | undefined;
  readonly newFiles: UnitFiles;
  readonly oldTarget: string;
  readonly newTarget: string;
  /** What a switch that was killed had still to do. */
  readonly pending?: UnitPlan | undefined;
};

export const EMPTY_UNIT_PLAN: UnitPlan = { stop: [], reload: [], restart: [], start: [], skipped: [] };

/** Changes of these keys of [Unit] concern no running process. */
const IGNORED_UNIT_KEYS = new Set([
  "X-Reload-Triggers",
  "Description",
  "Documentation",
  "OnFailure",
  "OnSuccess",
  "OnFailureJobMode",
  "IgnoreOnIsolate",
  "StopWhenUnneeded",
  "RefuseManualStart",
  "RefuseManualStop",
  "AllowIsolate",
  "CollectMode",
  "SourcePath",
]);

/** They are what a boot goes through; stopping one would take the machine down, and starting one again is idle. */
const SLEEP_TARGETS = new Set(["suspend.target", "hibernate.target", "hybrid-sleep.target", "suspend-then-hibernate.target"]);

/** Mounts that nothing can do without. */
const ESSENTIAL_MOUNTS = new Set(["-.mount", "nix.mount", "nix-store.mount", "usr.mount"]);

export type UnitDifference = "equal" | "reload" | "restart";

/** Whether what runs of a unit has to change when its definition becomes another. */
export function compareUnits(name: string, before: UnitSections, after: UnitSections): UnitDifference {
  let result: UnitDifference = "equal";
  for (const section of new Set([...before.keys(), ...after.keys()])) {
    if (section === "Install") continue;
    const old = before.get(section);
    const now = after.get(section);
    for (const key of new Set([...(old?.keys() ?? []), ...(now?.keys() ?? [])])) {
      if (equalLists(old?.get(key), now?.get(key))) continue;
      if (section === "Unit" && key === "X-Reload-Triggers") result = "reload";
      else if (section === "Unit" && IGNORED_UNIT_KEYS.has(key)) continue;
      else if (section === "Mount" && key === "Options" && name.endsWith(".mount")) result = "reload";
      else return "restart";
    }
  }
  return result;
}

function equalLists(a: readonly string[] | undefined, b: readonly string[] | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.length === b.length && a.every((value, index) => value === b[index]);
}

/**
 * What has to happen to units so that the machine runs the new generation's, and as little as possible.
 *
 * The rules for changed units are NixOS's. Other than there, targets are not started again as a whole: only what
 * the new generation wants and the old one did not, and what has failed, is started, so a unit that an admin
 * stopped stays stopped.
 */
export function planUnits(input: UnitPlanInput): UnitPlan {
  const { oldFiles, newFiles } = input;
  const stop = new Set<string>();
  const reload = new Set<string>();
  const restart = new Set<string>();
  const start = new Set<string>();
  const skipped = new Set<string>();
  const states = new Map(input.states.map((state) => [state.name, state]));
  const isActive = (name: string): boolean => ["active", "activating", "reloading", "refreshing"].includes(states.get(name)?.active ?? "");

  const wantedBefore = oldFiles === undefined ? new Set<string>() : wantedUnits(oldFiles, input.oldTarget);
  const wantedNow = wantedUnits(newFiles, input.newTarget);
  const mayStart = (name: string): boolean => {
    const unit = findUnit(newFiles, name);
    if (unit === undefined || unit.masked) return false;
    return !unitBoolean(unit.sections, "Unit", "RefuseManualStart", false) && !activatorBoolean(unit.sections, "X-OnlyManualStart", false);
  };

  const modify = (name: string, after: UnitSections): void => {
    if (name.endsWith(".target") || name.endsWith(".slice") || name.endsWith(".scope") || name.endsWith(".device")) return;
    if (ESSENTIAL_MOUNTS.has(name)) {
      reload.add(name);
      return;
    }
    if (activatorBoolean(after, "X-ReloadIfChanged", false)) {
      reload.add(name);
      return;
    }
    if (
      !activatorBoolean(after, "X-RestartIfChanged", true) ||
      unitBoolean(after, "Unit", "RefuseManualStop", false) ||
      activatorBoolean(after, "X-OnlyManualStart", false)
    ) {
      skipped.add(name);
      return;
    }
    if (name.endsWith(".socket")) {
      // Its service holds the old descriptors, so both go and the socket comes back.
      const service = unitValue(after, "Socket", "Service") ?? name.replace(/\.socket$/, ".service");
      if (isActive(service)) {
        stop.add(service);
        if (wantedNow.has(service) && mayStart(service)) start.add(service);
      }
      stop.add(name);
      start.add(name);
      return;
    }
    // Only a service has commands to stop it with, which must be the old ones.
    if (!name.endsWith(".service") || !activatorBoolean(after, "X-StopIfChanged", true)) {
      restart.add(name);
      return;
    }
    let socketActivated = false;
    const listed = unitValues(after, "Service", "Sockets").flatMap((value) => value.split(/\s+/)).filter((one) => one !== "");
    for (const socket of listed.length > 0 ? listed : [name.replace(/\.service$/, ".socket")]) {
      if (!isActive(socket)) continue;
      stop.add(socket);
      if (!mayStart(socket)) continue;
      start.add(socket);
      socketActivated = true;
    }
    stop.add(name);
    if (!socketActivated || activatorBoolean(after, "X-NotSocketActivated", false)) start.add(name);
  };

  if (oldFiles !== undefined) {
    for (const state of input.states) {
      const { name } = state;
      if (!isActive(name)) continue;
      const before = findUnit(oldFiles, name);
      if (before === undefined || before.masked) continue;
      const after = findUnit(newFiles, name);
      if (after === undefined || after.masked) {
        // What the OS root alone brought and took away is systemd's or a package's own business.
        if (before.declared || after?.masked === true) {
          if (activatorBoolean(before.sections, "X-StopOnRemoval", true)) stop.add(name);
        }
        continue;
      }
      if (name.endsWith(".target")) {
        if (!SLEEP_TARGETS.has(name) && activatorBoolean(after.sections, "X-StopOnReconfiguration", false)) {
          stop.add(name);
          if (mayStart(name)) start.add(name);
        }
        continue;
      }
      if (!before.declared && !after.declared) continue;
      const difference = compareUnits(name, before.sections, after.sections);
      if (difference === "restart") modify(name, after.sections);
      else if (difference === "reload") reload.add(name);
    }
  }

  for (const name of wantedNow) {
    if (isActive(name) || SLEEP_TARGETS.has(name) || !mayStart(name)) continue;
    const failed = states.get(name)?.active === "failed";
    if (!wantedBefore.has(name) || failed || isChangedOneshot(name, oldFiles, newFiles)) start.add(name);
  }

  const pending = input.pending;
  if (pending !== undefined) {
    // What was stopped and not started again, or not yet told of its change, would be forgotten otherwise.
    for (const name of pending.start) if (mayStart(name) && (!isActive(name) || stop.has(name))) start.add(name);
    for (const name of pending.restart) if (findUnit(newFiles, name)?.masked === false) restart.add(name);
    for (const name of pending.reload) if (isActive(name) && findUnit(newFiles, name)?.masked === false) reload.add(name);
  }

  return orderPlan({ stop, reload, restart, start, skipped });
}

/** What has to happen for the sake of either plan. */
export function mergeUnitPlans(a: UnitPlan, b: UnitPlan): UnitPlan {
  const union = (key: keyof UnitPlan): Set<string> => new Set([...a[key], ...b[key]]);
  return orderPlan({ stop: union("stop"), reload: union("reload"), restart: union("restart"), start: union("start"), skipped: union("skipped") });
}

function orderPlan({ stop, reload, restart, start, skipped }: { readonly [key in keyof UnitPlan]: Set<string> }): UnitPlan {
  for (const name of [...stop, ...start]) {
    restart.delete(name);
    reload.delete(name);
  }
  for (const name of restart) reload.delete(name);
  return { stop: sorted(stop), reload: sorted(reload), restart: sorted(restart), start: sorted(start), skipped: sorted(skipped) };
}

/** One that runs to its end and is gone is inactive without anyone having stopped it. */
function isChangedOneshot(name: string, oldFiles: UnitFiles | undefined, newFiles: UnitFiles): boolean {
  const before = oldFiles === undefined ? undefined : findUnit(oldFiles, name);
  const after = findUnit(newFiles, name);
  if (before === undefined || after === undefined || before.masked || (!before.declared && !after.declared)) return false;
  if (unitValue(after.sections, "Service", "Type") !== "oneshot") return false;
  if (!activatorBoolean(after.sections, "X-RestartIfChanged", true)) return false;
  return compareUnits(name, before.sections, after.sections) === "restart";
}

function sorted(names: ReadonlySet<string>): readonly string[] {
  return [...names].sort(compareUtf8);
}
