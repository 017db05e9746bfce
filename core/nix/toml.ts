import { toByteString, type ByteString } from "../util/bytes.ts";
import type { Evaluator } from "./evaluator.ts";
import { toInteger } from "./integer.ts";
import { formatTomlTime } from "./toml-time.ts";
import { NixFloat, type Value } from "./value.ts";

/** A table while it is being read; `closed` ones (inline, or defined by their own header) may not be added to. */
type Table = { readonly kind: "table"; readonly entries: Map<ByteString, Item>; closed: boolean; defined: boolean; ofHeader: boolean };
type TableList = { readonly kind: "tables"; readonly tables: Table[] };
type Item = Table | TableList | { readonly kind: "value"; readonly value: Value };

/** @throws NixError where the text is no TOML 1.0, or holds a date or time and the feature that has sets for them is not on */
export function fromToml(e: Evaluator, text: ByteString): Value {
  let at = 0;
  const root = newTable();
  let current = root;
  let unsupported = false;
  const fail = (message: string): never => {
    throw e.error("eval", `while parsing TOML: line ${text.slice(0, at).split("\n").length}: ${message}`);
  };
  /** In the words of the reference's library, with the line of what was just read. */
  const failAt = (message: string, note: string): never => {
    const start = text.lastIndexOf("\n", at - 1) + 1;
    const line = /[^\r\n]*/y;
    line.lastIndex = start;
    const number = String(text.slice(0, at).split("\n").length);
    const margin = " ".repeat(number.length);
    // Its last line is empty and coloured, which keeps the spaces before it.
    throw e.error("eval", `while parsing TOML: [error] ${message}\n${margin}--> fromTOML\n ${margin} |\n ${number} | ${line.exec(text)![0].replace(/[\x80-\xff]/g, (c) => `0x${c.charCodeAt(0).toString(16)}`)}\n ${margin} | ${" ".repeat(at - start)}^-- ${note}\n\x1b[0m`);
  };
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
      const c = text[at++];
      if (c === undefined || c === "\n") return fail("a string without end");
      if (c === quote) return out;
      if (isControl(c)) fail("a control character in a string");
      out += c === "\\" && quote === '"' ? escape() : c;
    }
  };
  const whole = (found: ByteString): ByteString => {
    if (found.includes("\0")) throw e.error("eval", `while parsing TOML: error: input string '${found.replaceAll("\0", toByteString("␀"))}' cannot be represented as Nix string because it contains null bytes`);
    return found;
  };
  const key = (): ByteString[] => {
    const path: ByteString[] = [];
    for (;;) {
      blank();
      if (text[at] === '"' || text[at] === "'") path.push(whole(string()));
      else {
        const bare = /[A-Za-z0-9_-]+/y;
        bare.lastIndex = at;
        const match = bare.exec(text);
        if (match === null) fail("expected a key");
        path.push(match![0]);
        at = bare.lastIndex;
      }
      blank();
      if (text[at] !== ".") return path;
      at++;
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
        else if (text[at] !== "]") fail("expected ',' or ']'");
      }
      at++;
      return list;
    }
    if (c === "{") {
      at++;
      const table = newTable();
      blank();
      while (text[at] !== "}") {
        assign(table, key());
        blank();
        if (text[at] === ",") {
          at++;
          blank();
          if (text[at] === "}") fail("a comma before '}'");
        } else if (text[at] !== "}") fail("expected ',' or '}'");
      }
      at++;
      return finish(table);
    }
    const word = /[^\s,[\]}#=]+(?:(?<=[0-9]{4}-[0-9]{2}-[0-9]{2}) [0-9]{2}:[0-9:.+Zz-]+)?/y;
    word.lastIndex = at;
    const match = word.exec(text);
    if (match === null) return fail("expected a value");
    const token = match[0];
    at = word.lastIndex;
    if (token === "true") return true;
    if (token === "false") return false;
    if (/^[0-9]{4}-[0-9]{2}-|^[0-9]{2}:[0-9]{2}/.test(token)) {
      const time = formatTomlTime(token);
      if (time === undefined) return fail(`'${token}' is no date and no time`);
      // Told when all is read, as there: what is no TOML is told first.
      if (e.settings.tomlTimestamps !== true) unsupported = true;
      return e.makeSet([["_type", "timestamp"], ["value", time]]);
    }
    if (/^[+-]?(inf|nan)$/.test(token)) return new NixFloat(token.endsWith("nan") ? (token.startsWith("-") ? NEGATIVE_NAN : NaN) : token.startsWith("-") ? -Infinity : Infinity);
    const plain = token.replace(/(?<=[0-9a-fA-F])_(?=[0-9a-fA-F])/g, "");
    if (/^[+-]?(0|[1-9][0-9]*)$/.test(plain) || /^0(x[0-9a-fA-F]+|o[0-7]+|b[01]+)$/.test(plain)) {
      const integer = toInteger(plain.startsWith("-") ? -BigInt(plain.slice(1)) : BigInt(plain.replace(/^\+/, "")));
      if (integer !== undefined) return integer;
      const base = /^0[xob]/.exec(plain)?.[0];
      const name = base === "0x" ? "hex" : base === "0o" ? "oct" : base === "0b" ? "bin" : "dec";
      return failAt(`toml::parse_${name}_integer: too large integer: current max ${base === undefined ? "digits" : "value"} = 2^63`, "must be < 2^63");
    }
    if (/^[+-]?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$/.test(plain)) {
      const float = Number(plain);
      if (!Number.isFinite(float)) failAt("toml::parse_floating: failed to read floating point value from stream", "here");
      return new NixFloat(float);
    }
    return fail(`'${token}' is no value`);
  };
  const descend = (from: Table, path: readonly ByteString[], mark: boolean): Table => {
    let table = from;
    for (const name of path) {
      const item = table.entries.get(name);
      if (item === undefined) {
        const next = newTable();
        next.defined = mark;
        next.ofHeader = !mark;
        table.entries.set(name, next);
        table = next;
      } else if (item.kind === "table" && item.ofHeader && mark) fail(`'${name}' is a table already, and dotted keys may not add to it`);
      else if (item.kind === "table" && !item.closed) table = item;
      else if (item.kind === "tables" && mark) fail(`'${name}' is a list of tables, and dotted keys may not add to it`);
      else if (item.kind === "tables") table = item.tables.at(-1)!;
      else fail(`'${name}' is already defined`);
    }
    return table;
  };
  const assign = (into: Table, path: ByteString[]): void => {
    if (text[at] !== "=") fail("expected '='");
    at++;
    blank();
    const table = descend(into, path.slice(0, -1), true);
    const name = path.at(-1)!;
    if (table.entries.has(name)) fail(`'${name}' is already defined`);
    table.entries.set(name, { kind: "value", value: value() });
    blank();
  };
  const finish = (table: Table): Value =>
    e.makeSet([...table.entries].map(([name, item]): [ByteString, Value] => [name, item.kind === "value" ? item.value : item.kind === "table" ? finish(item) : item.tables.map(finish)]));

  for (;;) {
    lines();
    if (at >= text.length) break;
    if (text[at] === "[") {
      const isList = text[at + 1] === "[";
      at += isList ? 2 : 1;
      const path = key();
      if (!text.startsWith(isList ? "]]" : "]", at)) fail("expected ']'");
      at += isList ? 2 : 1;
      const parent = descend(root, path.slice(0, -1), false);
      const name = path.at(-1)!;
      const item = parent.entries.get(name);
      if (isList) {
        current = newTable();
        if (item === undefined) parent.entries.set(name, { kind: "tables", tables: [current] });
        else if (item.kind === "tables") item.tables.push(current);
        else fail(`'${name}' is already defined`);
      } else if (item === undefined) {
        current = newTable();
        current.defined = true;
        current.ofHeader = true;
        parent.entries.set(name, current);
      } else if (item.kind === "table" && !item.defined && !item.closed) {
        current = item;
        current.defined = true;
      } else fail(`'${name}' is already defined`);
    } else {
      assign(current, key());
      blank();
      // The reference lets a header follow on the same line.
      if (text[at] === "[") continue;
    }
    blank();
    comment();
    if (at < text.length && text[at] !== "\n" && text[at] !== "\r") fail("expected the end of the line");
  }
  if (unsupported) throw e.error("eval", "while parsing TOML: Dates and times are not supported");
  return finish(root);
}

function isControl(c: string): boolean {
  return (c < " " && c !== "\t") || c === "\x7f";
}

/** C prints its sign. */
const NEGATIVE_NAN = new Float64Array(new BigUint64Array([0xfff8000000000000n]).buffer)[0]!;

function newTable(): Table {
  return { kind: "table", entries: new Map(), closed: false, defined: false, ofHeader: false };
}
