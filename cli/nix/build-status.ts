import { TsosError } from "../../core/error/tsos-error.ts";

const BUILD_FAILED = 0x64;
const TIMED_OUT = 0x01;
const HASH_MISMATCH = 0x02;
const NOT_DETERMINISTIC = 0x08;

/** Only a builder that fails is a failed build there; an output that it should not have made is any error. */
const PLAIN = new Set([
  ...["build.output-missing", "build.writable-output", "build.forbidden-reference", "build.output-too-large", "build.bad-attribute", "build.log-too-long"],
  ...["build.no-uid-range", "build.no-sandbox-asked", "build.impure-host-path", "store.output-cycle"],
  ...["store.executable-output", "store.not-a-file", "store.special-file"],
]);

/** The exit code of the classic commands for a failure: 100 and its bits for builds, else 1. Nix: libstore/build/worker.cc */
export function buildStatus(error: unknown): number {
  if (!(error instanceof TsosError) || error.code !== "build.failed") return 1;
  const causes: readonly unknown[] = error.cause instanceof AggregateError ? (error.cause.errors as readonly unknown[]) : [error.cause];
  let status = 0;
  for (const cause of causes) {
    const code = cause instanceof TsosError ? cause.code : "";
    // Of a fixed output it may be the network's fault, so another try is no waste.
    if ((code === "build.builder-failed" || (cause instanceof TsosError && cause.data["isBuiltin"] === true)) && (cause as TsosError).data["isFixed"] === true) continue;
    if (code === "build.not-deterministic") status |= 0x60 | NOT_DETERMINISTIC;
    else if (!PLAIN.has(code) && !(cause instanceof TsosError && code === "build.bad-reference-graph" && cause.data["words"] !== undefined)) status |= BUILD_FAILED | (code === "store.hash-mismatch" || code === "fetch.hash-mismatch" ? HASH_MISMATCH : code === "build.timed-out" || code === "build.silent" ? TIMED_OUT : 0);
  }
  return status === 0 ? 1 : status;
}
