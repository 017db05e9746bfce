import { dirname } from "node:path";
import type { DependentReport, FailureReport } from "../../core/build/build-error.ts";
import { TsosError } from "../../core/error/tsos-error.ts";
import { filterEscapes } from "./filter-escapes.ts";
import { compareUtf8 } from "../../core/util/ordering.ts";

export type BuildWordsOptions = {
  /** Whether builders' output was shown while they ran; else the end of it is told. */
  readonly showsOutput: boolean;
  /** So many lines of it. */
  readonly logLines: number;
  /** Whether people have the command `nix log`. */
  readonly hasNixLog: boolean;
};

/** What failed besides, each an error of its own, and the last one, with which the command ends. */
export type BuildWords = { readonly before: readonly string[]; readonly last: string };

/**
 * A failed build in the words of the reference: each derivation that failed, then each that needs one of those. Undefined
 * for other errors. Nix: libstore/build/derivation-building-goal.cc, worker.cc, entry-points.cc
 */
export function buildWords(error: unknown, options: BuildWordsOptions): BuildWords | undefined {
  if (!(error instanceof TsosError) || error.code !== "build.failed") return undefined;
  const failures = error.data["failures"] as readonly FailureReport[];
  const dependents = error.data["dependents"] as readonly DependentReport[];
  const causes: readonly unknown[] = error.cause instanceof AggregateError ? (error.cause.errors as readonly unknown[]) : [error.cause];
  const needed = new Set(dependents.filter(({ isTarget }) => isTarget).map(({ derivation }) => derivation));
  const told = [
    ...failures.map((failure, index) => ({ derivation: failure.derivation, isTarget: failure.neededBy.length === 1, text: failureWords(failure, causes[index], options) })),
    ...dependents.map(({ derivation, outputs, failed, isTarget }) => ({ derivation, isTarget, text: [`Cannot build '${derivation}'.`, `Reason: ${failed} ${failed === 1 ? "dependency" : "dependencies"} failed.`, ...outputLines(outputs)].join("\n") })),
  ];
  const isTarget = (one: (typeof told)[number]): boolean => one.isTarget || needed.has(one.derivation);
  const before = told.filter((one) => !isTarget(one)).map(({ text }) => text);
  // By their names, as goals are kept there; the first one is told last.
  const name = (path: string): string => path.slice(path.lastIndexOf("/") + 34);
  const [first, ...others] = told.filter(isTarget).sort((a, b) => compareUtf8(name(a.derivation), name(b.derivation)));
  if (first === undefined) return { before: before.slice(0, -1), last: before.at(-1) ?? error.message };
  if (others.length === 0) return { before, last: first.text };
  const list = [first, ...others].map(({ derivation }) => derivation).sort(compareUtf8);
  return { before: [...before, ...others.map(({ text }) => text), first.text], last: `build of ${list.map((path) => `'${path}'`).join(", ")} failed` };
}

