import { join } from "node:path";
import { TsosError } from "../error/tsos-error.ts";
import { hostSettingsMachine, type SettingsMachine } from "../fetch/settings-machine.ts";

/** What the machine says of who may use its daemon, and which machines build for it. */
export type DaemonSettings = {
  readonly trustedUsers: readonly string[];
  readonly allowedUsers: readonly string[];
  /** Substituters that any user may ask for. */
  readonly trustedSubstituters: readonly string[];
  /** Machines that build, as `--builders` takes them. */
  readonly builders: string;
  /** Of Nix, that are turned on. */
  readonly experimentalFeatures: readonly string[];
  /** Builders fetch what they need from their own substituters first. */
  readonly buildersUseSubstitutes: boolean;
};

const NIX_NAMES = {
  trustedUsers: "trusted-users",
  allowedUsers: "allowed-users",
  trustedSubstituters: "trusted-substituters",
  builders: "builders",
  buildersUseSubstitutes: "builders-use-substitutes",
  experimentalFeatures: "experimental-features",
} as const;

/**
 * The machine's own: `trustedUsers`, `allowedUsers`, `trustedSubstituters`, `builders` and `buildersUseSubstitutes` of
 * `/etc/tsos/settings.json`, else the settings that nix.conf has for them. By default root is trusted and everybody allowed.
 *
 * @throws TsosError `daemon.bad-settings`
 */
export async function loadDaemonSettings(machine: Partial<SettingsMachine> = {}): Promise<DaemonSettings> {
  const { env, readFile } = { ...hostSettingsMachine(), ...machine };
  const file = "/etc/tsos/settings.json";
  const own = parse(await readFile(file), file);
  const nix = parseNixConf(`${(await readFile(join(env["NIX_CONF_DIR"] ?? "/etc/nix", "nix.conf"))) ?? ""}\n${env["NIX_CONFIG"] ?? ""}`);
  const text = (name: keyof typeof NIX_NAMES): string | undefined => {
    const value = own[name];
    if (value === undefined) return nix.get(NIX_NAMES[name]);
    if (typeof value === "string" || typeof value === "boolean") return String(value);
    if (Array.isArray(value) && value.every((item) => typeof item === "string")) return value.join(name === "builders" ? "\n" : " ");
    throw new TsosError({ code: "daemon.bad-settings", message: `"${name}" is ${JSON.stringify(value)} in "${file}"`, hint: "expected a list of strings", data: { file } });
  };
  const words = (value: string): readonly string[] => value.split(/\s+/).filter((word) => word !== "");
  return {
    trustedUsers: words(text("trustedUsers") ?? "root"),
    allowedUsers: words(text("allowedUsers") ?? "*"),
    trustedSubstituters: words(text("trustedSubstituters") ?? ""),
    experimentalFeatures: words(text("experimentalFeatures") ?? ""),
    builders: text("builders") ?? "@/etc/nix/machines",
    buildersUseSubstitutes: text("buildersUseSubstitutes") === "true",
  };
}

function parse(text: string | undefined, file: string): Readonly<Record<string, unknown>> {
  if (text === undefined) return {};
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) return value as Readonly<Record<string, unknown>>;
  } catch (cause) {
    throw new TsosError({ code: "daemon.bad-settings", message: `"${file}" is not JSON`, cause });
  }
  throw new TsosError({ code: "daemon.bad-settings", message: `"${file}" holds no object` });
}

/** `name = value`, of which the last counts, and `extra-name`, which adds. */
function parseNixConf(text: string): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  for (const line of text.split("\n")) {
    const match = /^\s*(extra-)?([a-z-]+)\s*=\s*([^#]*?)\s*(?:#.*)?$/.exec(line);
    if (match !== null) values.set(match[2]!, match[1] === undefined ? match[3]! : `${values.get(match[2]!) ?? ""} ${match[3]!}`);
  }
  return values;
}
