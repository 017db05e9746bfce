import { TsosError } from "../error/tsos-error.ts";
import { filterLog } from "./filter-log.ts";
import { byteStringToBytes, decodeUtf8Lossy, toByteString, type ByteString } from "../util/bytes.ts";

/** A place in a Nix file, or in a text that is no file. `line` and `column` count from 1, in bytes. */
export type NixPosition = {
  /** An absolute path, or what stands for one: `«string»`. */
  readonly file: ByteString;
  readonly line: number;
  readonly column: number;
  /** The whole text, for the code frame; undefined where it cannot be read again. */
  readonly source?: ByteString | undefined;
};

/**
 * One `… while evaluating …` of an error, with the place it speaks of. `always` ones are shown however many there are,
 * `verbose` ones only where all are asked for.
 */
export type NixTrace = { readonly message: ByteString; readonly position: NixPosition | undefined; readonly print?: "always" | "verbose" | undefined };

/** Which of them `tryEval` catches: `throw` and `assert` only. A `usage` one makes a command name its help. */
export type NixErrorKind = "parse" | "undefined" | "type" | "eval" | "throw" | "assertion" | "abort" | "missing" | "recursion" | "overflow" | "restricted" | "usage";

/** Bytes of the language as text for people. */
function shown(text: ByteString): string {
  return /[^\x00-\x7f]/.test(text) ? decodeUtf8Lossy(byteStringToBytes(text)) : text;
}

/**
 * An error of a Nix expression, in the reference's words, so that people who search for them find them. Traces are
 * added innermost first while the error passes through what was being evaluated.
 */
export class NixError extends TsosError {
  readonly kind: NixErrorKind;
  /** The message as it is; `message` is for people. */
  readonly bytes: ByteString;
  position: NixPosition | undefined;
  readonly traces: NixTrace[] = [];
  /** The exit status of a program that ends with it, where it is another than 1. */
  status: number | undefined;
  suggestions: readonly ByteString[];
  /** How to mend it, where that is another way than the reference's; reports of the language leave it out. */
  advice: string | undefined;

  /** `message` and suggestions in bytes, as all strings of the language are. */
  constructor(kind: NixErrorKind, message: ByteString, position?: NixPosition, suggestions: readonly ByteString[] = []) {
    super({ code: `nix.${kind}`, message: shown(message) });
    this.kind = kind;
    this.bytes = message;
    this.position = position;
    this.suggestions = suggestions;
  }

  /** Another one with frames of its own, for what fails again. */
  clone(): NixError {
    const copy = new NixError(this.kind, this.bytes, this.position, this.suggestions);
    copy.status = this.status;
    copy.advice = this.advice;
    copy.traces.push(...this.traces);
    return copy;
  }

  addTrace(message: ByteString, position: NixPosition | undefined, print?: "always" | "verbose"): this {
    this.traces.push({ message, position, print });
    return this;
  }
}

/** What stands before a report: `error: …`. */
export type ReportPrefix = "error" | "warning" | "evaluation warning";

/**
 * As the reference prints it to a terminal without colours: `prefix`, and all further lines indented by its width.
 * Nix: libutil/error.cc.
 *
 * @example
 * error: attribute 'y' missing
 *        at «string»:1:11:
 *             1| let x = {}; in x.y
 *              |                ^
 */
export function formatNixError(error: NixError, options: { readonly showTrace: boolean; readonly prefix?: ReportPrefix | undefined }): string {
  return shown(formatNixErrorBytes(error, options));
}

/** The same with the bytes that it names as they are, for a terminal or a file. */
export function formatNixErrorBytes(error: NixError, options: { readonly showTrace: boolean; readonly prefix?: ReportPrefix | undefined }): ByteString {
  const prefix = `${options.prefix ?? "error"}: `;
  const traces = error.traces.filter((trace) => options.showTrace || trace.print !== "verbose").reverse();
  const out: string[] = [];
  if (traces.length > 0) {
    formatTraces(traces, options.showTrace, out);
    out.push(`\n${prefix}`);
  }
  out.push(`${error.bytes}\n`);
  formatPlace(error.position, "", out);
  if (error.suggestions.length > 0) out.push(`Did you mean ${formatSuggestions(error.suggestions)}?\n`);
  return indentReport(prefix, out.join(""));
}

