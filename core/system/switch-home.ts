import { existsSync, lstatSync, mkdirSync, readFileSync, readlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { TsosError } from "../error/tsos-error.ts";
import { lockFile } from "../util/file-lock.ts";
import { replaceLink } from "./activate/durable-file.ts";
import { listSystemGenerations, nextGenerationNumber, setSystemProfile } from "./activate/system-profile.ts";
import { chooseGeneration, findSpecialisation } from "./choose-generation.ts";
import { runActivation } from "./run-activation.ts";
import type { GenerationSummary, SwitchOptions, SwitchResult } from "./switch.ts";

/** Whose home it is, and where its things are. */
export type HomePlaces = {
  readonly user: string;
  readonly directory: string;
  /** The profile whose generations are the home's. */
  readonly profile: string;
  /** The link to what is active now, which home-manager's activation keeps. */
  readonly current: string;
};

export type HomeSwitchOptions = Pick<SwitchOptions, "target" | "specialisation" | "realPath" | "addRoot" | "onOutput" | "onWait" | "signal"> & {
  /** A home has no boot. */
  readonly action: "switch" | "test" | "dry-activate";
  readonly home: HomePlaces;
  readonly env: NodeJS.ProcessEnv;
};

/**
 * Where home-manager keeps what it knows of a home. Nix: a user's profiles, where they are since 2.14, unless there are only
 * those of before.
 */
export function findHomePlaces(env: NodeJS.ProcessEnv, user: string, directory: string, stateDir = "/nix/var/nix"): HomePlaces {
  const state = env["XDG_STATE_HOME"] ?? join(directory, ".local/state");
  const [own, old] = [join(state, "nix/profiles"), join(stateDir, "profiles/per-user", user)];
  const folder = !existsSync(own) && existsSync(old) ? old : own;
  return { user, directory, profile: join(folder, "home-manager"), current: join(state, "home-manager/gcroots/current-home") };
}

/** Whether a path is a generation of a home. */
export function isHomeGeneration(path: string): boolean {
  return existsSync(join(path, "activate")) && existsSync(join(path, "hm-version"));
}

/**
 * Takes a user's home to a generation with its own activation script, in the order of tsos: first the files, and only when
 * that went well the profile. What fails is taken back by the script of the generation before, which also removes what the
 * one that failed had linked.
 *
 * @returns 0 done, 1 failed, 4 reverted, 130 interrupted and reverted
 * @throws TsosError `home.not-a-generation`, `switch.no-generation`, `switch.no-specialisation`
 */
export async function switchHome({ action, target, specialisation, home, env, addRoot, onOutput, onWait, signal, ...options }: HomeSwitchOptions): Promise<SwitchResult> {
  const realPath = options.realPath ?? ((path: string) => path);
  const { profile, current } = home;
  mkdirSync(dirname(profile), { recursive: true });
  using _lock = await lockFile(`${profile}.lock`, { signal, onWait });

  const chosen = chooseGeneration(profile, target);
  if (!isHomeGeneration(realPath(chosen.toplevel))) throw new TsosError({ code: "home.not-a-generation", message: `"${chosen.toplevel}" is no generation of home-manager: it has no activation script`, data: { path: chosen.toplevel } });
  const activated = specialisation === undefined ? chosen.toplevel : findSpecialisation(chosen.toplevel, specialisation, realPath);
  const before = listSystemGenerations(profile).find((one) => one.isCurrent);
  const active = readActive(current) ?? before?.toplevel;
  const number = chosen.number ?? nextGenerationNumber(profile, chosen.toplevel);
  const result = (exitCode: number): SwitchResult => ({ exitCode, generation: listSystemGenerations(profile).find((one) => one.isCurrent)?.number, toplevel: activated, offline: false });
  const say = (text: string): void => onOutput?.(text, "stderr");
  const activate = async (path: string, more: NodeJS.ProcessEnv = {}, by: AbortSignal | undefined = undefined): Promise<number> => {
    // Before there was this file, the script itself set the profile.
    const words = existsSync(join(realPath(path), "gen-version")) ? ["--driver-version", "1"] : [];
    return (await runActivation([`${path}/activate`, ...words], { onOutput, signal: by, env: { ...env, HOME: home.directory, USER: home.user, ...more } })).code;
  };

  if (action === "dry-activate") return result((await activate(activated, { DRY_RUN: "1" }, signal)) === 0 ? 0 : 1);
  const link = `${profile}-${number}-link`;
  if (action === "switch") await addRoot?.(link);
  const code = await activate(activated, {}, signal);
  if (code === 0) {
    if (action === "test") return result(0);
    const made = setSystemProfile(profile, chosen.toplevel, number);
    await addRoot?.(`${profile}-${made}-link`);
    return result(0);
  }
  const isInterrupted = signal?.aborted === true;
  say(isInterrupted ? "error: the activation was interrupted\n" : `error: the activation of "${activated}" ended with ${code}\n`);
  // A script of before set the profile first.
  if (before !== undefined) setSystemProfile(profile, before.toplevel, before.number);
  if (active === undefined) {
    say("error: there is no generation before to go back to; what was linked so far stays\n");
    return result(isInterrupted ? 130 : 1);
  }
  say(`going back to ${active}\n`);
  // The script removes links of what it finds here and does not have itself.
  mkdirSync(dirname(current), { recursive: true });
  replaceLink(activated, current);
  const back = await activate(active);
  replaceLink(active, current);
  if (back === 0) return result(isInterrupted ? 130 : 4);
  say(`error: the generation before could not be activated: it ended with ${back}\n`);
  return result(1);
}

/** Ascending; what runs is what the activation linked last, a variant counted as its generation only where it is one. */
export function listHome({ profile, current }: HomePlaces, realPath: (path: string) => string = (path) => path): readonly GenerationSummary[] {
  const active = readActive(current);
  return listSystemGenerations(profile).map((generation) => {
    const version = join(realPath(generation.toplevel), "hm-version");
    return { ...generation, label: existsSync(version) ? `home-manager ${readFileSync(version, "utf8").trim()}` : "", tsosVersion: "", isRunning: generation.toplevel === active };
  });
}

/** The path that a link of home-manager's leads to; it may be one to a link in the store's roots. */
function readActive(link: string): string | undefined {
  if (lstatSync(link, { throwIfNoEntry: false })?.isSymbolicLink() !== true) return undefined;
  return readlinkSync(link);
}
