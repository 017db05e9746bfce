import type { BuildServiceOptions } from "../store/build-service.ts";
import type { BuildOptions } from "./build-options.ts";

/** What of a build's options another process is told. */
export function serviceOptions(options: Partial<Pick<BuildOptions, "jobs" | "cores" | "keepFailed" | "keepGoing" | "check" | "repair" | "substituterUrls" | "signal" | "report">>): BuildServiceOptions {
  const { jobs = 1, cores = 0, keepFailed, keepGoing, check, repair, substituterUrls, signal, report } = options;
  return { mode: check === true ? "check" : repair === true ? "repair" : "normal", jobs, cores, keepFailed, keepGoing, substituters: substituterUrls, signal, report };
}
