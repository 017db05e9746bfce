import { badSetting, readSettingsFiles } from "../fetch/settings-files.ts";
import { hostSettingsMachine, type SettingsMachine } from "../fetch/settings-machine.ts";
import { parsePublicKey, type PublicKey } from "../narinfo/signature.ts";
import type { Trust } from "./trust.ts";

/** Which caches are asked, and whose signatures count. */
export type CacheSettings = {
  /** URLs of binary caches. */
  readonly substituters: readonly string[];
  readonly trust: Trust;
};

const BAD = "cache.bad-settings";

/**
 * `substituters`, `trustedPublicKeys` and `requireSignatures` of `/etc/tsos/settings.json` and then of the user's own
 * file; `TSOS_SUBSTITUTERS` and `TSOS_TRUSTED_PUBLIC_KEYS` (between white space) come in their place. Without any, no
 * cache is asked.
 *
 * @throws TsosError `cache.bad-settings`, `signature.malformed`
 */
export async function loadCacheSettings(machine: Partial<SettingsMachine> = {}): Promise<CacheSettings> {
  const { env, readFile } = { ...hostSettingsMachine(), ...machine };
  let substituters: readonly string[] = [];
  let publicKeys: readonly string[] = [];
  let requireSignatures = true;
  for (const { file, value } of await readSettingsFiles({ env, readFile }, BAD)) {
    substituters = list(value, "substituters", file) ?? substituters;
    publicKeys = list(value, "trustedPublicKeys", file) ?? publicKeys;
    const required = value["requireSignatures"];
    if (required !== undefined && typeof required !== "boolean") throw badSetting(BAD, `"requireSignatures" is ${JSON.stringify(required)}`, file, "true or false");
    requireSignatures = required ?? requireSignatures;
  }
  substituters = words(env["TSOS_SUBSTITUTERS"]) ?? substituters;
  publicKeys = words(env["TSOS_TRUSTED_PUBLIC_KEYS"]) ?? publicKeys;
  return { substituters, trust: { publicKeys: publicKeys.map((key): PublicKey => parsePublicKey(key)), requireSignatures } };
}

function words(text: string | undefined): readonly string[] | undefined {
  return text?.split(/\s+/).filter((word) => word !== "");
}

function list(value: Readonly<Record<string, unknown>>, name: string, file: string): readonly string[] | undefined {
  const given = value[name];
  if (given === undefined) return undefined;
  if (!Array.isArray(given) || !given.every((item) => typeof item === "string")) throw badSetting(BAD, `"${name}" is ${JSON.stringify(given)}`, file, "a list of strings");
  return given as readonly string[];
}
