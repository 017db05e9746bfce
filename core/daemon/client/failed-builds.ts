import type { FailureReport } from "../../build/build-error.ts";
import { TsosError } from "../../error/tsos-error.ts";
import type { BuildWish } from "../../store/build-service.ts";
import { formatStorePath, storePathName } from "../../store-path/store-path.ts";
import { isSuccess, type BuildStatus, type WireBuildResult } from "../wire/build-result.ts";

/**
 * What a daemon answered of wishes that it could not fulfil, as the error that a build of one's own ends with: the same code, list and
 * causes. Undefined where all went well. The reasons are the daemon's words; where the log is, it does not tell.
 */
export function failedBuilds(answers: readonly { readonly wish: BuildWish; readonly result: WireBuildResult }[], storeDir: string): TsosError | undefined {
  const failed = answers.filter(({ result }) => !isSuccess(result.status));
  if (failed.length === 0) return undefined;
  // What was left undone because of another's failure has nothing to say.
  const told = failed.filter(({ result }) => result.errorMessage !== "");
  const counted = told.length === 0 ? failed : told;
  const message = [...new Set(counted.map(({ result }) => result.errorMessage))].join("\n");
  const builds = counted.filter(({ wish }) => wish.kind === "derivation");
  if (builds.length === 0) return new TsosError({ code: "daemon.remote-error", message, data: {} });
  const failures = builds.map(({ wish, result }): FailureReport => {
    const derivation = formatStorePath(wish.path, storeDir);
    const name = storePathName(wish.path).replace(/\.drv$/, "");
    return { derivation, name, reason: result.errorMessage, neededBy: [name], target: derivation, logFile: "", lastLines: [], outputs: [] };
  });
  const causes = builds.map(({ result }) => new TsosError({ code: codeOf(result), message: result.errorMessage, data: { remote: result.errorMessage } }));
  return new TsosError({ code: "build.failed", message, data: { failures, dependents: [] }, cause: causes.length === 1 ? causes[0] : new AggregateError(causes) });
}

const CODES: Readonly<Partial<Record<BuildStatus, string>>> = {
  TimedOut: "build.timed-out",
  LogLimitExceeded: "build.log-too-long",
  NotDeterministic: "build.not-deterministic",
};

function codeOf({ status, errorMessage }: WireBuildResult): string {
  // The status has no word for which rule it broke.
  if (status === "OutputRejected") return /hash mismatch|has the hash|is not what is expected/.test(errorMessage) ? "store.hash-mismatch" : "build.output-missing";
  return CODES[status] ?? "build.builder-failed";
}