function failureWords(failure: FailureReport, cause: unknown, options: BuildWordsOptions): string {
  const { derivation } = failure;
  const { code, data }: { readonly code: string; readonly data: Readonly<Record<string, unknown>> } = cause instanceof TsosError ? cause : { code: "", data: {} };
  // A daemon has put it in words of its own.
  if (typeof data["remote"] === "string") return data["remote"];
  switch (code) {
    case "build.builder-failed": {
      const { exitCode, signal } = data as { readonly exitCode?: number; readonly signal?: string };
      // The sandbox tells of a signal as a shell does.
      const killer = signal ?? (exitCode! > 128 ? exitCode! - 128 : undefined);
      const how = killer === undefined ? `failed with exit code ${exitCode!}` : signalWords(killer);
      return [`Cannot build '${derivation}'.`, `Reason: builder ${how}.`, ...outputLines(failure.outputs), ...logLines(failure, options)].join("\n");
    }
    case "build.output-missing": {
      const output = String(data["output"]);
      return `builder for '${derivation}' failed to produce output path for output '${output}' at "${String(data["path"])}"`;
    }
    case "build.writable-output":
      return `suspicious ownership or permission on "${String(data["path"])}" for output '${String(data["output"])}'; rejecting this build output`;
    case "build.forbidden-reference":
      return `output '${String(data["output"])}' is not allowed to refer to the following paths:\n${(data["paths"] as readonly string[]).map((path) => `  ${path}`).join("\n")}`;
    case "build.output-too-large":
      return `${data["rule"] === "maxSize" ? "" : "closure of "}path '${String(data["path"])}' is too large at ${String(data["size"])} bytes; limit is ${String(data["limit"])} bytes`;
    case "build.bad-attribute":
      if (data["entry"] !== undefined) return `derivation '${derivation}' output check for '${String(data["output"])}' contains output name '${String(data["entry"])}', but this is not a valid output of this derivation. (Valid outputs are [${(data["outputs"] as readonly string[]).join(", ")}].)`;
      return attributeWords(derivation, data);
    case "build.bad-reference-graph":
      if (data["path"] !== undefined) return `cannot export references of path '${String(data["path"])}' because it is not in the input closure of the derivation`;
      return attributeWords(derivation, data);
    case "build.no-uid-range":
      return "feature 'uid-range' requires the setting 'auto-allocate-uids' to be enabled";
    case "build.no-sandbox-asked":
      return `derivation '${derivation}' has '__noChroot' set, but that's not allowed when 'sandbox' is 'true'`;
    case "build.impure-host-path":
      return `derivation '${derivation}' requested impure path '${String(data["path"])}', but it was not in allowed-impure-host-deps`;
    case "store.output-cycle": {
      const [from, to] = data["cycle"] as readonly string[];
      return `cycle detected in build of '${derivation}' in the references of output '${from!}' from output '${to!}'`;
    }
    case "store.executable-output":
    case "store.not-a-file":
      return `output path "${failure.outputs[0] ?? ""}" should be a non-executable regular file since recursive hashing is not enabled (one of outputHashMode={flat,text} is true)`;
    case "store.special-file":
      // It lies where the builder made it, below the name of its output.
      return `file "${/\/store\/([0-9a-z]{32}-.*)$/.exec(String(data["file"]))?.[1]?.replace(/^/, `${dirname(derivation)}/`) ?? failure.outputs[0] ?? ""}" has an unsupported type`;
    case "build.no-builder":
      return [`Cannot build '${derivation}'.`, "Reason: builder failed with exit code 1.", ...outputLines(failure.outputs), ...logLines(failure, options)].join("\n");
    case "fetch.hash-mismatch":
      if (data["actual"] === undefined) break;
      return `hash mismatch in fixed-output derivation '${derivation}':\n  specified: ${String(data["expected"])}\n     got:    ${String(data["actual"])}`;
    case "build.log-too-long":
      return `building derivation '${derivation}' killed after writing more than ${String(data["limit"])} bytes of log output`;
    case "build.timed-out":
    case "build.silent":
      return `timed out after ${String(data["limit"])} seconds`;
    case "store.hash-mismatch":
      if (data["wanted"] === undefined) break;
      return `hash mismatch in fixed-output derivation '${derivation}':\n  specified: ${String(data["wanted"])}\n     got:    ${String(data["got"])}`;
    case "build.wrong-platform":
      return `Cannot build '${derivation}'.\nReason: platform mismatch\nRequired system: '${String(data["platform"])}'\nCurrent system: '${String((data["platforms"] as readonly string[])[0])}'${data["features"] === undefined ? "" : `\n${featureWords(data)}`}`;
    case "build.no-machine":
      return `Cannot build '${derivation}'.\nReason: local builds are disabled (max-jobs = 0)\nHint: set 'max-jobs' to a non-zero value to enable local builds, or configure remote builders via 'builders'`;
    case "build.unknown-feature":
      return `Cannot build '${derivation}'.\n${featureWords(data)}`;
  }
  if (data["isBuiltin"] === true) return [`Cannot build '${derivation}'.`, "Reason: builder failed with exit code 1.", ...outputLines(failure.outputs), ...logLines(failure, options)].join("\n");
  return [`Cannot build '${derivation}'.`, `Reason: ${failure.reason}`, ...outputLines(failure.outputs), ...logLines(failure, options)].join("\n");
}

