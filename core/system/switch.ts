import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { TsosError } from "../error/tsos-error.ts";
import { lockFile } from "../util/file-lock.ts";
import { chooseGeneration, findSpecialisation } from "./choose-generation.ts";
import { runActivation } from "./run-activation.ts";
import { readManifest } from "./activate/read-manifest.ts";
import { listSystemGenerations, nextGenerationNumber, setSystemProfile, SYSTEM_PROFILE, type SystemGeneration } from "./activate/system-profile.ts";
import { isNixosToplevel, switchNixos } from "./switch-nixos.ts";
import type { SwitchAction, SwitchTarget } from "./switch-target.ts";
import { findRunningMachine, findRunningToplevel, type MachineCommandResult } from "./running-machine.ts";

export type SwitchOptions = {
  readonly action: SwitchAction;
  readonly target: SwitchTarget;
  /**
   * The name of a variant of the target that runs from now on. What the machine boots is the target itself, so
   * `boot` takes none.
   */
  readonly specialisation?: string | undefined;
  /** The root folder of the machine that is meant; default `/`, this machine. */
  readonly root?: string | undefined;
  /** Logical path of the store → where it is on this host; default the same. */
  readonly realPath?: ((path: string) => string) | undefined;
  /** Makes a link outside the store, which may not be there yet, an indirect root. */
  readonly addRoot?: ((link: string) => Promise<void>) | undefined;
  /** A dry activation's plan as JSON. */
  readonly json?: boolean | undefined;
  readonly onOutput?: ((text: string, stream: "stdout" | "stderr") => void) | undefined;
  readonly onWait?: (() => void) | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Of it, a machine of NixOS is given what its own program reads: `NIXOS_NO_CHECK`, `NIXOS_INSTALL_BOOTLOADER`, … */
  readonly env?: NodeJS.ProcessEnv | undefined;
};

export type SwitchResult = {
  /** 0 done, 1 failed, 3 a unit failed, 4 reverted, 5 runs after a reboot, 130 interrupted and reverted. */
  readonly exitCode: number;
  /** The generation that the machine boots now, after whatever happened. */
  readonly generation: number | undefined;
  readonly toplevel: string;
  /** The machine of `root` is not running: only what it boots next was set. */
  readonly offline: boolean;
};

/** A machine's `system` profile on this host. */
export function systemProfileOf(root = "/"): string {
  return join(root, SYSTEM_PROFILE);
}

/**
 * Takes a machine to a generation: this machine, the running machine of `root`, or, where that is not running,
 * what it boots next. Needs nothing but the generation's own closure; no evaluation, build or network.
 *
 * @throws TsosError `switch.no-generation`, `switch.no-specialisation`, `switch.not-running`, `manifest.*`
 */
