import { toByteString, type ByteString } from "../util/bytes.ts";
import type { Evaluator } from "./evaluator.ts";
import { toInteger } from "./integer.ts";
import { formatTomlTime } from "./toml-time.ts";
import { describeTomlMistake, FLOAT_HINTS, INTEGER_HINTS, type TomlSpot } from "./toml-mistake.ts";
import { Attrs, NixFloat, type Value } from "./value.ts";

/** A table while it is being read; `closed` ones (inline, or defined by their own header) may not be added to. */
type Table = { readonly kind: "table"; readonly entries: Map<ByteString, Item>; closed: boolean; defined: boolean; ofHeader: boolean; region: Region };
type TableList = { readonly kind: "tables"; readonly tables: Table[]; readonly region: Region };
type Item = Table | TableList | { readonly kind: "value"; readonly value: Value; readonly region: Region };
/** What of the text has made something. */
type Region = readonly [start: number, end: number];

/** @throws NixError where the text is no TOML 1.0, or holds a date or time and the feature that has sets for them is not on */
export function fromToml(e: Evaluator, text: ByteString): Value {
  let at = 0;
  const root = newTable([0, 0]);
  let current = root;
  let unsupported = false;
  const fail = (message: string): never => {
    throw e.error("eval", `while parsing TOML: line ${text.slice(0, at).split("\n").length}: ${message}`);
  };
  /** In the words of the reference's library, with the lines it is about. */
  const mistake = (message: ByteString, spots: readonly TomlSpot[], hints?: readonly ByteString[]): never => {
    throw e.error("eval", describeTomlMistake(text, message, spots, hints));
  };
  const mistakeAt = (start: number, message: ByteString, note: ByteString, hints?: readonly ByteString[]): never => mistake(message, [{ start, note }], hints);
  const clash = (message: ByteString, inserted: Region, noteOfInserted: ByteString, present: Region, noteOfPresent: ByteString): never =>
    mistake(`toml::insert_value:${message}`, [{ start: inserted[0], end: inserted[1], note: noteOfInserted }, { start: present[0], end: present[1], note: noteOfPresent }]);
  const badString = (start: number, quote: string): never =>
    mistakeAt(start, `toml::parse_${quote === '"' ? "basic" : "literal"}_string: invalid string format`, `expected ${quote}`);
  const blank = (): void => {
    while (text[at] === " " || text[at] === "\t") at++;
  };
  const comment = (): void => {
    if (text[at] === "#") {
      for (; at < text.length && text[at] !== "\n" && !text.startsWith("\r\n", at); at++) if (isControl(text[at]!)) fail("a control character in a comment");
    }
  };
  const lines = (): void => {
    for (;;) {
      blank();
      comment();
      if (text[at] === "\n") at++;
      else if (text[at] === "\r" && text[at + 1] === "\n") at += 2;
      else return;
    }
  };
  const escape = (): ByteString => {
    const c = text[at++];
    switch (c) {
      case "b": return "\b";
      case "t": return "\t";
      case "n": return "\n";
      case "f": return "\f";
      case "r": return "\r";
      case '"': return '"';
      case "\\": return "\\";
      case "u": case "U": {
        const size = c === "u" ? 4 : 8;
        const digits = text.slice(at, at + size);
        if (!new RegExp(`^[0-9a-fA-F]{${size}}$`).test(digits)) fail("a bad escape");
        at += size;
        const point = parseInt(digits, 16);
        if (point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) fail("an escape that is no character");
        return toByteString(String.fromCodePoint(point));
      }
      default: return fail("a bad escape");
    }
  };
  const string = (): ByteString => {
    const quote = text[at]!;
    const long = quote.repeat(3);
    let out = "";
    if (text.startsWith(long, at)) {
      at += 3;
      if (text[at] === "\n") at++;
      else if (text.startsWith("\r\n", at)) at += 2;
      for (;;) {
        if (at >= text.length) fail("a string without end");
        if (text.startsWith(long, at)) {
          at += 3;
          // Up to two quotes may stand before the closing ones.
          for (let i = 0; i < 2 && text[at] === quote; i++, at++) out += quote;
          return out;
        }
        const c = text[at++]!;
        if (c === "\\" && quote === '"') {
          const line = /[ \t]*\r?\n[ \t\r\n]*/y;
          line.lastIndex = at;
          if (line.test(text)) at = line.lastIndex;
          else out += escape();
        } else {
          if (isControl(c) && c !== "\n" && !(c === "\r" && text[at] === "\n")) fail("a control character in a string");
          out += c;
        }
      }
    }
    at++;
    for (;;) {
      const start = at;
      const c = text[at++];
      if (c === quote) return out;
      if (c === undefined || isControl(c) || (c === "\\" && quote === '"' && !ESCAPED.test(text.slice(at, at + 9)))) return badString(start, quote);
      out += c === "\\" && quote === '"' ? escape() : c;
    }
  };
  const whole = (found: ByteString): ByteString => {
    if (found.includes("\0")) throw e.error("eval", `while parsing TOML: error: input string '${found.replaceAll("\0", toByteString("␀"))}' cannot be represented as Nix string because it contains null bytes`);
    return found;
  };
  /** `ofHeader`: with what ends it, for messages. */
  const key = (ofHeader?: { readonly message: ByteString; readonly end: ByteString }): ByteString[] => {
    const path: ByteString[] = [];
    for (let dot = -1; ; dot = at++) {
      blank();
      if (text[at] === '"' || text[at] === "'") path.push(whole(string()));
      else {
        const bare = /[A-Za-z0-9_-]+/y;
        bare.lastIndex = at;
        const match = bare.exec(text);
        if (match === null) {
          if (ofHeader === undefined) mistakeAt(at, "toml::parse_simple_key: invalid key: key must be \"quoted\", 'quoted-literal', or bare key.", "expected alpha [a-zA-Z], digit [0-9], -, or _", ["non-ASCII scripts are allowed in toml v1.1.0, but not in v1.0.0."]);
          else if (dot < 0) mistakeAt(at, ofHeader.message, "expected basic key([a-zA-Z0-9_-]) or quoted key(\" or ')");
          else mistakeAt(dot, ofHeader.message, `expected ${ofHeader.end}`);
        }
        path.push(match![0]);
        at = bare.lastIndex;
      }
      blank();
      if (text[at] !== ".") return path;
    }
  };
  const value = (): Value => {
    const c = text[at];
    if (c === '"' || c === "'") return whole(string());
    if (c === "[") {
      at++;
      const list: Value[] = [];
      for (;;) {
        lines();
        if (text[at] === "]") break;
        list.push(value());
        lines();
        if (text[at] === ",") at++;
        else if (text[at] !== "]") {
          if (at >= text.length) fail("an array without end");
          mistakeAt(at, "toml::parse_array: expected value-separator `,` or closing `]`", "here");
        }
      }
      at++;
      return list;
    }
    if (c === "{") {
      at++;
      const table = newTable([at, at]);
      blank();
      while (text[at] !== "}") {
        pair(table);
        blank();
        if (text[at] === ",") {
          at++;
          blank();
          if (text[at] === "}") mistakeAt(at, "toml::parse_inline_table: trailing comma is not allowed in TOML-v1.0.0)", "here");
        } else if (text[at] !== "}") mistakeAt(at, "toml::parse_inline_table: expected value-separator `,` or closing `}`", "here");
      }
      at++;
      return finish(table);
    }
    return plainValue();
  };
  /** Of what no quote or bracket begins: as much as it takes; who asked for it sees what stands behind. */
  const plainValue = (): Value => {
    const start = at;
    const unknown = (): never => mistakeAt(start, "bad format: unknown value appeared", "here");
    const take = (pattern: RegExp): ByteString | undefined => {
      pattern.lastIndex = at;
      const match = pattern.exec(text);
      if (match !== null) at = pattern.lastIndex;
      return match?.[0];
    };
    const time = take(/(?:[0-9]{4}-[0-9]{2}-|[0-9]{2}:[0-9]{2})[0-9:.+Zz-]*(?:[Tt][0-9:.+Zz-]+|(?<=[0-9]{4}-[0-9]{2}-[0-9]{2}) [0-9]{2}:[0-9:.+Zz-]+)?/y);
    if (time !== undefined) {
      const value = formatTomlTime(time);
      if (value === undefined) return badTime(start, time);
      // Told when all is read, as there: what is no TOML is told first.
      if (e.settings.tomlTimestamps !== true) unsupported = true;
      return e.makeSet([["_type", "timestamp"], ["value", value]]);
    }
    const word = take(/true|false|[+-]?(?:inf|nan)/y);
    if (word === "true" || word === "false") return word === "true";
    if (word !== undefined) return new NixFloat(word.endsWith("nan") ? (word.startsWith("-") ? NEGATIVE_NAN : NaN) : word.startsWith("-") ? -Infinity : Infinity);
    const based = take(/0[xob]/y);
    if (based !== undefined) {
      const [name, digits, example, expected] = BASES[based]!;
      const number = take(digits);
      if (number === undefined) return mistakeAt(at, `toml::parse_${name}_integer: invalid integer: ${name}_int must be like: ${example}`, `expected ${expected}`);
      if (text[at] === "_") badNumber(at, "bad integer: `_` must be surrounded by digits", "invalid underscore");
      return toInteger(BigInt(based + number.replaceAll("_", ""))) ?? mistakeAt(at, `toml::parse_${name}_integer: too large integer: current max value = 2^63`, "must be < 2^63");
    }
    const integer = take(/[+-]?(?:0|[1-9](?:_?[0-9])*)/y);
    if (integer === undefined) {
      const c = text[start] ?? "";
      if (c === ".") return mistakeAt(start, "bad float: integer part is required before decimal point", "missing integer part", FLOAT_HINTS);
      if (c === "_") return badNumber(start, "bad number: `_` must be surrounded by digits", "digits required before `_`");
      if (c === "t" || c === "f") return mistakeAt(start, 'toml::parse_boolean: invalid boolean: boolean must be `true` or `false`, in lowercase. string must be surrounded by `"`', "expected true or false");
      const meant = ({ T: "true", F: "false", i: "inf", I: "inf", n: "nan", N: "nan" } as const)[c];
      if (meant === undefined) return unknown();
      return mistakeAt(start, `toml::parse_value: \`${meant}\` must be in lowercase. A string must be surrounded by quotes.`, meant === "true" || meant === "false" ? "expected true or false" : "expected from `1` to `9` or digit [0-9] or inf or nan");
    }
    const fraction = take(/(?:\.[0-9](?:_?[0-9])*)?(?:[eE][+-]?[0-9](?:_?[0-9])*)?/y)!;
    if (fraction === "" && /[0-9]/.test(text[at] ?? "")) badNumber(at, "bad integer: invalid digit after an integer", "this digit is not allowed");
    if (fraction === "" && text[at] === "_") {
      if (/^[+-]?0$/.test(integer)) badNumber(at, "bad integer: leading zero is not allowed in decimal int", "leading zero");
      badNumber(at, "bad integer: `_` must be surrounded by digits", "invalid underscore");
    }
    if (fraction === "" && /[.eE]/.test(text[at] ?? "")) mistakeAt(at, "bad float: invalid format", "here", FLOAT_HINTS);
    if (fraction === "") {
      const digits = integer.replace(/[+_]/g, "");
      return toInteger(digits.startsWith("-") ? -BigInt(digits.slice(1)) : BigInt(digits)) ?? mistakeAt(at, "toml::parse_dec_integer: too large integer: current max digits = 2^63", "must be < 2^63");
    }
    const float = Number((integer + fraction).replaceAll("_", ""));
    if (!Number.isFinite(float)) mistakeAt(at, "toml::parse_floating: failed to read floating point value from stream", "here");
    return new NixFloat(float);
  };
  const badNumber = (start: number, message: ByteString, note: ByteString): never => mistakeAt(start, message, note, INTEGER_HINTS);
  const badTime = (start: number, token: ByteString): never => {
    const date = /^[0-9]{4}-[0-9]{2}-[0-9]{2}/.exec(token)?.[0];
    if (date !== undefined && formatTomlTime(date) === undefined) mistakeAt(start, "toml::parse_local_date: invalid date.", "month must be 01-12, day must be any of 01-28,29,30,31 depending on the month/year.");
    const clock = /[0-9]{2}:[0-9]{2}:[0-9]{2}/.exec(token);
    if (clock !== null && formatTomlTime(clock[0]) === undefined) mistakeAt(start + clock.index, "toml::parse_local_time: invalid time.", "hour must be 00-23, minute must be 00-59.");
    return mistakeAt(start, "bad format: unknown value appeared", "here");
  };
  /** `region`: of the key or header that leads there. */
  const descend = (from: Table, path: readonly ByteString[], mark: boolean, region: Region): Table => {
    let table = from;
    for (const name of path) {
      const item = table.entries.get(name);
      if (item === undefined) {
        const next = newTable(region);
        next.defined = mark;
        next.ofHeader = !mark;
        table.entries.set(name, next);
        table = next;
      } else if (item.kind === "table" && item.ofHeader && mark) clash(" reopening a table using dotted keys", region, "dotted key cannot reopen a table", item.region, "this table is already closed");
      else if (item.kind === "table" && !item.closed) table = item;
      else if (item.kind === "tables" && mark) clash("dotted key cannot reopen an array-of-tables", region, "inserting this", item.region, "to this array-of-tables.");
      else if (item.kind === "tables") table = item.tables.at(-1)!;
      else if (item.kind === "table" || item.value instanceof Attrs) clash(" failed to insert a value: inline table is immutable", region, "inserting this", item.region, "to this table");
      else clash(" failed to insert a value, value already exists", region, "while inserting this", item.region, "non-table value already exists");
    }
    return table;
  };
  const assign = (into: Table, keyStart: number, path: ByteString[], keyEnd: number): void => {
    if (text[at] !== "=") mistakeAt(at, "toml::parse_key_value_pair: invalid key value separator `=`", "expected =");
    at++;
    blank();
    const start = at;
    const found = value();
    const region: Region = [keyStart, keyEnd];
    const end = at;
    const table = descend(into, path.slice(0, -1), true, region);
    const name = path.at(-1)!;
    const present = table.entries.get(name);
    if (present !== undefined) clash(" failed to insert a value, value already exists", region, "inserting this", present.region, "but value already exists");
    table.entries.set(name, { kind: "value", value: found, region: [start, end] });
    blank();
  };
  /** Reads a key and its value into a table. */
  const pair = (into: Table): void => {
    const start = at;
    const path = key();
    // Without what separates it from the sign.
    assign(into, start, path, start + text.slice(start, at).trimEnd().length);
  };
  const finish = (table: Table): Value =>
    e.makeSet([...table.entries].map(([name, item]): [ByteString, Value] => [name, item.kind === "value" ? item.value : item.kind === "table" ? finish(item) : item.tables.map(finish)]));

  for (;;) {
    lines();
    if (at >= text.length) break;
    let isHeader = true;
    if (text[at] === "[") {
      const start = at;
      const isList = text[at + 1] === "[";
      at += isList ? 2 : 1;
      const words = isList ? { message: "toml::parse_file: invalid array-table key", end: "]]" } : { message: "toml::parse_file: invalid table key", end: "]" };
      const path = key(words);
      if (!text.startsWith(words.end, at)) mistakeAt(at, words.message, `expected ${words.end}`);
      at += words.end.length;
      const region: Region = [start, at];
      const parent = descend(root, path.slice(0, -1), false, region);
      const name = path.at(-1)!;
      const item = parent.entries.get(name);
      if (isList) {
        current = newTable(region);
        if (item === undefined) parent.entries.set(name, { kind: "tables", tables: [current], region });
        else if (item.kind === "tables") item.tables.push(current);
        else if (item.kind === "value" && Array.isArray(item.value) && item.value.length > 0 && item.value.every((one) => one instanceof Attrs)) clash(" failed to insert a table, inline array of tables is immutable", region, "while inserting this", item.region, "this is inline array-of-tables");
        else clash(" failed to insert an array of tables, value already exists", region, "while inserting this", item.region, "non-table value already exists");
      } else if (item === undefined) {
        current = newTable(region);
        current.defined = true;
        current.ofHeader = true;
        parent.entries.set(name, current);
      } else if (item.kind === "table" && !item.defined && !item.closed) {
        current = item;
        current.defined = true;
        current.region = region;
      } else clash(" failed to insert a table, table already defined", region, "inserting this", item.region, "this table is explicitly defined");
    } else {
      pair(current);
      isHeader = false;
      // The reference lets a header follow on the same line.
      if (text[at] === "[") continue;
    }
    blank();
    comment();
    if (at >= text.length || text[at] === "\n" || text[at] === "\r") continue;
    if (isHeader) mistakeAt(at, "toml::parse_file: newline (or EOF) expected", "expected 0x0a(LINE FEED) or \r\n");
    else mistakeAt(at, "toml::parse_table: newline (LF / CRLF) or EOF is expected", "here");
  }
  if (unsupported) throw e.error("eval", "while parsing TOML: Dates and times are not supported");
  return finish(root);
}

function isControl(c: string): boolean {
  return (c < " " && c !== "\t") || c === "\x7f";
}

/** C prints its sign. */
const NEGATIVE_NAN = new Float64Array(new BigUint64Array([0xfff8000000000000n]).buffer)[0]!;

/** What may follow a backslash. */
const ESCAPED = /^(?:[btnfr"\\]|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8})/;

const BASES: Readonly<Record<string, readonly [name: string, digits: RegExp, example: string, expected: string]>> = {
  "0x": ["hex", /[0-9a-fA-F](?:_?[0-9a-fA-F])*/y, "0xC0FFEE, 0xdead_beef", "hex [0-9a-fA-F]"],
  "0o": ["oct", /[0-7](?:_?[0-7])*/y, "0o775, 0o04_44", "from `0` to `7`"],
  "0b": ["bin", /[01](?:_?[01])*/y, "0b0101, 0b1111_0000", "0 or 1"],
};

function newTable(region: Region): Table {
  return { kind: "table", entries: new Map(), closed: false, defined: false, ofHeader: false, region };
}
