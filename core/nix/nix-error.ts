import { TsosError } from "../error/tsos-error.ts";
import { byteStringToBytes, decodeUtf8Lossy, type ByteString } from "../util/bytes.ts";

/** A place in a Nix file, or in a text that is no file. `line` and `column` count from 1, in bytes. */
export type NixPosition = {
  /** An absolute path, or what stands for one: `«string»`. */
  readonly file: ByteString;
  readonly line: number;
  readonly column: number;
  /** The whole text, for the code frame; undefined where it cannot be read again. */
  readonly source?: ByteString | undefined;
};

/** One `… while evaluating …` of an error, with the place it speaks of. */
export type NixTrace = { readonly message: string; readonly position: NixPosition | undefined };

/** Which of them `tryEval` catches: `throw` and `assert` only. */
export type NixErrorKind = "parse" | "undefined" | "type" | "eval" | "throw" | "assertion" | "abort" | "missing" | "recursion" | "overflow" | "restricted";

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
  position: NixPosition | undefined;
  readonly traces: NixTrace[] = [];
  readonly suggestions: readonly string[];

  /** `message` and suggestions in bytes, as all strings of the language are. */
  constructor(kind: NixErrorKind, message: ByteString, position?: NixPosition, suggestions: readonly ByteString[] = []) {
    super({ code: `nix.${kind}`, message: shown(message) });
    this.kind = kind;
    this.position = position;
    this.suggestions = suggestions.map(shown);
  }

  addTrace(message: ByteString, position: NixPosition | undefined): this {
    this.traces.push({ message: shown(message), position });
    return this;
  }
}

/**
 * As the reference prints it to a terminal without colours.
 *
 * @example
 * error: attribute 'y' missing
 * at «string»:1:11:
 *      1| let x = {}; in x.y
 *       |                ^
 */
export function formatNixError(error: NixError, options: { readonly showTrace: boolean }): string {
  const blocks: string[] = [];
  const seen = new Set<string>();
  let skipped: NixTrace[] = [];
  const flush = (): void => {
    if (skipped.length === 0) return;
    if (skipped.length <= 5) for (const trace of skipped) blocks.push(formatTrace(trace));
    else {
      blocks.push(`       (${skipped.length} duplicate frames omitted)`);
      seen.clear();
    }
    skipped = [];
  };
  let count = 0;
  for (const trace of [...error.traces].reverse()) {
    if (trace.message === "") continue;
    if (!options.showTrace && count > 3) {
      blocks.push("       (stack trace truncated; use '--show-trace' to show the full, detailed trace)");
      break;
    }
    const key = `${trace.message}\0${describe(trace.position)}`;
    if (seen.has(key)) {
      skipped.push(trace);
      continue;
    }
    seen.add(key);
    flush();
    count++;
    blocks.push(formatTrace(trace));
  }
  flush();
  const last = [`${blocks.length > 0 ? "       " : ""}error: ${indentRest(error.message)}`];
  if (error.position !== undefined) last.push(...formatPlace(error.position, "       "));
  if (error.suggestions.length > 0) last.push(`       Did you mean ${formatSuggestions(error.suggestions)}?`);
  blocks.push(last.join("\n"));
  return `${blocks.length > 1 ? "error:\n" : ""}${blocks.join("\n\n")}`;
}

function describe(position: NixPosition | undefined): string {
  return position === undefined ? "" : `${shown(position.file)}:${position.line}:${position.column}`;
}

function indentRest(text: string): string {
  return text.split("\n").join("\n       ");
}

function formatTrace(trace: NixTrace): string {
  return [`       … ${indentRest(trace.message)}`, ...(trace.position === undefined ? [] : formatPlace(trace.position, "         "))].join("\n");
}

/** The place, its line and the lines around it. */
function formatPlace(position: NixPosition, indent: string): readonly string[] {
  const rows = [`${indent}at ${describe(position)}:`];
  const text = position.source?.split(/\r\n|\r|\n/);
  if (text === undefined) return rows;
  for (let number = Math.max(1, position.line - 1); number <= Math.min(text.length, position.line + 1); number++) {
    rows.push(`       ${String(number).padStart(6)}| ${shown(text[number - 1]!)}`.trimEnd());
    if (number === position.line) rows.push(`             | ${" ".repeat(position.column - 1)}^`);
  }
  return rows;
}

function formatSuggestions(names: readonly string[]): string {
  return names.length === 1 ? names[0]! : `one of ${names.slice(0, -1).join(", ")} or ${names.at(-1)!}`;
}
