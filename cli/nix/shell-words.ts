import { TsosError } from "../../core/error/tsos-error.ts";

/**
 * The words of a line as a shell splits it, without expanding anything: quotes group, a backslash takes the next
 * character as it is, also between double quotes.
 *
 * @throws TsosError `nix.unterminated-quote`
 */
export function splitShellWords(line: string): readonly string[] {
  const words: string[] = [];
  let word = "";
  let isWord = false;
  let quote: string | undefined;
  for (let i = 0; i < line.length; i++) {
    const c = line[i]!;
    if (quote === undefined && /\s/.test(c)) {
      if (isWord) words.push(word);
      word = "";
      isWord = false;
      continue;
    }
    isWord = true;
    if (c === quote) quote = undefined;
    else if (quote === undefined && (c === "'" || c === '"')) quote = c;
    else if (c === "\\" && quote !== "'") word += line[++i] ?? "";
    else word += c;
  }
  if (quote !== undefined) throw new TsosError({ code: "nix.unterminated-quote", message: "unterminated quote in shebang line", data: { line } });
  if (isWord) words.push(word);
  return words;
}

/** One word of a shell's line. */
export function quoteForShell(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
