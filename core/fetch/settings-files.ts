import { join } from "node:path";
import { TsosError } from "../error/tsos-error.ts";
import type { SettingsMachine } from "./settings-machine.ts";

/** What one settings file holds. */
export type SettingsFile = { readonly file: string; readonly value: Readonly<Record<string, unknown>> };

/** Where a user's own settings are. */
export function findConfigHome(env: SettingsMachine["env"]): string | undefined {
  return env["XDG_CONFIG_HOME"] ?? (env["HOME"] === undefined ? undefined : join(env["HOME"], ".config"));
}

/** The machine's settings file and then the user's own. */
export function settingsFiles(env: SettingsMachine["env"]): readonly string[] {
  const configHome = findConfigHome(env);
  return ["/etc/tsos/settings.json", ...(configHome === undefined ? [] : [join(configHome, "tsos/settings.json")])];
}

/**
 * Those of them that are there, in their order.
 *
 * @param code of the error for one that holds no object
 */
export async function readSettingsFiles({ env, readFile }: Pick<SettingsMachine, "env" | "readFile">, code: string): Promise<readonly SettingsFile[]> {
  const found: SettingsFile[] = [];
  for (const file of settingsFiles(env)) {
    const text = await readFile(file);
    if (text === undefined) continue;
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (cause) {
      throw new TsosError({ code, message: `"${file}" is not JSON`, cause });
    }
    if (typeof value !== "object" || value === null) throw badSetting(code, "it holds no object", file, "{ … }");
    found.push({ file, value: value as Readonly<Record<string, unknown>> });
  }
  return found;
}

export function badSetting(code: string, problem: string, file: string, expected: string): TsosError {
  return new TsosError({ code, message: `${problem} in "${file}"`, hint: `expected ${expected}`, data: { file } });
}
