import type { BuildServiceOptions } from "../store/build-service.ts";
import type { BuildOptions } from "./build-options.ts";

type Told = "jobs" | "cores" | "keepFailed" | "keepGoing" | "check" | "repair" | "substituterUrls" | "clientSettings" | "clientSubstitutes" | "limits" | "extraPlatforms" | "systemFeatures" | "signal" | "report";

/** What of a build's options another process is told. */
export function serviceOptions(options: Partial<Pick<BuildOptions, Told>>): BuildServiceOptions {
  const { jobs = 1, cores = 0, keepFailed, keepGoing, check, repair, substituterUrls, clientSubstitutes, signal, report } = options;
  return {
    mode: check === true ? "check" : repair === true ? "repair" : "normal",
    ...{ jobs, cores, keepFailed, keepGoing, signal, report },
    substitute: clientSubstitutes,
    substituters: substituterUrls,
    settings: options.clientSettings ?? settingsOf(options),
  };
}

function settingsOf({ limits = {}, extraPlatforms = [], systemFeatures }: Partial<Pick<BuildOptions, Told>>): ReadonlyMap<string, string> {
  const settings = new Map<string, string>();
  const amount = (name: string, value: number | undefined): void => void (value !== undefined && value !== 0 && settings.set(name, String(value)));
  amount("timeout", limits.timeout);
  amount("max-silent-time", limits.maxSilentTime);
  amount("max-build-log-size", limits.maxLogSize);
  if (extraPlatforms.length > 0) settings.set("extra-platforms", extraPlatforms.join(" "));
  if (systemFeatures !== undefined) settings.set("system-features", systemFeatures.join(" "));
  return settings;
}