function featureWords(data: Readonly<Record<string, unknown>>): string {
  const list = (name: string): string => [...(data[name] as readonly string[])].sort(compareUtf8).join(", ");
  return `Reason: missing system features\nRequired features: {${list("required")}}\nAvailable features: {${list("features")}}`;
}

function attributeWords(derivation: string, data: Readonly<Record<string, unknown>>): string {
  const { expected, actual, value, shown, attribute } = data;
  // Read by another way there, which knows no derivation.
  if (expected === "number") return `[json.exception.type_error.302] type must be number, but is ${String(actual)}`;
  const what = typeof data["words"] === "string" ? data["words"] : `Expected JSON value to be of type '${String(expected)}' but it is of type '${String(actual)}': ${JSON.stringify(value)}`;
  const place = attribute === undefined || shown === undefined ? "" : `\n\n… while parsing attribute ${String(shown)}`;
  return `\n… while parsing derivation '${derivation}'${place}\n\nerror: ${what}`;
}

function outputLines(outputs: readonly string[]): readonly string[] {
  return outputs.length === 0 ? [] : ["Output paths:", ...outputs.map((path) => `  ${path}`)];
}

function logLines({ derivation, lastLines }: FailureReport, { showsOutput, logLines: most, hasNixLog }: BuildWordsOptions): readonly string[] {
  if (showsOutput || lastLines.length === 0 || most <= 0) return [];
  const lines = lastLines.slice(-most);
  return [`Last ${lines.length} log lines:`, ...lines.map((line) => `> ${filterEscapes(line, { keepsColours: false })}`), "For full logs, run:", `  ${hasNixLog ? "nix log" : "nix-store -l"} ${derivation}`];
}

/** By number, as the C library describes them. */
const SIGNALS: readonly (readonly [name: string, description: string])[] = [
  ["", ""], ["SIGHUP", "Hangup"], ["SIGINT", "Interrupt"], ["SIGQUIT", "Quit"], ["SIGILL", "Illegal instruction"], ["SIGTRAP", "Trace/breakpoint trap"],
  ["SIGABRT", "Aborted"], ["SIGBUS", "Bus error"], ["SIGFPE", "Floating point exception"], ["SIGKILL", "Killed"], ["SIGUSR1", "User defined signal 1"],
  ["SIGSEGV", "Segmentation fault"], ["SIGUSR2", "User defined signal 2"], ["SIGPIPE", "Broken pipe"], ["SIGALRM", "Alarm clock"], ["SIGTERM", "Terminated"],
  ["SIGSTKFLT", "Stack fault"], ["SIGCHLD", "Child exited"], ["SIGCONT", "Continued"], ["SIGSTOP", "Stopped (signal)"], ["SIGTSTP", "Stopped"],
  ["SIGTTIN", "Stopped (tty input)"], ["SIGTTOU", "Stopped (tty output)"], ["SIGURG", "Urgent I/O condition"], ["SIGXCPU", "CPU time limit exceeded"],
  ["SIGXFSZ", "File size limit exceeded"],
];

/** How a program ended that a signal ended, named or by number. */
export function signalWords(signal: string | number): string {
  const number = typeof signal === "number" ? signal : SIGNALS.findIndex(([name]) => name === signal);
  return `failed due to signal ${number} (${SIGNALS[number]?.[1] ?? "Unknown signal"})`;
}

/** The same error with the message with which the command ends; other errors as they are. */
export function withBuildWords(error: unknown, options: BuildWordsOptions, say: (text: string) => void): unknown {
  if (error instanceof TsosError && typeof error.data["derivation"] === "string" && (error.code === "build.bad-attribute" || error.code === "build.bad-reference-graph")) {
    return new TsosError({ code: error.code, message: attributeWords(error.data["derivation"], error.data), data: { ...error.data, isClassic: true }, cause: error });
  }
  const words = buildWords(error, options);
  if (words === undefined || !(error instanceof TsosError)) return error;
  for (const text of words.before) say(`error: ${indentMessage(text)}`);
  return new TsosError({ code: error.code, message: words.last, data: { ...error.data, isClassic: true }, cause: error.cause });
}

/** A message over several lines as it stands behind `error: `. */
export function indentMessage(message: string): string {
  return message.replaceAll(/\n(?=[^\n])/g, "\n       ");
}
