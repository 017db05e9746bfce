import { TsosError } from "../error/tsos-error.ts";

/** A place in a Nix file, or in a text that is no file. `line` and `column` count from 1, in bytes. */
export type NixPosition = {
  /** An absolute path, or what stands for one: `«string»`. */
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** The whole text, for the code frame; undefined where it cannot be read again. */
  readonly source?: string | undefined;
};

/** One `… while evaluating …` of an error, with the place it speaks of. */
export type NixTrace = { readonly message: string; readonly position: NixPosition | undefined };

/** Which of them `tryEval` catches: `throw` and `assert` only. */
export type NixErrorKind = "parse" | "undefined" | "type" | "eval" | "throw" | "assertion" | "abort" | "missing" | "recursion" | "overflow" | "restricted";

/**
 * An error of a Nix expression, in the reference's words, so that people who search for them find them. Traces are
 * added innermost first while the error passes through what was being evaluated.
 */
export class NixError extends TsosError {
  readonly kind: NixErrorKind;
  position: NixPosition | undefined;
  readonly traces: NixTrace[] = [];
  readonly suggestions: readonly string[];

  constructor(kind: NixErrorKind, message: string, position?: NixPosition, suggestions: readonly string[] = []) {
    super({ code: `nix.${kind}`, message });
    this.kind = kind;
    this.position = position;
    this.suggestions = suggestions;
  }

  addTrace(message: string, position: NixPosition | undefined): this {
    this.traces.push({ message, position });
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
  const lines: string[] = [];
  const traces = [...error.traces].reverse();
  if (traces.length > 0) {
    lines.push("error:");
    const seen = new Set<string>();
    let skipped: NixTrace[] = [];
    const flush = (): void => {
      if (skipped.length === 0) return;
      if (skipped.length <= 5) for (const trace of skipped) pushTrace(lines, trace);
      else {
        lines.push("");
        lines.push(`       (${skipped.length} duplicate frames omitted)`);
        seen.clear();
      }
      skipped = [];
    };
    let count = 0;
    for (const trace of traces) {
      if (trace.message === "") continue;
      if (!options.showTrace && count > 3) {
        lines.push("");
        lines.push("       (stack trace truncated; use '--show-trace' to show the full, detailed trace)");
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
      pushTrace(lines, trace);
    }
    flush();
    lines.push("");
    lines.push(`       error: ${indentRest(error.message)}`);
  } else {
    lines.push(`error: ${indentRest(error.message)}`);
  }
  if (error.position !== undefined) pushPlace(lines, error.position, "");
  if (error.suggestions.length > 0) lines.push(`       Did you mean ${formatSuggestions(error.suggestions)}?`);
  return lines.join("\n");
}

function describe(position: NixPosition | undefined): string {
  return position === undefined ? "" : `${position.file}:${position.line}:${position.column}`;
}

function indentRest(text: string): string {
  return text.split("\n").join("\n       ");
}

function pushTrace(lines: string[], trace: NixTrace): void {
  lines.push(`       … ${indentRest(trace.message)}`);
  if (trace.position !== undefined) pushPlace(lines, trace.position, "  ");
  else lines.push("");
}

function pushPlace(lines: string[], position: NixPosition, _indent: string): void {
  lines.push(`       at ${describe(position)}:`);
  const text = position.source?.split(/\r\n|\r|\n/);
  if (text === undefined) return;
  const show = (number: number): void => {
    const line = text[number - 1];
    if (line !== undefined) lines.push(`${`       ${String(number).padStart(6)}| ${line}`.trimEnd()}`);
  };
  if (position.line > 1) show(position.line - 1);
  show(position.line);
  if (position.column > 0) lines.push(`             | ${" ".repeat(position.column - 1)}^`);
  if (position.line < text.length && !(position.line === text.length - 1 && text[position.line] === "")) show(position.line + 1);
  lines.push("");
}

function formatSuggestions(names: readonly string[]): string {
  if (names.length === 1) return names[0]!;
  const last = names.at(-1)!;
  return `one of ${names.slice(0, -1).join(", ")} or ${last}`;
}
