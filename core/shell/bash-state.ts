/** A variable as bash itself writes it down: `declare -ax NAME=(…)`. */
export type BashVariable = {
  readonly name: string;
  /** Its attributes without the dash: `x`, `ax`, `A`; empty for a plain one. */
  readonly flags: string;
  /** In bash's own quoting; undefined for one that is declared and not set. */
  readonly value: string | undefined;
};

/** What `declare -p` printed. Values may hold any character, line feeds too, so it is read and not split into lines. */
export function parseBashVariables(text: string): readonly BashVariable[] {
  const variables: BashVariable[] = [];
  const head = /declare -([-A-Za-z]+) ([A-Za-z_][A-Za-z0-9_]*)(=?)/y;
  for (let at = 0; at < text.length; ) {
    head.lastIndex = at;
    const match = head.exec(text);
    if (match === null) {
      // Bash writes nothing else; a line that some trap printed is no variable.
      at = lineEnd(text, at);
      continue;
    }
    at = head.lastIndex;
    const [, flags = "", name = "", equals] = match;
    const start = at;
    if (equals === "=") at = skipWord(text, at);
    variables.push({ name, flags: flags === "-" ? "" : flags, value: equals === "=" ? text.slice(start, at) : undefined });
    at = lineEnd(text, at);
  }
  return variables;
}

function lineEnd(text: string, at: number): number {
  const end = text.indexOf("\n", at);
  return end < 0 ? text.length : end + 1;
}

/** Behind a value: `"…"`, `$'…'`, a bare word, or a list of them in parentheses. */
function skipWord(text: string, from: number): number {
  let depth = 0;
  for (let at = from; at < text.length; at++) {
    const character = text[at];
    if (character === "\\") at++;
    else if (character === '"') at = skipQuoted(text, at + 1, '"', true);
    else if (character === "$" && text[at + 1] === "'") at = skipQuoted(text, at + 2, "'", true);
    else if (character === "'") at = skipQuoted(text, at + 1, "'", false);
    else if (character === "(") depth++;
    else if (character === ")") depth--;
    else if (character === "\n" && depth === 0) return at;
  }
  return text.length;
}

function skipQuoted(text: string, from: number, quote: string, hasEscapes: boolean): number {
  for (let at = from; at < text.length; at++) {
    if (text[at] === quote) return at;
    if (hasEscapes && text[at] === "\\") at++;
  }
  return text.length;
}

/** The command that sets a variable again, at the top of a script. */
export function formatBashVariable({ name, flags, value }: BashVariable): string {
  return `declare -${flags === "" ? "-" : flags} ${name}${value === undefined ? "" : `=${value}`}\n`;
}

/** What bash keeps about itself: of no use to another one. */
const OWN = new Set([
  ..."BASH BASHOPTS BASHPID COLUMNS DIRSTACK EPOCHREALTIME EPOCHSECONDS EUID FUNCNAME GROUPS HISTCMD HOSTNAME HOSTTYPE LINENO LINES".split(" "),
  ..."MACHTYPE OLDPWD OPTARG OPTERR OPTIND OSTYPE PIPESTATUS PPID PS4 PWD RANDOM SECONDS SHELLOPTS SHLVL SRANDOM UID _".split(" "),
]);

export function isBashOwn(name: string): boolean {
  return OWN.has(name) || /^(?:BASH_|COMP_|__tsos_)/.test(name);
}

/** The text of a plain variable's value: `"a\"b"` and `$'a\nb'` as they are meant. */
export function readBashValue(value: string): string {
  if (value.startsWith("$'")) return value.slice(2, -1).replace(/\\(?:x([0-9a-fA-F]{1,2})|([0-7]{1,3})|u([0-9a-fA-F]{1,4})|c(.)|(.))/gs, (_, hex?: string, octal?: string, unit?: string, control?: string, plain?: string) => {
    if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16));
    if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8) & 0xff);
    if (unit !== undefined) return String.fromCodePoint(Number.parseInt(unit, 16));
    if (control !== undefined) return String.fromCharCode(control.charCodeAt(0) & 0x1f);
    return ESCAPES[plain!] ?? plain!;
  });
  if (value.startsWith('"')) return value.slice(1, -1).replace(/\\([\\"$`])/g, "$1");
  if (value.startsWith("'")) return value.slice(1, -1);
  return value.replace(/\\(.)/gs, "$1");
}

const ESCAPES: Readonly<Record<string, string>> = { a: "\x07", b: "\b", e: "\x1b", E: "\x1b", f: "\f", n: "\n", r: "\r", t: "\t", v: "\v" };
