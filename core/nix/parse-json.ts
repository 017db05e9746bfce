/**
 * JSON in the way and in the words of the reference's library (nlohmann's lexer and parser): what was read last, what was
 * expected, and where, counted as it counts.
 */
import { toByteString, type ByteString } from "../util/bytes.ts";
import type { Evaluator } from "./evaluator.ts";
import { toInteger } from "./integer.ts";
import { NixError } from "./nix-error.ts";
import { NixFloat, type Slot, type Value } from "./value.ts";

type Token = "true literal" | "false literal" | "null literal" | "string literal" | "number literal" | "'['" | "'{'" | "']'" | "'}'" | "':'" | "','" | "<parse error>" | "end of input";
type Expected = Token | "'[', '{', or a literal";

/** @throws NixError */
export function fromJson(e: Evaluator, text: ByteString): Value {
  return new JsonParser(e, text).parse();
}

type Open = { readonly kind: "list"; readonly list: Slot[] } | { readonly kind: "set"; readonly entries: Map<ByteString, Slot>; key: ByteString };

class JsonParser {
  readonly #e: Evaluator;
  readonly #text: ByteString;
  #at = 0;
  #lines = 0;
  /** Where the line of the last byte read began; columns count what was read of it, the end of the text too. */
  #column = 0;
  #total = 0;
  /** Where that begins which a message says was read last. */
  #read = 0;
  #message = "";
  #string: ByteString = "";
  #number: Value = 0;

  constructor(e: Evaluator, text: ByteString) {
    this.#e = e;
    this.#text = text;
  }

  parse(): Value {
    const stack: Open[] = [];
    if (this.#text.startsWith("\xef\xbb\xbf")) for (let i = 0; i < 3; i++) this.#get();
    let token = this.#scan();
    for (;;) {
      let value: Value;
      switch (token) {
        case "'{'": {
          token = this.#scan();
          if (token !== "'}'") {
            stack.push({ kind: "set", entries: new Map(), key: this.#key(token) });
            token = this.#scan();
            continue;
          }
          value = this.#e.makeSet([]);
          break;
        }
        case "'['":
          token = this.#scan();
          if (token !== "']'") {
            stack.push({ kind: "list", list: [] });
            continue;
          }
          value = [];
          break;
        case "string literal":
          value = checkNoNull(this.#string);
          break;
        case "number literal":
          value = this.#number;
          break;
        case "true literal": value = true; break;
        case "false literal": value = false; break;
        case "null literal": value = null; break;
        case "<parse error>":
          throw this.#fail(token, undefined, "value");
        default:
          if (token === "end of input" && this.#total === 1) {
            throw this.#error("attempting to parse an empty input; check that your input string or stream contains the expected JSON");
          }
          throw this.#fail(token, "'[', '{', or a literal", "value");
      }
      // What is done may be the last of what is around it.
      for (;;) {
        const open = stack.at(-1);
        if (open === undefined) {
          token = this.#scan();
          if (token !== "end of input") throw this.#fail(token, "end of input", "value");
          return value;
        }
        token = this.#scan();
        if (open.kind === "list") {
          open.list.push(value);
          if (token === "','") {
            token = this.#scan();
            break;
          }
          if (token !== "']'") throw this.#fail(token, "']'", "array");
          value = open.list;
        } else {
          open.entries.set(open.key, value);
          if (token === "','") {
            open.key = this.#key(this.#scan());
            token = this.#scan();
            break;
          }
          if (token !== "'}'") throw this.#fail(token, "'}'", "object");
          value = this.#e.makeSet(open.entries);
        }
        stack.pop();
      }
    }
  }

  /** A key and the colon after it. */
  #key(token: Token): ByteString {
    if (token !== "string literal") throw this.#fail(token, "string literal", "object key");
    const key = checkNoNull(this.#string);
    const next = this.#scan();
    if (next !== "':'") throw this.#fail(next, "':'", "object separator");
    return key;
  }

  #fail(token: Token, expected: Expected | undefined, context: string): NixError {
    const read = token === "<parse error>" ? `${this.#message}; last read: '${this.#lastRead()}'` : `unexpected ${token}`;
    return this.#error(`syntax error while parsing ${context} - ${read}${expected === undefined ? "" : `; expected ${expected}`}`);
  }

  #error(what: string): NixError {
    return new NixError("parse", `[json.exception.parse_error.101] parse error at line ${this.#lines + 1}, column ${this.#column}: ${what}`);
  }

  #lastRead(): ByteString {
    return this.#text.slice(this.#read, this.#at).replace(/[\x00-\x1f]/g, (c) => `<U+${c.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}>`);
  }

  /** The next byte, -1 at the end. */
  #get(): number {
    this.#total++;
    this.#column++;
    if (this.#at >= this.#text.length) {
      this.#at++;
      return -1;
    }
    const c = this.#text.charCodeAt(this.#at++);
    if (c === 10) {
      this.#lines++;
      this.#column = 0;
    }
    return c;
  }

