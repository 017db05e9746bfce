/**
 * POSIX extended regular expressions as the reference's library reads them (libstdc++'s `std::regex::extended` without GNU
 * extensions): what it refuses is refused, and its bound on the size of the automaton is kept.
 */
import type { ByteString } from "../../util/bytes.ts";

/** A set of bytes: 1 where the byte is in it. */
export type ByteSet = Uint8Array;

export type RegexNode =
  | { readonly kind: "set"; readonly set: ByteSet }
  | { readonly kind: "begin" }
  | { readonly kind: "end" }
  | { readonly kind: "group"; readonly index: number; readonly body: RegexNode }
  | { readonly kind: "sequence"; readonly items: readonly RegexNode[] }
  | { readonly kind: "alternatives"; readonly items: readonly RegexNode[] }
  /** `max` is Infinity where there is none; `plus`: written so, when what must be there is also what comes again. */
  | { readonly kind: "repeat"; readonly body: RegexNode; readonly min: number; readonly max: number; readonly plus: boolean };

export type RegexSyntax = { readonly root: RegexNode; readonly groups: number };

/** `invalid`: no regular expression; `memory`: its automaton has more than 100,000 states. */
export type RegexRefusal = "invalid" | "memory";

const STATE_LIMIT = 100_000;
const MAXIMUM_COUNT = 0x7fffffff;
const SPECIAL = new Set(".[\\()*+?{|^$");

class Refused extends Error {
  readonly reason: RegexRefusal;
  constructor(reason: RegexRefusal) {
    super(reason);
    this.reason = reason;
  }
}

/** A piece and how many states of an automaton it takes, which repeating multiplies. */
type Piece = { readonly node: RegexNode; readonly states: number };

export function parseRegex(text: ByteString): RegexSyntax | RegexRefusal {
  try {
    return new Parser(text).parse();
  } catch (error) {
    if (error instanceof Refused) return error.reason;
    throw error;
  }
}

class Parser {
  readonly #text: ByteString;
  #at = 0;
  #groups = 0;
  #states = 0;

  constructor(text: ByteString) {
    this.#text = text;
  }

  parse(): RegexSyntax {
    this.#add(1);
    const { node } = this.#disjunction();
    if (this.#at < this.#text.length) throw new Refused("invalid");
    this.#add(2);
    return { root: node, groups: this.#groups };
  }

  #add(states: number): void {
    this.#states += states;
    if (this.#states > STATE_LIMIT) throw new Refused("memory");
  }

  #disjunction(): Piece {
    const first = this.#alternative();
    if (this.#text[this.#at] !== "|") return first;
    const items = [first.node];
    let states = first.states;
    while (this.#text[this.#at] === "|") {
      this.#at++;
      const next = this.#alternative();
      this.#add(2);
      items.push(next.node);
      states += next.states + 2;
    }
    return { node: { kind: "alternatives", items }, states };
  }

  #alternative(): Piece {
    const items: RegexNode[] = [];
    let states = 1;
    for (let term = this.#term(); term !== undefined; term = this.#term()) {
      items.push(term.node);
      states += term.states;
    }
    this.#add(1);
    return { node: items.length === 1 ? items[0]! : { kind: "sequence", items }, states };
  }

  #term(): Piece | undefined {
    const c = this.#text[this.#at];
    if (c === "^" || c === "$") {
      this.#at++;
      this.#add(1);
      // No repetition may follow: the sign of one is then refused as what stands alone.
      return { node: { kind: c === "^" ? "begin" : "end" }, states: 1 };
    }
    let piece = this.#atom();
    if (piece === undefined) return undefined;
    for (let next = this.#repeated(piece); next !== undefined; next = this.#repeated(piece)) piece = next;
    return piece;
  }

  #atom(): Piece | undefined {
    const c = this.#text[this.#at];
    switch (c) {
      case undefined: case ")": case "|": case "*": case "+": case "?": case "{":
        return undefined;
      case "(": {
        this.#at++;
        const index = ++this.#groups;
        this.#add(1);
        const { node, states } = this.#disjunction();
        if (this.#text[this.#at] !== ")") throw new Refused("invalid");
        this.#at++;
        this.#add(1);
        return { node: { kind: "group", index, body: node }, states: states + 2 };
      }
      case "[":
        this.#at++;
        return this.#single(this.#bracket());
      case ".": {
        this.#at++;
        const set = new Uint8Array(256).fill(1);
        set[0] = 0;
        return this.#single(set);
      }
      case "\\": {
        const next = this.#text[this.#at + 1];
        if (next === undefined || !SPECIAL.has(next)) throw new Refused("invalid");
        this.#at += 2;
        return this.#single(setOf(next.charCodeAt(0)));
      }
      case "\0":
        throw new Refused("invalid");
      default:
        this.#at++;
        return this.#single(setOf(c.charCodeAt(0)));
    }
  }

  #single(set: ByteSet): Piece {
    this.#add(1);
    return { node: { kind: "set", set }, states: 1 };
  }

