import { join } from "node:path";
import { TsosError } from "../error/tsos-error.ts";
import { hostSettingsMachine, type SettingsMachine } from "../fetch/load-fetch-settings.ts";
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

/**
 * `timeout`, `maxSilentTime` (seconds), `maxLogSize`, `minFree`, `maxFree` (bytes), `rootsExpireAfterDays` and `autoOptimise` of `/etc/tsos/settings.json` and then
 * of the user's own file. Nothing is limited, nor shared, unless they say so.
 *
 * @throws TsosError `build.bad-settings`
 */
export async function loadBuildSettings(machine: Partial<SettingsMachine> = {}): Promise<BuildSettings> {
  const { env, readFile } = { ...hostSettingsMachine(), ...machine };
  const configHome = env["XDG_CONFIG_HOME"] ?? (env["HOME"] === undefined ? undefined : join(env["HOME"], ".config"));
  const settings: Partial<Record<(typeof AMOUNTS)[number], number>> = {};
  let autoOptimise = false;
  for (const file of ["/etc/tsos/settings.json", ...(configHome === undefined ? [] : [join(configHome, "tsos/settings.json")])]) {
    const text = await readFile(file);
    if (text === undefined) continue;
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (cause) {
      throw new TsosError({ code: "build.bad-settings", message: `"${file}" is not JSON`, cause });
    }
    if (typeof value !== "object" || value === null) throw bad("it holds no object", file, "{ … }");
    const given = value as Readonly<Record<string, unknown>>;
    for (const name of AMOUNTS) {
      const amount = given[name];
      if (amount === undefined) continue;
      if (typeof amount !== "number" || !Number.isSafeInteger(amount) || amount < 0) throw bad(`"${name}" is ${JSON.stringify(amount)}`, file, "a whole number, 0 for no limit");
      settings[name] = amount;
    }
    const optimise = given["autoOptimise"];
    if (optimise === undefined) continue;
    if (typeof optimise !== "boolean") throw bad(`"autoOptimise" is ${JSON.stringify(optimise)}`, file, "true or false");
    autoOptimise = optimise;
  }
  const { timeout, maxSilentTime, maxLogSize, minFree = 0, maxFree = 0, rootsExpireAfterDays = 0 } = settings;
  const rootsExpireAfter = rootsExpireAfterDays === 0 ? undefined : rootsExpireAfterDays * DAY;
  const space = minFree === 0 ? undefined : { minFree, maxFree: Math.max(minFree, maxFree), rootsExpireAfter };
  return { limits: { timeout, maxSilentTime, maxLogSize }, autoOptimise, space, rootsExpireAfter };
}

function bad(problem: string, file: string, expected: string): TsosError {
  return new TsosError({ code: "build.bad-settings", message: `${problem} in "${file}"`, hint: `expected ${expected}`, data: { file } });
}