  #unget(): void {
    this.#at--;
    this.#total--;
    if (this.#column === 0) {
      if (this.#lines > 0) this.#lines--;
    } else this.#column--;
  }

  #wrong(message: string): Token {
    this.#message = message;
    return "<parse error>";
  }

  #scan(): Token {
    let c = this.#get();
    while (c === 32 || c === 9 || c === 10 || c === 13) c = this.#get();
    switch (c) {
      case 91: return "'['";
      case 93: return "']'";
      case 123: return "'{'";
      case 125: return "'}'";
      case 58: return "':'";
      case 44: return "','";
      case 116: return this.#literal("true", "true literal");
      case 102: return this.#literal("false", "false literal");
      case 110: return this.#literal("null", "null literal");
      case 34: return this.#scanString();
      case -1: case 0: return "end of input";
      default:
        return c === 45 || isDigit(c) ? this.#scanNumber(c) : this.#wrong("invalid literal");
    }
  }

  #literal(word: string, token: Token): Token {
    for (let i = 1; i < word.length; i++) if (this.#get() !== word.charCodeAt(i)) return this.#wrong("invalid literal");
    return token;
  }

  #scanString(): Token {
    this.#read = this.#at - 1;
    let out = "";
    let copied = this.#at;
    for (;;) {
      const c = this.#get();
      if (c === -1) return this.#wrong("invalid string: missing closing quote");
      if (c === 34) {
        this.#string = out + this.#text.slice(copied, this.#at - 1);
        return "string literal";
      }
      if (c === 92) {
        out += this.#text.slice(copied, this.#at - 1);
        const escaped = this.#escape();
        if (escaped === undefined) return "<parse error>";
        out += escaped;
        copied = this.#at;
      } else if (c < 32) {
        const short = SHORT_ESCAPES.get(c);
        const code = `\\u${c.toString(16).toUpperCase().padStart(4, "0")}`;
        return this.#wrong(`invalid string: control character U+${code.slice(2)} (${CONTROL_NAMES[c]!}) must be escaped to ${code}${short === undefined ? "" : ` or ${short}`}`);
      } else if (c >= 128 && !this.#continues(c)) return this.#wrong("invalid string: ill-formed UTF-8 byte");
    }
  }

  /** Reads on from the first byte of a character beyond ASCII. */
  #continues(first: number): boolean {
    const ranges = utf8Ranges(first);
    if (ranges === undefined) return false;
    for (const [low, high] of ranges) {
      const c = this.#get();
      if (c < low || c > high) return false;
    }
    return true;
  }

  #escape(): ByteString | undefined {
    const c = this.#get();
    const simple = ESCAPES.get(c);
    if (simple !== undefined) return simple;
    if (c !== 117) {
      this.#wrong("invalid string: forbidden character after backslash");
      return undefined;
    }
    const first = this.#codePoint();
    if (first < 0) return undefined;
    if (first >= 0xd800 && first <= 0xdbff) {
      if (this.#get() === 92 && this.#get() === 117) {
        const second = this.#codePoint();
        if (second < 0) return undefined;
        if (second >= 0xdc00 && second <= 0xdfff) return toByteString(String.fromCharCode(first, second));
      }
      this.#wrong("invalid string: surrogate U+D800..U+DBFF must be followed by U+DC00..U+DFFF");
      return undefined;
    }
    if (first >= 0xdc00 && first <= 0xdfff) {
      this.#wrong("invalid string: surrogate U+DC00..U+DFFF must follow U+D800..U+DBFF");
      return undefined;
    }
    return toByteString(String.fromCharCode(first));
  }

  #codePoint(): number {
    let value = 0;
    for (let i = 0; i < 4; i++) {
      const digit = parseInt(String.fromCharCode(Math.max(0, this.#get())), 16);
      if (Number.isNaN(digit)) {
        this.#wrong("invalid string: '\\u' must be followed by 4 hex digits");
        return -1;
      }
      value = value * 16 + digit;
    }
    return value;
  }

  #scanNumber(first: number): Token {
    this.#read = this.#at - 1;
    const start = this.#read;
    let isFloat = false;
    let c = first;
    if (c === 45) {
      c = this.#get();
      if (!isDigit(c)) return this.#wrong("invalid number; expected digit after '-'");
    }
    if (c === 48) c = this.#get();
    else while (isDigit(c)) c = this.#get();
    if (c === 46) {
      isFloat = true;
      c = this.#get();
      if (!isDigit(c)) return this.#wrong("invalid number; expected digit after '.'");
      while (isDigit(c)) c = this.#get();
    }
    if (c === 101 || c === 69) {
      isFloat = true;
      c = this.#get();
      if (c === 43 || c === 45) {
        c = this.#get();
        if (!isDigit(c)) return this.#wrong("invalid number; expected digit after exponent sign");
      } else if (!isDigit(c)) return this.#wrong("invalid number; expected '+', '-', or digit after exponent");
      while (isDigit(c)) c = this.#get();
    }
    this.#unget();
    const digits = this.#text.slice(start, this.#at);
    if (!isFloat) {
      const integer = BigInt(digits);
      const fitting = toInteger(integer);
      if (fitting !== undefined) {
        this.#number = fitting;
        return "number literal";
      }
      if (integer > 0n && integer < 2n ** 64n) throw new NixError("eval", `unsigned json number ${digits} outside of Nix integer range`);
    }
    const value = Number(digits);
    if (!Number.isFinite(value)) throw new NixError("parse", `[json.exception.out_of_range.406] number overflow parsing '${digits}'`);
    this.#number = new NixFloat(value);
    return "number literal";
  }
}

