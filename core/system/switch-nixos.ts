import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { listSystemGenerations, setSystemProfile } from "./activate/system-profile.ts";
import type { MachineCommandResult } from "./running-machine.ts";
import type { SwitchAction } from "./switch-target.ts";

/** Whether a toplevel is one of NixOS' own modules, which brings its own activation. */
export function isNixosToplevel(path: string): boolean {
  return !existsSync(join(path, "manifest.json")) && existsSync(join(path, "nixos-version")) && existsSync(join(path, "bin/switch-to-configuration"));
}

export type NixosSwitch = {
  readonly action: SwitchAction;
  readonly profile: string;
  /** What the machine boots afterwards, by its logical path. */
  readonly toplevel: string;
  readonly number: number;
  /** What runs afterwards: the toplevel itself, or a variant of it. */
  readonly activated: string;
  /** What runs now, where it is a system of NixOS: what to go back to. Default: the generation that is the default. */
  readonly running?: string | undefined;
  /** Runs a program on the machine; the signal ends it and all that it started. */
  readonly run: (words: readonly [string, ...string[]], signal: AbortSignal | undefined) => Promise<Pick<MachineCommandResult, "code" | "stderr">>;
  readonly say: (text: string) => void;
  readonly signal?: AbortSignal | undefined;
};

/** Of NixOS' `switch-to-configuration`: all was activated, and some units did not start. */
const UNITS_FAILED = 4;
/** Its `init` is another than that which runs, so nothing was activated. */
const NEEDS_REBOOT = 100;
/** What it says where it ends before it changed anything. Its codes do not tell this. */
const REFUSED = /^(Pre-switch checks failed|Could not acquire lock|Could not open lock|This is not a NixOS installation!)$/m;

/**
 * Activates a system of NixOS' own modules with its own `switch-to-configuration`, in the order of tsos: first what runs
 * now, and only when that went well the profile and the boot loader, which shows the generations of the profile. What fails
 * is taken back, so that the machine ends on the new generation or on the old one.
 *
 * @returns 0 done, 3 activated with units that failed, 4 reverted, 5 runs after a reboot, 1 failed before anything changed,
 * 130 interrupted
 */
export async function switchNixos({ action, profile, toplevel, number, activated, running, run, say, signal }: NixosSwitch): Promise<number> {
  const before = listSystemGenerations(profile);
  const current = before.find((one) => one.isCurrent);
  const previous = running ?? current?.toplevel;
  const of = (path: string, verb: string, by?: AbortSignal): ReturnType<NixosSwitch["run"]> => run([`${path}/bin/switch-to-configuration`, verb], by);
  if (action === "dry-activate") return (await of(activated, "dry-activate", signal)).code === 0 ? 0 : 1;

  let status = 0;
  if (action !== "boot") {
    const { code, stderr } = await of(activated, "test", signal);
    const isInterrupted = signal?.aborted === true;
    if (code === NEEDS_REBOOT && !isInterrupted) {
      say(action === "test" ? "error: nothing was activated: the system needs a reboot; tsos boot makes it the next one\n" : "warning: nothing was activated: the system runs after a reboot\n");
      status = 5;
    } else if (isInterrupted || (code !== 0 && code !== UNITS_FAILED)) {
      if (REFUSED.test(stderr)) {
        say(`error: "${activated}" was not activated, and nothing has changed\n`);
        return isInterrupted ? 130 : 1;
      }
      say(isInterrupted ? "error: the activation was interrupted\n" : `error: the activation of "${activated}" ended with ${code}\n`);
      return (await revert(of, previous, say)) ? (isInterrupted ? 130 : 4) : 1;
    } else if (code === UNITS_FAILED) status = 3;
  }
  if (action === "test") return status;

  // The boot loader shows what the profile has, so the generation must be there before.
  const made = setSystemProfile(profile, toplevel, number);
  const { code } = await of(toplevel, "boot", signal);
  const isInterrupted = signal?.aborted === true;
  if (code === 0 && !isInterrupted) return status;
  say(isInterrupted ? "error: the installation of the boot loader was interrupted\n" : `error: the boot loader of "${toplevel}" was not installed: it ended with ${code}\n`);
  if (current === undefined) {
    rmSync(profile, { force: true });
    rmSync(`${profile}-${made}-link`, { force: true });
    return isInterrupted ? 130 : 1;
  }
  setSystemProfile(profile, current.toplevel, current.number);
  if (!before.some((one) => one.number === made)) rmSync(`${profile}-${made}-link`, { force: true });
  const isBootable = (await of(current.toplevel, "boot")).code === 0;
  if (!isBootable) say(`error: nor was that of the generation before; the boot menu may be incomplete: run tsos boot --generation ${current.number}\n`);
  const isBack = action === "boot" || status === 5 || (await revert(of, previous, say));
  return isBack && isBootable ? (isInterrupted ? 130 : 4) : 1;
}

/** Activates what ran before. What interrupts a switch does not interrupt its way back. */
async function revert(of: (path: string, verb: string) => ReturnType<NixosSwitch["run"]>, toplevel: string | undefined, say: (text: string) => void): Promise<boolean> {
  if (toplevel === undefined) {
    say("error: there is no generation before to go back to\n");
    return false;
  }
  say(`going back to ${toplevel}\n`);
  const { code } = await of(toplevel, "test");
  if (code === 0 || code === UNITS_FAILED) return true;
  say(`error: the generation before could not be activated: it ended with ${code}\n`);
  return false;
}
