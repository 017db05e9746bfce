import { join } from "node:path";
import { TsosError } from "../error/tsos-error.ts";
import { hostSettingsMachine, type SettingsMachine } from "../fetch/load-fetch-settings.ts";
import { parsePublicKey, type PublicKey } from "../narinfo/signature.ts";
import type { Trust } from "./trust.ts";

/** Which caches are asked, and whose signatures count. */
export type CacheSettings = {
  /** URLs of binary caches. */
  readonly substituters: readonly string[];
  readonly trust: Trust;
};

/**
 * `substituters`, `trustedPublicKeys` and `requireSignatures` of `/etc/tsos/settings.json` and then of the user's own
 * file; `TSOS_SUBSTITUTERS` and `TSOS_TRUSTED_PUBLIC_KEYS` (between white space) come in their place. Without any, no
 * cache is asked.
 *
 * @throws TsosError `cache.bad-settings`, `signature.malformed`
 */
export async function loadCacheSettings(machine: Partial<SettingsMachine> = {}): Promise<CacheSettings> {
  const { env, readFile } = { ...hostSettingsMachine(), ...machine };
  const configHome = env["XDG_CONFIG_HOME"] ?? (env["HOME"] === undefined ? undefined : join(env["HOME"], ".config"));
  const files = ["/etc/tsos/settings.json", ...(configHome === undefined ? [] : [join(configHome, "tsos/settings.json")])];
  let substituters: readonly string[] = [];
  let publicKeys: readonly string[] = [];
  let requireSignatures = true;
  for (const file of files) {
    const text = await readFile(file);
    if (text === undefined) continue;
    const value = parse(text, file);
    substituters = list(value, "substituters", file) ?? substituters;
    publicKeys = list(value, "trustedPublicKeys", file) ?? publicKeys;
    const required = value["requireSignatures"];
    if (required !== undefined && typeof required !== "boolean") throw bad(`"requireSignatures" is ${JSON.stringify(required)}`, file, "true or false");
    requireSignatures = required ?? requireSignatures;
  }
  substituters = words(env["TSOS_SUBSTITUTERS"]) ?? substituters;
  publicKeys = words(env["TSOS_TRUSTED_PUBLIC_KEYS"]) ?? publicKeys;
  return { substituters, trust: { publicKeys: publicKeys.map((key): PublicKey => parsePublicKey(key)), requireSignatures } };
}

function words(text: string | undefined): readonly string[] | undefined {
  return text?.split(/\s+/).filter((word) => word !== "");
}

function parse(text: string, file: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new TsosError({ code: "cache.bad-settings", message: `"${file}" is not JSON`, cause });
  }
  if (typeof value !== "object" || value === null) throw bad("it holds no object", file, "{ … }");
  return value as Readonly<Record<string, unknown>>;
}

function list(value: Readonly<Record<string, unknown>>, name: string, file: string): readonly string[] | undefined {
  const given = value[name];
  if (given === undefined) return undefined;
  if (!Array.isArray(given) || !given.every((item) => typeof item === "string")) throw bad(`"${name}" is ${JSON.stringify(given)}`, file, "a list of strings");
  return given as readonly string[];
}

function bad(problem: string, file: string, expected: string): TsosError {
  return new TsosError({ code: "cache.bad-settings", message: `${problem} in "${file}"`, hint: `expected ${expected}`, data: { file } });
}
