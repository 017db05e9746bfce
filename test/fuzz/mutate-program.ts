/** Programs that somebody wrote, with some of their tokens left out, doubled, exchanged or replaced by another's. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { tokenize } from "../../core/nix/lexer.ts";
import type { Random } from "./random.ts";

const CASES = join(import.meta.dirname, "../lang/cases");
/** Not the same on both sides: the time, the machine, files beside the case. */
const SKIPPED = /currentTime|currentSystem|fetch|getFlake|nixPath|__curPos|getEnv|storePath|\.drv"|break/;
const EXTRA = ["(", ")", "{", "}", "[", "]", ";", ":", "=", ".", ",", "@", "?", "or", "rec", "with", "let", "in", "if", "then", "else", "assert", "inherit", "++", "//", "->", "&&", "||", "!", "==", "<", "-", "+", "*", "/", "1", "2.5", "\"a\"", "x", "null", "true", "{ }", "[ ]", "...", "${", "''", "\"", "/a/b", "./c", "<d>", "throw \"t\"", "a:b", "|>", "<|", "#\n", "/*", "*/"];

/** Texts and where their tokens stand. */
export type Program = { readonly text: string; readonly tokens: readonly string[] };

export function readPrograms(): Program[] {
  const programs: Program[] = [];
  for (const name of readdirSync(CASES).sort()) {
    if (!name.endsWith(".nix")) continue;
    const text = readFileSync(join(CASES, name), "latin1");
    if (text.length > 2000 || SKIPPED.test(text)) continue;
    programs.push({ text, tokens: cut(text) });
  }
  return programs;
}

/** The text in pieces: a token each, with the white space before it. */
function cut(text: string): string[] {
  const { starts, count } = tokenize(text, false);
  const places = [...new Set([0, ...starts.subarray(0, count), text.length])].filter((at) => at <= text.length).sort((a, b) => a - b);
  return places.slice(1).map((end, index) => text.slice(places[index]!, end)).filter((piece) => piece !== "");
}

const CLASSES: readonly RegExp[] = [/^[a-zA-Z_][\w'-]*$/, /^[\d.]+(e\d+)?$/, /^([-+*/<>?!:=.,;]|\+\+|\/\/|->|&&|\|\||[=!<>]=)$/];
const KEYWORDS = /^(if|then|else|assert|with|let|in|rec|inherit)$/;

/** Names stand for names, numbers for numbers, operators for operators: the text most often stays a program. */
function likeOne(r: Random, token: string, from: readonly string[]): string {
  const text = token.trim();
  const kind = CLASSES.find((one) => one.test(text));
  if (kind === undefined || KEYWORDS.test(text)) return token;
  const others = from.map((other) => other.trim()).filter((other) => kind.test(other) && !KEYWORDS.test(other));
  return others.length === 0 ? token : token.replace(text, () => r.pick(others));
}

/** Pieces of a new text. */
export function mutateProgram(r: Random, programs: readonly Program[]): string[] {
  const tokens = [...r.pick(programs).tokens];
  if (r.chance(0.6)) {
    for (let count = 1 + r.below(4); count > 0; count--) {
      const at = r.below(tokens.length);
      tokens[at] = likeOne(r, tokens[at]!, r.chance(0.6) ? tokens : r.pick(programs).tokens);
    }
    return SKIPPED.test(tokens.join("")) ? ["null"] : tokens;
  }
  for (let count = r.pick([1, 1, 1, 2, 2, 3, 5]); count > 0 && tokens.length > 0; count--) {
    const at = r.below(tokens.length);
    const other = r.pick(programs).tokens;
    switch (r.below(7)) {
      case 0: tokens.splice(at, 1); break;
      case 1: tokens.splice(at, 0, tokens[at]!); break;
      case 2: tokens.splice(at, 1, r.pick(tokens)); break;
      case 3: tokens.splice(at, 1, r.pick(other)); break;
      case 4: tokens.splice(at, r.below(2), ` ${r.pick(EXTRA)} `); break;
      case 5: {
        const from = r.below(other.length);
        tokens.splice(at, r.below(4), ...other.slice(from, from + 1 + r.below(8)));
        break;
      }
      default: {
        const next = r.below(tokens.length);
        [tokens[at], tokens[next]] = [tokens[next]!, tokens[at]!];
      }
    }
  }
  return SKIPPED.test(tokens.join("")) ? ["null"] : tokens;
}
