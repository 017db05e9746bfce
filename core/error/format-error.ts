import { formatCodeFrame } from "./code-frame.ts";
import { formatSourcePosition, type SourcePosition } from "./source-position.ts";
import { TsosError } from "./tsos-error.ts";

export type FormatErrorOptions = {
  readonly color?: boolean | undefined;
  /** Also codes, the traces of Nix expressions and the stacks of tsos's own files. */
  readonly verbose?: boolean | undefined;
  /** The text of a file that a position names, for its code frame. */
  readonly readSource?: ((file: string) => Promise<string | undefined>) | undefined;
  /** Files below this folder are named relative to it. */
  readonly folder?: string | undefined;
};

/**
 * An error for people: what is wrong, the user's own lines, what was expected, how to mend it, the other
 * places that belong to it, and what it was caused by. All text of errors that people read comes from here.
 *
 * @example
 * error: there is no option "services.ngnix"
 *   system.config.ts:4:5
 *     3 |   services: {
 *   > 4 |     ngnix: { enable: true },
 *       |     ^
 *     5 |   },
 *   hint: did you mean "services.nginx"?
 */
export async function formatError(error: unknown, options: FormatErrorOptions = {}): Promise<string> {
  const several = innerErrors(error);
  const parts: string[] = [];
  for (const one of several.length === 0 ? [error] : several) parts.push(await formatOne(one, "error", options, 0));
  return parts.join("\n\n");
}

/** Texts of a user's files, file names and programs: what would move the cursor or paint the terminal is shown. */
function visible(text: string): string {
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

const MAX_CAUSES = 8;

async function formatOne(error: unknown, title: string, options: FormatErrorOptions, depth: number): Promise<string> {
  const style = createStyle(options.color === true);
  const lines: string[] = [];
  if (error instanceof TsosError) {
    lines.push(`${style.error(`${title}:`)} ${style.bold(visible(error.message))}${options.verbose === true ? style.dim(` [${error.code}]`) : ""}`);
    if (error.at !== undefined) lines.push(...(await formatPlace(error.at, options)));
    const { expected } = error.data;
    if (typeof expected === "string" && !error.message.includes(expected)) lines.push(`  ${style.note("expected:")} ${indentRest(visible(expected))}`);
    if (error.hint !== undefined) lines.push(`  ${style.note("hint:")} ${indentRest(visible(error.hint))}`);
    for (const place of error.related) {
      lines.push(`  ${style.note(`${place.note}:`)}`);
      lines.push(...(await formatPlace(place, options)));
    }
    const { trace } = error.data;
    if (options.verbose === true && typeof trace === "string") lines.push(`  ${style.note("the whole trace:")}`, ...visible(trace).split("\n").map((line) => `  ${line}`.trimEnd()));
    if (options.verbose === true && error.stack !== undefined) lines.push(...stackOf(error).map((line) => style.dim(line)));
  } else if (error instanceof Error) {
    // Only a mistake of tsos itself, or of what it runs on, arrives here without being a TsosError.
    const isRoot = depth === 0;
    lines.push(`${style.error(`${title}:`)} ${style.bold(visible(error.message === "" ? error.name : error.message))}`);
    if (isRoot || options.verbose === true) lines.push(...stackOf(error).map((line) => style.dim(line)));
    if (isRoot) lines.push(`  ${style.note("hint:")} this is a mistake in tsos, not in your files: please report it with the lines above`);
  } else {
    lines.push(`${style.error(`${title}:`)} ${visible(String(error))}`);
  }
  const cause: unknown = error instanceof Error ? error.cause : undefined;
  if (cause !== undefined && depth < MAX_CAUSES && !saysNothingNew(cause, error)) {
    const inner = await formatOne(cause, "caused by", options, depth + 1);
    lines.push(inner.split("\n").map((line) => `  ${line}`).join("\n"));
  }
  return lines.join("\n");
}

/** A cause that was wrapped only to get a place need not be told twice. */
function saysNothingNew(cause: unknown, error: unknown): boolean {
  if (!(cause instanceof Error) || !(error instanceof Error) || cause.cause !== undefined || !error.message.includes(cause.message)) return false;
  const [inner, outer] = [cause instanceof TsosError ? cause.at : undefined, error instanceof TsosError ? error.at : undefined];
  return inner === undefined || (outer !== undefined && formatSourcePosition(inner) === formatSourcePosition(outer));
}

async function formatPlace(place: SourcePosition, options: FormatErrorOptions): Promise<readonly string[]> {
  const style = createStyle(options.color === true);
  const named = { ...place, file: relativeTo(place.file, options.folder) };
  const lines = [`  ${style.place(visible(formatSourcePosition(named)))}`];
  const source = await options.readSource?.(place.file);
  if (source !== undefined) {
    for (const row of visible(formatCodeFrame(source, place)).split("\n")) {
      lines.push(`  ${row.startsWith(">") ? style.error(">") + row.slice(1) : /^\s+\| *\^$/.test(row) ? style.error(row) : style.dim(row)}`);
    }
  }
  return lines;
}

function relativeTo(file: string, folder: string | undefined): string {
  const prefix = folder === undefined || folder.endsWith("/") ? folder : `${folder}/`;
  return prefix !== undefined && file.startsWith(prefix) ? file.slice(prefix.length) : file;
}

function innerErrors(error: unknown): readonly unknown[] {
  return error instanceof Error && "errors" in error && Array.isArray(error.errors) ? error.errors.flatMap((e: unknown) => (innerErrors(e).length === 0 ? [e] : innerErrors(e))) : [];
}

function stackOf(error: Error): readonly string[] {
  return (error.stack ?? "").split("\n").filter((line) => /^\s+at /.test(line)).map((line) => `  ${line.trim()}`);
}

/** Lists of names and multi-line hints stay under their label. */
function indentRest(text: string): string {
  return text.split("\n").join("\n    ");
}

type Style = Readonly<Record<"error" | "bold" | "dim" | "note" | "place", (text: string) => string>>;

function createStyle(color: boolean): Style {
  const paint = (open: number, close: number) => (text: string) => (color && text !== "" ? `\u001b[${open}m${text}\u001b[${close}m` : text);
  return { error: paint(31, 39), bold: paint(1, 22), dim: paint(2, 22), note: paint(36, 39), place: paint(4, 24) };
}