export async function switchSystem(options: SwitchOptions): Promise<SwitchResult> {
  const { action, root = "/", addRoot, signal } = options;
  const realPath = options.realPath ?? ((path: string) => path);
  const profile = systemProfileOf(root);
  mkdirSync(dirname(profile), { recursive: true });
  // Nix's lock of a profile, so that nothing deletes or makes generations meanwhile.
  using _lock = await lockFile(`${profile}.lock`, { signal, onWait: options.onWait });

  const chosen = chooseGeneration(profile, options.target);
  const isNixos = isNixosToplevel(realPath(chosen.toplevel));
  // Says early and on this host what a wrong path is; the activator reads it again.
  if (!isNixos) readManifest(realPath(chosen.toplevel));
  const number = chosen.number ?? nextGenerationNumber(profile, chosen.toplevel);
  const link = `${profile}-${number}-link`;
  const keepsGeneration = action === "switch" || action === "boot";
  // A variant belongs to its generation: what is activated is the variant, what is the default afterwards the generation.
  const activated = options.specialisation === undefined ? chosen.toplevel : findSpecialisation(chosen.toplevel, options.specialisation, realPath);
  const isVariant = activated !== chosen.toplevel;
  // Before and after: the link appears only with the commit, and a collector forgets roots that lead nowhere.
  if (keepsGeneration) await addRoot?.(link);

  const result = (exitCode: number, offline: boolean): SwitchResult => ({
    exitCode,
    generation: listSystemGenerations(profile).find((one) => one.isCurrent)?.number,
    toplevel: activated,
    offline,
  });
  const args: readonly string[] = [isVariant && action === "switch" ? "test" : action, ...(keepsGeneration && !isVariant ? ["--generation", String(number)] : []), ...(options.json === true ? ["--json"] : [])];
  const program = `${activated}/bin/switch-to-configuration`;

  const machine = root === "/" ? undefined : findRunningMachine(root);
  if (root !== "/" && machine === undefined) {
    if (action === "test" || action === "dry-activate" || isVariant) {
      throw new TsosError({
        code: "switch.not-running",
        message: `the machine with the root "${root}" is not running, so "${isVariant ? `${action} --specialisation` : action}" has nothing to act on`,
        hint: "start it with `tsos machine`, or use `tsos boot`",
      });
    }
    setSystemProfile(profile, chosen.toplevel, number);
    await addRoot?.(link);
    if (isNixos) options.onOutput?.("warning: the machine is not running, so its boot loader was not installed anew\n", "stderr");
    return result(0, true);
  }
  const run = machine === undefined ? runActivation : machine.run.bind(machine);
  if (isNixos) {
    const say = (text: string): void => options.onOutput?.(text, "stderr");
    const found = findRunningToplevel(root);
    const running = found !== undefined && existsSync(join(realPath(found), "bin/switch-to-configuration")) ? found : undefined;
    const env = Object.fromEntries(Object.entries(options.env ?? {}).filter((entry): entry is [string, string] => entry[0].startsWith("NIXOS_") && entry[1] !== undefined));
    // Beside a result as JSON nothing else stands on standard output.
    const onOutput = options.json === true && options.onOutput !== undefined ? (text: string) => options.onOutput!(text, "stderr") : options.onOutput;
    const runOn = (words: readonly [string, ...string[]], by: AbortSignal | undefined): Promise<MachineCommandResult> =>
      machine === undefined ? runActivation(words, { onOutput, signal: by, endsAll: true }) : machine.run(words, { onOutput, signal: by, env });
    const code = await switchNixos({ action, profile, toplevel: chosen.toplevel, number, activated, running, say, run: runOn, signal });
    const end = result(code, false);
    if (keepsGeneration && end.generation !== undefined) await addRoot?.(`${profile}-${end.generation}-link`);
    return end;
  }
  const { code } = await run([program, ...args], { onOutput: options.onOutput, signal });
  // The activator says itself how it ended, unless it was killed.
  if (code > 128 && code !== 130) {
    options.onOutput?.(`error: the activation was killed by signal ${code - 128}\nhint: run it again; it carries on from where this one stopped\n`, "stderr");
  }
  if (isVariant && action === "switch" && (code === 0 || code === 3)) setSystemProfile(profile, chosen.toplevel, number);
  const end = result(code > 128 && code !== 130 ? 1 : code, false);
  if (keepsGeneration && end.generation !== undefined) await addRoot?.(`${profile}-${end.generation}-link`);
  return end;
}

/** One line of `tsos generations`. */
export type GenerationSummary = SystemGeneration & {
  readonly label: string;
  readonly tsosVersion: string;
  /** It is what runs now (/run/current-system), which after `boot` or `test` is another than the default. */
  readonly isRunning: boolean;
};

/** Ascending. What a generation's path no longer tells is the empty string. */
export function listSystem(root = "/", realPath: (path: string) => string = (path) => path): readonly GenerationSummary[] {
  const running = findRunningToplevel(root);
  return listSystemGenerations(systemProfileOf(root)).map((generation) => {
    const real = realPath(generation.toplevel);
    let label = "";
    let tsosVersion = "";
    try {
      if (isNixosToplevel(real)) label = `NixOS ${readFileSync(join(real, "nixos-version"), "utf8").trim()}`;
      else label = readManifest(real).label;
      if (!isNixosToplevel(real)) tsosVersion = readFileSync(join(real, "tsos-version"), "utf8").trim();
    } catch {
      // Its path was deleted or is of another version.
    }
    return { ...generation, label, tsosVersion, isRunning: generation.toplevel === running };
  });
}
