import { badSetting, readSettingsFiles } from "../fetch/settings-files.ts";
import { hostSettingsMachine, type SettingsMachine } from "../fetch/settings-machine.ts";
import type { BuildLimits } from "./build-limits.ts";
import type { SpaceLimits } from "./space-keeper.ts";

/** How this machine builds and stores. */
export type BuildSettings = {
  readonly limits: BuildLimits;
  /** Share equal files of what is added. */
  readonly autoOptimise: boolean;
  /** Undefined where nothing is to be collected by itself. */
  readonly space: SpaceLimits | undefined;
  /** In milliseconds, how long a project's root keeps what it points to; undefined: for ever. */
  readonly rootsExpireAfter: number | undefined;
};

const AMOUNTS = ["timeout", "maxSilentTime", "maxLogSize", "minFree", "maxFree", "rootsExpireAfterDays"] as const;
const DAY = 86_400_000;
const BAD = "build.bad-settings";

/**
 * `timeout`, `maxSilentTime` (seconds), `maxLogSize`, `minFree`, `maxFree` (bytes), `rootsExpireAfterDays` and `autoOptimise` of `/etc/tsos/settings.json` and then
 * of the user's own file. Nothing is limited, nor shared, unless they say so.
 *
 * @throws TsosError `build.bad-settings`
 */
export async function loadBuildSettings(machine: Partial<SettingsMachine> = {}): Promise<BuildSettings> {
  const { env, readFile } = { ...hostSettingsMachine(), ...machine };
  const settings: Partial<Record<(typeof AMOUNTS)[number], number>> = {};
  let autoOptimise = false;
  for (const { file, value: given } of await readSettingsFiles({ env, readFile }, BAD)) {
    for (const name of AMOUNTS) {
      const amount = given[name];
      if (amount === undefined) continue;
      if (typeof amount !== "number" || !Number.isSafeInteger(amount) || amount < 0) throw badSetting(BAD, `"${name}" is ${JSON.stringify(amount)}`, file, "a whole number, 0 for no limit");
      settings[name] = amount;
    }
    const optimise = given["autoOptimise"];
    if (optimise === undefined) continue;
    if (typeof optimise !== "boolean") throw badSetting(BAD, `"autoOptimise" is ${JSON.stringify(optimise)}`, file, "true or false");
    autoOptimise = optimise;
  }
  const { timeout, maxSilentTime, maxLogSize, minFree = 0, maxFree = 0, rootsExpireAfterDays = 0 } = settings;
  const rootsExpireAfter = rootsExpireAfterDays === 0 ? undefined : rootsExpireAfterDays * DAY;
  const space = minFree === 0 ? undefined : { minFree, maxFree: Math.max(minFree, maxFree), rootsExpireAfter };
  return { limits: { timeout, maxSilentTime, maxLogSize }, autoOptimise, space, rootsExpireAfter };
}
