import { toByteString, type ByteString } from "../util/bytes.ts";

const RED = "\x1b[31;1m";
const BLUE = "\x1b[34;1m";
const MAGENTA = "\x1b[35;1m";
const CYAN = "\x1b[36;1m";
const GREEN = "\x1b[32;1m";
const NORMAL = "\x1b[0m";

const ELLIPSIS = toByteString("…");
const [OPEN, CLOSE] = [toByteString("«"), toByteString("»")];

/**
 * Whether messages are coloured: a terminal that is not dumb, unless the environment says no. Nix: libutil/terminal.cc
 */
export function wantsColours(isTerminal: boolean, env: Readonly<Record<string, string | undefined>>): boolean {
  return isTerminal && env["TERM"] !== undefined && env["TERM"] !== "dumb" && env["NO_COLOR"] === undefined && env["NOCOLOR"] === undefined;
}

/**
 * A report or warning with the colours that the reference gives it on a terminal. Of messages, names in quotes, types and
 * values are coloured; `raw` are texts of the evaluation itself, which stay as they are.
 */
export function colourReport(text: ByteString, raw: ReadonlySet<ByteString> = new Set()): ByteString {
  let isMessage = false;
  const lines = text.split("\n");
  return lines
    .map((line, index) => {
      const [, indent = "", prefix, rest = ""] = /^( *)((?:error|warning|evaluation warning|note):)(.*)$/s.exec(line) ?? [];
      if (prefix !== undefined && (indent === "" || lines[index - 1] === "")) {
        isMessage = prefix !== "evaluation warning:" && !raw.has(rest.trimStart());
        return `${indent}${prefix === "error:" ? RED : MAGENTA}${prefix}${NORMAL}${isMessage ? colourMessage(rest) : rest}`;
      }
      const place = /^( +)at (.*:\d+:\d+):$/s.exec(line);
      if (place !== null) return `${place[1]!}${BLUE}at ${MAGENTA}${place[2]!}${NORMAL}:`;
      if (/^ +\d+\| /.test(line)) return line;
      if (/^ +\| +\^$/.test(line)) return line.replace("^", `${RED}^${NORMAL}`);
      const trace = line.indexOf(`${ELLIPSIS} `);
      if (trace >= 0 && /^ *$/.test(line.slice(0, trace))) {
        const message = line.slice(trace + ELLIPSIS.length + 1);
        return `${line.slice(0, trace)}${ELLIPSIS} ${raw.has(message) ? message : colourMessage(message)}`;
      }
      if (/^ +Did you mean .*\?$/.test(line)) return line.replace(/(Did you mean (?:one of )?)(.*)\?$/, (_, head: string, names: string) => `${head}${names.replace(/[^, ]+(?=,|$| or )/g, (name) => `${MAGENTA}${name}${NORMAL}`)}?`);
      if (/^ *\((stack trace truncated; .*|\d+ duplicate frames omitted)\)$/.test(line)) return line.replace(/\(.*\)$/, (found) => `${MAGENTA}${found}${NORMAL}`);
      return isMessage && line !== "" ? colourMessage(line) : line;
    })
    .join("\n");
}

const TYPES = "an integer|a Boolean|a string|a string with context|a path|null|a set|a list|a function|the built-in function|the partially applied built-in function|a float|an external value|a thunk";

function colourMessage(message: ByteString): ByteString {
  if (/^ ?syntax error/.test(message)) return message;
  const json = /^( ?)(\[json\.exception\..*)$/.exec(message);
  if (json !== null) return `${json[1]!}${MAGENTA}${json[2]!}${NORMAL}`;
  const value = new RegExp(`^(.*(?:but found|not a function but) (?:${TYPES})[^:]*: |.*cannot coerce .* to a string: )(.*)$`, "s").exec(message);
  const [head, shown] = value === null ? [message, ""] : [value[1]!, value[2]!];
  // What the reference has in its own words is not coloured.
  const [own, after = ""] = /^(.*?)(, expect '.*)$/s.exec(head)?.slice(1) ?? [head];
  const quoted = own!
    .replace(/(with value )'([^'\n]*)'|'([^'\n]+'*)'(?=[^'a-zA-Z]|$)/g, (whole, before: string | undefined, value: string | undefined, text: string, at: number) =>
      before !== undefined ? `${before}'${colourValue(value!)}'` : /^builtins\.\w+$/.test(text) && own!.slice(at).includes("' called ") ? whole : `'${MAGENTA}${text}${NORMAL}'`,
    )
    .replace(new RegExp(`((?:cannot coerce|cannot add|but found|not a function but|and|^ ?|is not equal to) )?\\b(${TYPES})(?=( to | with value|: |$))`, "g"), (whole, before: string | undefined, type: string, next: string | undefined) =>
      before === undefined && next !== " with value" ? whole : `${before ?? ""}${MAGENTA}${type}${NORMAL}`,
    )
    .replace(/((?:with index|of size|overflow in (?:adding|subtracting|multiplying|dividing)) )(-?\d+)/g, (_, before: string, number: string) => `${before}${MAGENTA}${number}${NORMAL}`)
    .replace(/( [-+*/] )(-?\d+)$/, (_, before: string, number: string) => `${before}${MAGENTA}${number}${NORMAL}`);
  return quoted + after + colourValue(shown);
}

/** Numbers, strings, paths and functions of a printed value. */
function colourValue(text: ByteString): ByteString {
  const pattern = new RegExp(`"(?:[^"\\\\]|\\\\.)*"|${OPEN}[^\xc2]*${CLOSE}|(?<=^|[ =])/[^ ;]+|(?<=^|[ =-])-?\\d+(?:\\.\\d+)?(?:e[-+]?\\d+)?(?=$|[ ;])|\\b(?:true|false|null)(?=$|[ ;])`, "g");
  return text.replace(pattern, (found) => {
    const colour = found.startsWith('"') ? MAGENTA : found.startsWith(OPEN) ? (found.includes("lambda") || found.includes("primop") ? BLUE : MAGENTA) : found.startsWith("/") ? GREEN : CYAN;
    return `${colour}${found}${NORMAL}`;
  });
}
