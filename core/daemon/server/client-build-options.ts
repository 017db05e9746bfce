import type { BuildOptions } from "../../build/build-options.ts";
import { isOff, machinePaths } from "../../build/machine-paths.ts";
import { parseSandboxPath } from "../../build/parse-sandbox-path.ts";

/**
 * A daemon's options of builds with the settings of a client that count. Who sent them was looked at before: these are Nix's settings
 * with values as they stand in `nix.conf`.
 */
export function withClientSettings(options: BuildOptions, settings: ReadonlyMap<string, string>): BuildOptions {
  const words = (name: string): readonly string[] | undefined => settings.get(name)?.split(/\s+/).filter((word) => word !== "");
  const list = (name: string, own: readonly string[]): readonly string[] => [...(words(name) ?? own), ...(words(`extra-${name}`) ?? [])];
  const amount = (name: string, own: number | undefined): number | undefined => {
    const text = settings.get(name);
    return text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : own;
  };
  const { limits = {} } = options;
  const isNamed = (name: string): boolean => settings.has(name) || settings.has(`extra-${name}`);
  // The machine's own shell stays, unless there is another.
  const shown = (words("sandbox-paths") ?? []).concat(words("extra-sandbox-paths") ?? []).map(parseSandboxPath);
  const replaced = new Set(shown.map((path) => path.shown));
  const machine = isOff(settings.get("sandbox")) && options.networkForAll !== true ? machinePaths() : [];
  return {
    ...options,
    limits: { timeout: amount("timeout", limits.timeout), maxSilentTime: amount("max-silent-time", limits.maxSilentTime), maxLogSize: amount("max-build-log-size", limits.maxLogSize) },
    ...(isNamed("extra-platforms") ? { extraPlatforms: list("extra-platforms", options.extraPlatforms ?? []) } : {}),
    ...(isNamed("system-features") && settings.has("system-features") ? { systemFeatures: list("system-features", []) } : {}),
    ...(shown.length + machine.length === 0 ? {} : { sandboxPaths: [...machine, ...(options.sandboxPaths ?? []).filter((path) => !replaced.has(path.shown)), ...shown] }),
    ...(machine.length > 0 ? { networkForAll: true } : {}),
    ...(replaced.has("/bin/sh") || machine.length > 0 ? { sandboxShell: undefined } : {}),
  };
}
