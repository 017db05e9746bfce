import type { BuildServiceOptions } from "../store/build-service.ts";
import type { BuildOptions } from "./build-options.ts";

/** What of a build's options another process is told. */
export function serviceOptions(options: Partial<Pick<BuildOptions, "jobs" | "cores" | "keepFailed" | "keepGoing" | "check" | "repair" | "substituterUrls" | "limits" | "extraPlatforms" | "systemFeatures" | "signal" | "report">>): BuildServiceOptions {
  const { jobs = 1, cores = 0, keepFailed, keepGoing, check, repair, substituterUrls, limits = {}, extraPlatforms = [], systemFeatures, signal, report } = options;
  const settings = new Map<string, string>();
  const amount = (name: string, value: number | undefined): void => void (value !== undefined && value !== 0 && settings.set(name, String(value)));
  amount("timeout", limits.timeout);
  amount("max-silent-time", limits.maxSilentTime);
  amount("max-build-log-size", limits.maxLogSize);
  if (extraPlatforms.length > 0) settings.set("extra-platforms", extraPlatforms.join(" "));
  if (systemFeatures !== undefined) settings.set("system-features", systemFeatures.join(" "));
  return { mode: check === true ? "check" : repair === true ? "repair" : "normal", jobs, cores, keepFailed, keepGoing, substituters: substituterUrls, settings, signal, report };
}