  #repeated({ node, states }: Piece): Piece | undefined {
    switch (this.#text[this.#at]) {
      case "*":
        this.#at++;
        this.#add(1);
        return { node: { kind: "repeat", body: node, min: 0, max: Infinity, plus: false }, states: states + 1 };
      case "+":
        this.#at++;
        this.#add(1);
        return { node: { kind: "repeat", body: node, min: 1, max: Infinity, plus: true }, states: states + 1 };
      case "?":
        this.#at++;
        this.#add(2);
        return { node: { kind: "repeat", body: node, min: 0, max: 1, plus: false }, states: states + 2 };
      case "{":
        this.#at++;
        return this.#bounds(node, states);
      default:
        return undefined;
    }
  }

  #bounds(body: RegexNode, states: number): Piece {
    const min = this.#count();
    if (min === undefined) throw new Refused("invalid");
    this.#add(1);
    let max: number | undefined = min;
    if (this.#text[this.#at] === ",") {
      this.#at++;
      max = this.#count() ?? Infinity;
    }
    if (this.#text[this.#at] !== "}") throw new Refused("invalid");
    this.#at++;
    this.#add(min * states);
    let total = 1 + min * states;
    if (max === Infinity) {
      this.#add(states + 1);
      total += states + 1;
    } else {
      if (max < min) throw new Refused("invalid");
      this.#add(1 + (max - min) * (states + 1));
      total += 1 + (max - min) * (states + 1);
    }
    return { node: { kind: "repeat", body, min, max, plus: false }, states: total };
  }

  #count(): number | undefined {
    const start = this.#at;
    while (this.#at < this.#text.length && isDigit(this.#text[this.#at]!)) this.#at++;
    if (this.#at === start) return undefined;
    const value = Number(this.#text.slice(start, this.#at));
    if (value > MAXIMUM_COUNT) throw new Refused("invalid");
    return value;
  }

  /** After `[`. */
  #bracket(): ByteSet {
    const text = this.#text;
    const set = new Uint8Array(256);
    let negated = false;
    if (text[this.#at] === "^") {
      negated = true;
      this.#at++;
    }
    /** What a range could start with: a byte, nothing, or a class, which it may not. */
    let last: number | "nothing" | "class" = "nothing";
    const push = (byte: number): void => {
      set[byte] = 1;
      last = byte;
    };
    const next = (): string => {
      const c = text[this.#at++];
      if (c === undefined) throw new Refused("invalid");
      return c;
    };
    const name = (kind: string): string => {
      const end = text.indexOf(kind, this.#at);
      if (end < 0 || text[end + 1] !== "]") throw new Refused("invalid");
      const found = text.slice(this.#at, end);
      this.#at = end + 2;
      return found;
    };
    // At the start both a bracket and a dash are ordinary.
    if (text[this.#at] === "]" || text[this.#at] === "-") push(next().charCodeAt(0));
    for (;;) {
      const c = next();
      if (c === "]") break;
      const special = c === "[" ? text[this.#at] : undefined;
      if (c === "[" && special === undefined) throw new Refused("invalid");
      if (special === ":") {
        this.#at++;
        const members = CLASSES.get(name(":").toLowerCase());
        if (members === undefined) throw new Refused("invalid");
        for (let byte = 0; byte < 128; byte++) if (members(byte)) set[byte] = 1;
        last = "class";
      } else if (special === ".") {
        this.#at++;
        push(collatingElement(name(".")));
      } else if (special === "=") {
        this.#at++;
        const byte = collatingElement(name("="));
        set[byte] = 1;
        const letter = String.fromCharCode(byte);
        set[letter.toLowerCase().charCodeAt(0)] = 1;
        set[letter.toUpperCase().charCodeAt(0)] = 1;
        last = "class";
      } else if (c === "-") {
        if (text[this.#at] === "]") {
          push(45);
          continue;
        }
        if (typeof last !== "number") throw new Refused("invalid");
        const end = next();
        if (end === "]" || (end === "[" && (text[this.#at] === undefined || /[:.=]/.test(text[this.#at]!)))) throw new Refused("invalid");
        addRange(set, last, end.charCodeAt(0));
        last = "nothing";
      } else push(c.charCodeAt(0));
    }
    if (negated) for (let byte = 0; byte < 256; byte++) set[byte] = 1 - set[byte]!;
    return set;
  }
}

function setOf(byte: number): ByteSet {
  const set = new Uint8Array(256);
  set[byte] = 1;
  return set;
}

/** The bounds are signed bytes, as C's `char` is. */
function addRange(set: ByteSet, first: number, last: number): void {
  const low = (first << 24) >> 24;
  const high = (last << 24) >> 24;
  if (low > high) throw new Refused("invalid");
  for (let byte = low; byte <= high; byte++) set[byte & 255] = 1;
}

function isDigit(c: string): boolean {
  return c >= "0" && c <= "9";
}

const digit = (byte: number): boolean => byte >= 48 && byte <= 57;
const upper = (byte: number): boolean => byte >= 65 && byte <= 90;
const lower = (byte: number): boolean => byte >= 97 && byte <= 122;
const alnum = (byte: number): boolean => digit(byte) || upper(byte) || lower(byte);
const space = (byte: number): boolean => byte === 32 || (byte >= 9 && byte <= 13);
const graph = (byte: number): boolean => byte > 32 && byte < 127;

const CLASSES: ReadonlyMap<string, (byte: number) => boolean> = new Map([
  ["alnum", alnum],
  ["alpha", (byte) => upper(byte) || lower(byte)],
  ["blank", (byte) => byte === 32 || byte === 9],
  ["cntrl", (byte) => byte < 32 || byte === 127],
  ["d", digit],
  ["digit", digit],
  ["graph", graph],
  ["lower", lower],
  ["print", (byte) => byte === 32 || graph(byte)],
  ["punct", (byte) => graph(byte) && !alnum(byte)],
  ["s", space],
  ["space", space],
  ["upper", upper],
  ["w", (byte) => alnum(byte) || byte === 95],
  ["xdigit", (byte) => digit(byte) || (byte >= 65 && byte <= 70) || (byte >= 97 && byte <= 102)],
]);

/** POSIX's names of the first 128 characters; letters are their own. */
const COLLATING_NAMES = (
  "NUL SOH STX ETX EOT ENQ ACK alert backspace tab newline vertical-tab form-feed carriage-return SO SI DLE DC1 DC2 DC3 DC4 NAK SYN ETB CAN EM SUB ESC " +
  "IS4 IS3 IS2 IS1 space exclamation-mark quotation-mark number-sign dollar-sign percent-sign ampersand apostrophe left-parenthesis right-parenthesis asterisk " +
  "plus-sign comma hyphen period slash zero one two three four five six seven eight nine colon semicolon less-than-sign equals-sign greater-than-sign " +
  "question-mark commercial-at A B C D E F G H I J K L M N O P Q R S T U V W X Y Z left-square-bracket backslash right-square-bracket circumflex underscore " +
  "grave-accent a b c d e f g h i j k l m n o p q r s t u v w x y z left-curly-bracket vertical-line right-curly-bracket tilde DEL"
).split(" ");

function collatingElement(name: ByteString): number {
  const byte = COLLATING_NAMES.indexOf(name);
  if (byte < 0) throw new Refused("invalid");
  return byte;
}
