import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { listSystemGenerations, setSystemProfile } from "./activate/system-profile.ts";
import type { SwitchAction } from "./switch.ts";

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
  /** Runs a program on the machine, and gives its exit code. */
  readonly run: (words: readonly [string, ...string[]]) => Promise<number>;
  readonly say: (text: string) => void;
};

/** Of NixOS' `switch-to-configuration`: all was activated, and some units did not start. */
const UNITS_FAILED = 4;

/**
 * Activates a system of NixOS' own modules with its own `switch-to-configuration`, in the order of tsos: first what runs
 * now, and only when that went well the profile and the boot loader, which shows the generations of the profile. What fails
 * is taken back, so that the machine ends on the new generation or on the old one.
 *
 * @returns 0 done, 3 activated with units that failed, 4 reverted, 1 failed before anything changed, 130 interrupted
 */
export async function switchNixos({ action, profile, toplevel, number, activated, run, say }: NixosSwitch): Promise<number> {
  const before = listSystemGenerations(profile);
  const current = before.find((one) => one.isCurrent);
  const of = (path: string, verb: string): Promise<number> => run([`${path}/bin/switch-to-configuration`, verb]);
  if (action === "dry-activate") return (await of(activated, "dry-activate")) === 0 ? 0 : 1;

  let status = 0;
  if (action !== "boot") {
    const code = await of(activated, "test");
    if (code !== 0 && code !== UNITS_FAILED) {
      if (code === 130) say("error: the activation was interrupted\n");
      else say(`error: the activation of "${activated}" ended with ${code}\n`);
      return (await revert(of, current?.toplevel, say)) ? (code === 130 ? 130 : 4) : 1;
    }
    if (code === UNITS_FAILED) status = 3;
  }
  if (action === "test") return status;

  // The boot loader shows what the profile has, so the generation must be there before.
  const made = setSystemProfile(profile, toplevel, number);
  const code = await of(toplevel, "boot");
  if (code === 0) return status;
  say(`error: the boot loader of "${toplevel}" was not installed: it ended with ${code}\n`);
  if (current === undefined) {
    rmSync(profile, { force: true });
    rmSync(`${profile}-${made}-link`, { force: true });
    return 1;
  }
  setSystemProfile(profile, current.toplevel, current.number);
  if (!before.some((one) => one.number === made)) rmSync(`${profile}-${made}-link`, { force: true });
  const isBootable = (await of(current.toplevel, "boot")) === 0;
  if (!isBootable) say(`error: nor was that of the generation before; the boot menu may be incomplete: run tsos boot --generation ${current.number}\n`);
  if (action === "boot") return isBootable ? 4 : 1;
  return (await revert(of, current.toplevel, say)) && isBootable ? 4 : 1;
}

/** Activates what was there before. */
async function revert(of: (path: string, verb: string) => Promise<number>, toplevel: string | undefined, say: (text: string) => void): Promise<boolean> {
  if (toplevel === undefined) {
    say("error: there is no generation before to go back to\n");
    return false;
  }
  say(`going back to ${toplevel}\n`);
  const code = await of(toplevel, "test");
  if (code === 0 || code === UNITS_FAILED) return true;
  say(`error: the generation before could not be activated: it ended with ${code}\n`);
  return false;
}
