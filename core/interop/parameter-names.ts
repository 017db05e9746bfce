/** One name that a function takes out of the object it is called with. */
export type ParameterName = { readonly name: string; readonly hasDefault: boolean };

/**
 * The names that a function's first parameter takes apart: `({ stdenv, zlib = null }) => …` takes `stdenv` and `zlib`.
 * The language knows a function's text; what has no such parameter, or none that can be read, takes no names.
 */
export function parameterNames(fn: (...args: never) => unknown): readonly ParameterName[] {
  const text = Function.prototype.toString.call(fn);
  const start = /^(?:async\s+)?(?:function\s*[\w$]*\s*)?\(\s*\{|^(?:async\s+)?[\w$]+\s*\(\s*\{/.exec(text);
  if (start === null) return [];
  const names: ParameterName[] = [];
  for (const part of splitTopLevel(text, start[0].length)) {
    const match = /^(?:([\w$]+)|"([^"\\]*)"|'([^'\\]*)')\s*([:=]?)/.exec(part);
    if (match === null) continue;
    const rest = match[4] === ":" ? part.slice(match[0].length) : part;
    names.push({ name: match[1] ?? match[2] ?? match[3]!, hasDefault: hasTopLevelDefault(rest) });
  }
  return names;
}

/** The parts between commas up to the brace that closes, without white space around them. */
function splitTopLevel(text: string, from: number): readonly string[] {
  const parts: string[] = [];
  let depth = 0;
  let start = from;
  for (let at = from; at < text.length; at++) {
    const c = text[at]!;
    const skipped = skipQuoted(text, at);
    if (skipped > at) at = skipped;
    else if ("([{".includes(c)) depth++;
    else if (c === "}" && depth === 0) return [...parts, text.slice(start, at).trim()].filter((part) => part !== "");
    else if (")]}".includes(c)) depth--;
    else if (c === "," && depth === 0) {
      parts.push(text.slice(start, at).trim());
      start = at + 1;
    }
  }
  return [];
}

function hasTopLevelDefault(part: string): boolean {
  let depth = 0;
  for (let at = 0; at < part.length; at++) {
    const c = part[at]!;
    if ("([{".includes(c)) depth++;
    else if (")]}".includes(c)) depth--;
    else if (c === "=" && depth === 0) return true;
  }
  return false;
}

/** The index of the end of a string or comment that begins at `at`; `at` where none does. */
function skipQuoted(text: string, at: number): number {
  const quote = text[at]!;
  if (quote === "/" && text[at + 1] === "*") return text.indexOf("*/", at + 2) + 1;
  if (quote === "/" && text[at + 1] === "/") return text.indexOf("\n", at);
  if (quote !== '"' && quote !== "'" && quote !== "`") return at;
  for (let i = at + 1; i < text.length; i++) {
    if (text[i] === "\\") i++;
    else if (text[i] === quote) return i;
  }
  return at;
}
