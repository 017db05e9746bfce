import type { ByteString } from "../util/bytes.ts";

const CLASSES: Readonly<Record<string, string>> = {
  alpha: "a-zA-Z", digit: "0-9", alnum: "a-zA-Z0-9", upper: "A-Z", lower: "a-z", space: " \\t\\n\\v\\f\\r", blank: " \\t",
  punct: "!-\\/:-@\\[-`{-~", print: " -~", graph: "!-~", cntrl: "\\x00-\\x1f\\x7f", xdigit: "0-9A-Fa-f",
};

/**
 * A POSIX extended regular expression as one of JavaScript's, or undefined when it is none.
 *
 * Alternatives are tried in their order here; POSIX takes the longest match, which differs only where one alternative is
 * the beginning of a later one and what follows does not decide.
 */
export function compilePattern(text: ByteString): RegExp | undefined {
  let out = "";
  let i = 0;
  let depth = 0;
  /** Whether what stands before can be repeated. */
  let atom = false;
  while (i < text.length) {
    const c = text[i]!;
    switch (c) {
      case "[": {
        const set = bracket(text, i);
        if (set === undefined) return undefined;
        out += set.source;
        i = set.end;
        atom = true;
        continue;
      }
      case "\\": {
        const next = text[i + 1];
        if (next === undefined || /[A-Za-z0-9]/.test(next)) return undefined;
        out += /[\^$\\.*+?()[\]{}|/]/.test(next) ? `\\${next}` : /[\x00-\x1f -]/.test(next) ? next : `\\x${next.charCodeAt(0).toString(16).padStart(2, "0")}`;
        i += 2;
        atom = true;
        continue;
      }
      case "(":
        depth++;
        out += "(";
        atom = false;
        break;
      case ")":
        if (depth === 0) return undefined;
        depth--;
        out += ")";
        atom = true;
        break;
      case "*": case "+": case "?":
        if (!atom) return undefined;
        // A second repetition of the same atom is legal in POSIX.
        if (/[*+?}]$/.test(out) && !/\\[*+?}]$/.test(out)) out = wrapLast(out);
        out += c;
        break;
      case "{": {
        const bound = /^\{([0-9]+)(,([0-9]*))?\}/.exec(text.slice(i));
        if (!atom || bound === null) return undefined;
        if (bound[3] !== undefined && bound[3] !== "" && Number(bound[3]) < Number(bound[1])) return undefined;
        if (/[*+?}]$/.test(out) && !/\\[*+?}]$/.test(out)) out = wrapLast(out);
        out += bound[0];
        i += bound[0].length;
        continue;
      }
      case "|":
        out += "|";
        atom = false;
        break;
      case ".":
        out += "[^]";
        atom = true;
        break;
      case "^": case "$":
        out += c;
        atom = false;
        break;
      case "}": case "]": case "/":
        out += `\\${c}`;
        atom = true;
        break;
      default:
        out += c;
        atom = true;
    }
    i++;
  }
  if (depth > 0) return undefined;
  try {
    return new RegExp(out, "g");
  } catch {
    return undefined;
  }
}

/** Puts the repetition at the end and its atom into a group, so that it can be repeated. */
function wrapLast(out: string): string {
  const quantifier = /(?:[*+?]|\{[0-9,]+\})$/.exec(out)!;
  let start = quantifier.index - 1;
  const last = out[start];
  if (last === ")" && out[start - 1] !== "\\") {
    for (let depth = 0; start >= 0; start--) {
      if (out[start - 1] === "\\") continue;
      if (out[start] === ")") depth++;
      else if (out[start] === "(" && --depth === 0) break;
    }
  } else if (last === "]" && out[start - 1] !== "\\") start = out.lastIndexOf("[", start);
  else if (out[start - 1] === "\\") start--;
  return `${out.slice(0, start)}(?:${out.slice(start)})`;
}

function bracket(text: string, start: number): { readonly source: string; readonly end: number } | undefined {
  let i = start + 1;
  let out = "[";
  if (text[i] === "^") {
    out += "^";
    i++;
  }
  const first = i;
  for (;;) {
    const c = text[i];
    if (c === undefined) return undefined;
    if (c === "]" && i > first) break;
    if (c === "[" && (text[i + 1] === ":" || text[i + 1] === "." || text[i + 1] === "=")) {
      const kind = text[i + 1]!;
      const end = text.indexOf(`${kind}]`, i + 2);
      if (end < 0) return undefined;
      const name = text.slice(i + 2, end);
      if (kind === ":") {
        const set = CLASSES[name];
        if (set === undefined) return undefined;
        out += set;
      } else if (name.length === 1) out += escapeInSet(name);
      else return undefined;
      i = end + 2;
      continue;
    }
    if (text[i + 1] === "-" && text[i + 2] !== undefined && text[i + 2] !== "]") {
      const high = text[i + 2]!;
      if (high < c) return undefined;
      out += `${escapeInSet(c)}-${escapeInSet(high)}`;
      i += 3;
      continue;
    }
    out += escapeInSet(c);
    i++;
  }
  return { source: `${out}]`, end: i + 1 };
}

function escapeInSet(c: string): string {
  return /[\\\]^[-]/.test(c) ? `\\${c}` : c;
}