function isDigit(c: number): boolean {
  return c >= 48 && c <= 57;
}

/** @throws NixError */
export function checkNoNull(text: ByteString): ByteString {
  if (text.includes("\0")) throw new NixError("eval", `input string '${text.replaceAll("\0", toByteString("␀"))}' cannot be represented as Nix string because it contains null bytes`);
  return text;
}

/** What may follow a first byte beyond ASCII; undefined where it begins no character. */
export function utf8Ranges(first: number): readonly (readonly [number, number])[] | undefined {
  const tail = [0x80, 0xbf] as const;
  if (first >= 0xc2 && first <= 0xdf) return [tail];
  if (first === 0xe0) return [[0xa0, 0xbf], tail];
  if (first === 0xed) return [[0x80, 0x9f], tail];
  if (first >= 0xe1 && first <= 0xef) return [tail, tail];
  if (first === 0xf0) return [[0x90, 0xbf], tail, tail];
  if (first >= 0xf1 && first <= 0xf3) return [tail, tail, tail];
  if (first === 0xf4) return [[0x80, 0x8f], tail, tail];
  return undefined;
}

const ESCAPES: ReadonlyMap<number, string> = new Map([[34, '"'], [92, "\\"], [47, "/"], [98, "\b"], [102, "\f"], [110, "\n"], [114, "\r"], [116, "\t"]]);
const SHORT_ESCAPES: ReadonlyMap<number, string> = new Map([[8, "\\b"], [9, "\\t"], [10, "\\n"], [12, "\\f"], [13, "\\r"]]);
const CONTROL_NAMES = "NUL SOH STX ETX EOT ENQ ACK BEL BS HT LF VT FF CR SO SI DLE DC1 DC2 DC3 DC4 NAK SYN ETB CAN EM SUB ESC FS GS RS US".split(" ");