/** Of bytes: lines lose the white space at their end; those after the first are indented by the width of `prefix`. */
export function indentReport(prefix: string, text: string): string {
  const indent = " ".repeat(prefix.length);
  const lines = withoutEnd(text)
    .split("\n")
    .map((line, index) => withoutEnd(`${index === 0 ? prefix : indent}${line}`))
    .join("\n");
  return filterLog(lines);
}

const WHITE = " \t\r\n\f\v";

/** Without the white space of ASCII at its end: a byte that looks like other white space is part of a character. */
function withoutEnd(text: ByteString): ByteString {
  let end = text.length;
  while (end > 0 && WHITE.includes(text[end - 1]!)) end--;
  return text.slice(0, end);
}

const ELLIPSIS = toByteString("…");

/** How many frames in a row that were shown already are shown again before they are only counted. */
const MOST_REPEATED = 5;

function formatTraces(traces: readonly NixTrace[], showTrace: boolean, out: string[]): void {
  const seen = new Set<string>();
  let skipped: NixTrace[] = [];
  let count = 0;
  let truncated = false;
  const show = (trace: NixTrace): void => {
    out.push(`\n${ELLIPSIS} ${trace.message}\n`);
    // A frame with its place counts twice.
    if (formatPlace(trace.position, "  ", out)) count++;
  };
  const flush = (): void => {
    if (skipped.length > MOST_REPEATED) out.push(`\n(${skipped.length} duplicate frames omitted)\n`);
    else for (const trace of skipped) show(trace);
    skipped = [];
  };
  for (const trace of traces) {
    if (trace.message === "") continue;
    if (!showTrace && count > 3) truncated = true;
    if (truncated && trace.print !== "always") continue;
    const key = `${trace.message}\0${trace.position === undefined ? "" : describe(trace.position)}`;
    if (seen.has(key)) {
      skipped.push(trace);
      continue;
    }
    seen.add(key);
    flush();
    count++;
    show(trace);
  }
  flush();
  if (truncated) out.push("\n(stack trace truncated; use '--show-trace' to show the full, detailed trace)\n");
}

function describe(position: NixPosition): string {
  return `${position.file}:${position.line}:${position.column}`;
}

/** The place, its line and the lines around it; false where there is none. */
function formatPlace(position: NixPosition | undefined, indent: string, out: string[]): boolean {
  if (position === undefined) return false;
  out.push(`${indent}at ${describe(position)}:`);
  if (position.source === undefined || position.source === "") return true;
  const lines = linesAround(position.source, position.line);
  for (let i = 0; i < lines.length; i++) {
    const number = position.line - (position.line > 1 ? 1 : 0) + i;
    out.push(`\n ${String(number).padStart(5)}| ${lines[i]!}`);
    if (number === position.line && position.column > 0) out.push(`\n      |${" ".repeat(position.column)}^`);
  }
  out.push("\n");
  return true;
}

/** A line and its neighbours, without cutting a whole large text into lines. */
function linesAround(text: ByteString, line: number): readonly ByteString[] {
  const ends = /\r\n|\r|\n/g;
  for (let skip = line - 2; skip > 0; skip--) if (ends.exec(text) === null) return [];
  const lines: ByteString[] = [];
  let start = ends.lastIndex;
  for (const wanted = line > 1 ? 3 : 2; lines.length < wanted; start = ends.lastIndex) {
    const end = ends.exec(text);
    lines.push(text.slice(start, end === null ? undefined : end.index));
    if (end === null) break;
  }
  return lines;
}

function formatSuggestions(names: readonly ByteString[]): ByteString {
  return names.length === 1 ? names[0]! : `one of ${names.slice(0, -1).join(", ")} or ${names.at(-1)!}`;
}
