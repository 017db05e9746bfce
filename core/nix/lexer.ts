import type { ByteString } from "../util/bytes.ts";
import { KEYWORDS, Token } from "./token.ts";

// Classes of bytes, as bits.
const ID_START = 1;
const ID = 2;
const PATH = 4;
const URI = 8;
const SCHEME = 16;
const DIGIT = 32;
const SPACE = 64;

const CLASSES = new Uint8Array(256);
for (let c = 0; c < 256; c++) {
  const s = String.fromCharCode(c);
  let bits = 0;
  if (/[a-zA-Z_]/.test(s)) bits |= ID_START;
  if (/[a-zA-Z0-9_'-]/.test(s)) bits |= ID;
  if (/[a-zA-Z0-9._+-]/.test(s)) bits |= PATH;
  if (/[a-zA-Z0-9%/?:@&=+$,\-_.!~*']/.test(s)) bits |= URI;
  if (/[a-zA-Z0-9+.-]/.test(s)) bits |= SCHEME;
  if (/[0-9]/.test(s)) bits |= DIGIT;
  if (/[ \t\r\n]/.test(s)) bits |= SPACE;
  CLASSES[c] = bits;
}

const FLOAT = /(?:[1-9][0-9]*\.[0-9]*|0?\.[0-9]+)(?:[Ee][+-]?[0-9]+)?/y;

// What the closing of a brace returns to.
const INITIAL = 0;
const DEFAULT = 1;
const STRING = 2;
const INDENTED = 3;
const IN_PATH = 4;
const IN_PATH_SLASH = 5;

/** All tokens of a text: `kinds[i]` from byte `starts[i]` up to `ends[i]`, the last one `Token.end`. */
export type Tokens = {
  readonly count: number;
  readonly kinds: Uint16Array;
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  readonly error: { readonly message: string; readonly pos: number } | undefined;
};

/**
 * Cuts a text into tokens, the longest match first as in the reference's lexer. A mistake becomes the last token, so
 * that a mistake of grammar before it is told first.
 */
export function tokenize(text: ByteString, pipeOperators: boolean): Tokens {
  const length = text.length;
  let capacity = Math.max(64, length >> 1);
  let kinds = new Uint16Array(capacity);
  let starts = new Int32Array(capacity);
  let ends = new Int32Array(capacity);
  let count = 0;
  let error: { readonly message: string; readonly pos: number } | undefined;
  const stack: number[] = [];
  let state = INITIAL;
  let at = 0;
  let endAt: number | undefined;
  let pathEnd = 0;
  let schemeEnd = 0;

  const push = (kind: number, start: number, end: number): void => {
    if (count === capacity) {
      capacity *= 2;
      const grow = <T extends Uint16Array | Int32Array>(from: T, to: T): T => (to.set(from), to);
      kinds = grow(kinds, new Uint16Array(capacity));
      starts = grow(starts, new Int32Array(capacity));
      ends = grow(ends, new Int32Array(capacity));
    }
    kinds[count] = kind;
    starts[count] = start;
    ends[count++] = end;
    at = end;
  };
  const enter = (next: number): void => {
    stack.push(state);
    state = next;
  };
  const leave = (): void => {
    state = stack.pop() ?? INITIAL;
  };
  const fail = (message: string, pos: number): void => {
    error = { message, pos };
    push(Token.error, pos, length);
  };
  const is = (index: number, bits: number): boolean => index < length && (CLASSES[text.charCodeAt(index)]! & bits) !== 0;
  const run = (index: number, bits: number): number => {
    while (index < length && (CLASSES[text.charCodeAt(index)]! & bits) !== 0) index++;
    return index;
  };
  /** The end of `(/chars+)+/?` at `index`, or `index` when there is none. */
  const segments = (index: number): number => {
    let end = index;
    while (text.charCodeAt(end) === 47 && is(end + 1, PATH)) end = run(end + 1, PATH);
    return end > index && text.charCodeAt(end) === 47 ? end + 1 : end;
  };
  /** A path, or one whose first piece ends in an interpolation, when there is one at `start`. */
  const path = (start: number): boolean => {
    // Every place of a run ends where its start does, so a long one is not looked through again and again.
    const slash = start < pathEnd ? pathEnd : (pathEnd = run(start, PATH));
    if (text.charCodeAt(slash) !== 47) return false;
    const end = segments(slash);
    if (end > slash) {
      push(Token.path, start, end);
      enter(text.charCodeAt(end - 1) === 47 ? IN_PATH_SLASH : IN_PATH);
      return true;
    }
    if (text.startsWith("${", slash + 1)) {
      push(Token.path, start, slash + 1);
      enter(IN_PATH_SLASH);
      return true;
    }
    return false;
  };

  for (;;) {
    if (error !== undefined) break;
    if (state === STRING) {
      const start = at;
      let i = start;
      for (;;) {
        if (i >= length) break;
        const c = text.charCodeAt(i);
        if (c === 34) break;
        if (c === 36) {
          const next = text.charCodeAt(i + 1);
          if (next === 123) break;
          if (i + 1 >= length) break;
          // `$"` is a dollar at the end; `$\x` keeps its dollar and its escape.
          if (next === 34) i++;
          else if (next === 92) {
            if (i + 2 >= length) break;
            i += 3;
          } else i += 2;
        } else if (c === 92) {
          if (i + 1 >= length) break;
          i += 2;
        } else i++;
      }
      if (i > start) push(Token.string, start, i);
      else if (i >= length || (text.charCodeAt(i) !== 34 && text.charCodeAt(i + 1) !== 123)) {
        // Only before the end of the text: the parser tells what is missing.
        at = length;
        break;
      } else if (text.charCodeAt(i) === 34) {
        push(34, i, i + 1);
        leave();
      } else {
        push(Token.dollarBrace, i, i + 2);
        enter(DEFAULT);
      }
      continue;
    }
    if (state === INDENTED) {
      const start = at;
      if (start >= length) break;
      let i = start;
      for (;;) {
        if (i >= length) break;
        const c = text.charCodeAt(i);
        const next = text.charCodeAt(i + 1);
        if (c === 36) {
          if (i + 1 >= length || next === 123 || next === 39) break;
          i += 2;
        } else if (c === 39) {
          if (i + 1 >= length || next === 39 || next === 36) break;
          i += 2;
        } else i++;
      }
      if (i > start) {
        push(Token.indentedString, start, i);
        continue;
      }
      const c = text.charCodeAt(i);
      if (c === 36) {
        if (text.charCodeAt(i + 1) === 123) {
          push(Token.dollarBrace, i, i + 2);
          enter(DEFAULT);
        } else push(Token.indentedString, i, i + 1);
      } else if (text.charCodeAt(i + 1) === 39) {
        const third = text.charCodeAt(i + 2);
        if (third === 36 || third === 39) push(Token.indentedString, i, i + 3);
        else if (third === 92 && i + 3 < length) push(Token.indentedString, i, i + 4);
        else {
          push(Token.indentedClose, i, i + 2);
          leave();
        }
      } else push(Token.indentedString, i, i + 1);
      continue;
    }
    if (state === IN_PATH || state === IN_PATH_SLASH) {
      if (text.startsWith("${", at)) {
        state = IN_PATH;
        push(Token.dollarBrace, at, at + 2);
        enter(DEFAULT);
        continue;
      }
      const start = at;
      const slash = run(start, PATH);
      let end = slash;
      if (text.charCodeAt(slash) === 47) end = Math.max(segments(slash), slash + 1);
      if (end > start) {
        push(Token.string, start, end);
        state = text.charCodeAt(end - 1) === 47 ? IN_PATH_SLASH : IN_PATH;
      } else if (state === IN_PATH) {
        leave();
        // The reference forgets the last token's place when a path ends with the text.
        if (start >= length) endAt = starts[count - 1]!;
        push(Token.pathEnd, starts[count - 1]!, start);
      } else fail("path has a trailing slash", start);
      continue;
    }
    if (at >= length) break;
    const start = at;
    const c = text.charCodeAt(start);
    const bits = CLASSES[c]!;
    if ((bits & SPACE) !== 0) {
      at = run(start + 1, SPACE);
      continue;
    }
    if ((bits & ID_START) !== 0) {
      const end = run(start + 1, ID);
      const next = text.charCodeAt(end);
      if (next === 47 || next === 46 || next === 43) {
        if (path(start)) continue;
      }
      if (next === 58 || next === 46 || next === 43) {
        const scheme = start < schemeEnd ? schemeEnd : (schemeEnd = run(start, SCHEME));
        if (c !== 95 && text.charCodeAt(scheme) === 58 && is(scheme + 1, URI)) {
          push(Token.uri, start, run(scheme + 1, URI));
          continue;
        }
      }
      // The longest keyword is `inherit`, and none has capitals or digits.
      const keyword = end - start <= 7 && c >= 97 ? KEYWORDS.get(text.slice(start, end)) : undefined;
      push(keyword ?? Token.identifier, start, end);
      continue;
    }
    if ((bits & DIGIT) !== 0) {
      if (path(start)) continue;
      const integer = run(start, DIGIT);
      FLOAT.lastIndex = start;
      const float = FLOAT.test(text) ? FLOAT.lastIndex : start;
      if (float > integer) push(Token.float, start, float);
      else if (BigInt(text.slice(start, integer)) > 9223372036854775807n) fail(`invalid integer '${text.slice(start, integer)}'`, start);
      else push(Token.integer, start, integer);
      continue;
    }
    const next = text.charCodeAt(start + 1);
    switch (c) {
      case 35: {
        let i = start + 1;
        while (i < length && text.charCodeAt(i) !== 10 && text.charCodeAt(i) !== 13) i++;
        at = i;
        continue;
      }
      case 34:
        push(34, start, start + 1);
        enter(STRING);
        continue;
      case 36:
        if (next === 123) {
          push(Token.dollarBrace, start, start + 2);
          enter(DEFAULT);
          continue;
        }
        break;
      case 39:
        if (next === 39) {
          let end = start + 2;
          while (text.charCodeAt(end) === 32) end++;
          push(Token.indentedOpen, start, text.charCodeAt(end) === 10 ? end + 1 : start + 2);
          enter(INDENTED);
          continue;
        }
        break;
      case 123:
        push(123, start, start + 1);
        enter(DEFAULT);
        continue;
      case 125:
        if (state !== INITIAL) leave();
        push(125, start, start + 1);
        continue;
      case 47:
        if (next === 42) {
          const end = text.indexOf("*/", start + 2);
          if (end >= 0) {
            at = end + 2;
            continue;
          }
          break;
        }
        if (next === 47) {
          push(Token.update, start, start + 2);
          continue;
        }
        if (path(start)) continue;
        break;
      case 46:
        if (path(start)) continue;
        if (next === 46 && text.charCodeAt(start + 2) === 46) {
          push(Token.ellipsis, start, start + 3);
          continue;
        }
        FLOAT.lastIndex = start;
        if (FLOAT.test(text)) {
          push(Token.float, start, FLOAT.lastIndex);
          continue;
        }
        break;
      case 43:
        if (path(start)) continue;
        if (next === 43) {
          push(Token.concat, start, start + 2);
          continue;
        }
        break;
      case 45:
        if (path(start)) continue;
        if (next === 62) {
          push(Token.implies, start, start + 2);
          continue;
        }
        break;
      case 126:
        if (next === 47) {
          const end = segments(start + 1);
          if (end > start + 1) {
            push(Token.homePath, start, end);
            enter(text.charCodeAt(end - 1) === 47 ? IN_PATH_SLASH : IN_PATH);
            continue;
          }
          if (text.startsWith("${", start + 2)) {
            push(Token.homePath, start, start + 2);
            enter(IN_PATH_SLASH);
            continue;
          }
        }
        break;
      case 60: {
        let i = run(start + 1, PATH);
        if (i > start + 1) {
          while (text.charCodeAt(i) === 47 && is(i + 1, PATH)) i = run(i + 1, PATH);
          if (text.charCodeAt(i) === 62) {
            push(Token.searchPath, start, i + 1);
            continue;
          }
        }
        if (next === 61 || next === 124) {
          if (next === 124 && !pipeOperators) fail(PIPE_DISABLED, start);
          else push(next === 61 ? Token.lessEqual : Token.pipeFrom, start, start + 2);
          continue;
        }
        break;
      }
      case 62:
        if (next === 61) {
          push(Token.greaterEqual, start, start + 2);
          continue;
        }
        break;
      case 61:
        if (next === 61) {
          push(Token.equal, start, start + 2);
          continue;
        }
        break;
      case 33:
        if (next === 61) {
          push(Token.notEqual, start, start + 2);
          continue;
        }
        break;
      case 38:
        if (next === 38) {
          push(Token.and, start, start + 2);
          continue;
        }
        break;
      case 124:
        if (next === 124) {
          push(Token.orOr, start, start + 2);
          continue;
        }
        if (next === 62) {
          if (!pipeOperators) fail(PIPE_DISABLED, start);
          else push(Token.pipeInto, start, start + 2);
          continue;
        }
        break;
      default:
    }
    // A NUL is the end of the text to the parser.
    if (c === 0) {
      endAt = start + 1;
      break;
    }
    push(c, start, start + 1);
  }
  if (error === undefined) push(Token.end, endAt ?? at, at);
  return { count, kinds, starts, ends, error };
}

const PIPE_DISABLED = "experimental Nix feature 'pipe-operators' is disabled; add '--extra-experimental-features pipe-operators' to enable it";
