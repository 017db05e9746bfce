import { byteStringToBytes, decodeUtf8, toByteString, type ByteString } from "../util/bytes.ts";
import { contextOf, NO_POSITION, showType, type Evaluator } from "./evaluator.ts";
import { toInteger } from "./integer.ts";
import { Attrs, Closure, DONE, NixFloat, NixPath, NixString, Thunk, type Slot, type Value } from "./value.ts";

/** `copy`: paths are copied into the store, as `toJSON` does. */
export function toJson(e: Evaluator, slot: Slot, context: Set<ByteString>, copy: boolean): ByteString {
  return e.nested(NO_POSITION, () => convert(e, slot, context, copy));
}

/** @throws NixError where something inside is not evaluated: what `--json` without `--strict` says */
export function requireEvaluated(e: Evaluator, slot: Slot, place = NO_POSITION): void {
  if (slot instanceof Thunk && slot.code !== DONE) throw e.error("type", "cannot convert a thunk to JSON", place);
  const value = slot instanceof Thunk ? (slot.x as Value) : slot;
  if (Array.isArray(value)) {
    value.forEach((element, index) => {
      try {
        requireEvaluated(e, element);
      } catch (error) {
        throw e.trace(error, `while evaluating list element at index ${index}`);
      }
    });
  } else if (value instanceof Attrs && value.get("__toString") === undefined && value.get("outPath") === undefined) {
    value.values.forEach((inner, index) => {
      const at = e.placeOf(value.places, index);
      try {
        requireEvaluated(e, inner, at);
      } catch (error) {
        throw e.trace(error, `while evaluating attribute '${value.shape.names[index]!}'`, at);
      }
    });
  }
}

function convert(e: Evaluator, slot: Slot, context: Set<ByteString>, copy: boolean): ByteString {
  const value = e.force(slot);
  if (value === null) return "null";
  if (typeof value === "boolean" || typeof value === "number" || typeof value === "bigint") return String(value);
  if (typeof value === "string") return jsonString(e, value);
  if (value instanceof NixString) {
    for (const element of contextOf(value)) context.add(element);
    return jsonString(e, value.text);
  }
  if (value instanceof NixFloat) return jsonFloat(value.value);
  if (value instanceof NixPath) return jsonString(e, copy ? e.coerceToString(value, NO_POSITION, context, "", false, true) : value.path);
  if (Array.isArray(value)) {
    return `[${value.map((element, index) => {
      try {
        return toJson(e, element, context, copy);
      } catch (error) {
        throw e.trace(error, `while evaluating list element at index ${index}`);
      }
    }).join(",")}]`;
  }
  if (value instanceof Attrs) {
    const toString = value.get("__toString");
    if (toString !== undefined) return jsonString(e, e.coerceToString(value, NO_POSITION, context, "", false, copy));
    const outPath = value.get("outPath");
    if (outPath !== undefined) return toJson(e, outPath, context, copy);
    return `{${value.shape.names.map((name, index) => {
      try {
        return `${jsonString(e, name)}:${toJson(e, value.values[index]!, context, copy)}`;
      } catch (error) {
        throw e.trace(error, `while evaluating attribute '${name}'`, e.placeOf(value.places, index));
      }
    }).join(",")}}`;
  }
  throw e.error("type", `cannot convert ${showType(value)} to JSON`, value instanceof Closure ? e.lambdaInfo(value).place : NO_POSITION);
}

function jsonString(e: Evaluator, text: ByteString): ByteString {
  if (/^[\x20\x21\x23-\x5b\x5d-\x7e]*$/.test(text)) return `"${text}"`;
  let unicode: string;
  try {
    unicode = decodeUtf8(byteStringToBytes(text));
  } catch {
    throw e.error("eval", "JSON serialization error: invalid UTF-8 byte");
  }
  // JSON.stringify leaves DEL alone, as the reference does.
  return toByteString(JSON.stringify(unicode));
}

/** The shortest form that reads back, always recognisable as no integer. */
function jsonFloat(value: number): string {
  if (!Number.isFinite(value)) return "null";
  if (value === 0) return Object.is(value, -0) ? "-0.0" : "0.0";
  const [mantissa, exponentText] = value.toExponential().split("e") as [string, string];
  const exponent = Number(exponentText);
  const digits = mantissa.replace(/[-.]/g, "");
  const sign = value < 0 ? "-" : "";
  if (exponent >= 15 || exponent < -4) {
    const shown = digits.length === 1 ? digits : `${digits[0]!}.${digits.slice(1)}`;
    return `${sign}${shown}e${exponent < 0 ? "-" : "+"}${String(Math.abs(exponent)).padStart(2, "0")}`;
  }
  if (exponent < 0) return `${sign}0.${"0".repeat(-exponent - 1)}${digits}`;
  if (digits.length <= exponent + 1) return `${sign}${digits}${"0".repeat(exponent + 1 - digits.length)}.0`;
  return `${sign}${digits.slice(0, exponent + 1)}.${digits.slice(exponent + 1)}`;
}

/** @throws NixError with the byte where it is no JSON. */
export function fromJson(e: Evaluator, text: ByteString): Value {
  let at = 0;
  const fail = (): never => {
    throw e.error("eval", `[json.exception.parse_error.101] parse error at line ${text.slice(0, at).split("\n").length}, column ${at - text.lastIndexOf("\n", at - 1) + 0}: syntax error while parsing value`);
  };
  const space = (): void => {
    while (at < text.length && /[ \t\r\n]/.test(text[at]!)) at++;
  };
  const string = (): ByteString => {
    const start = at++;
    for (; text[at] !== '"'; at++) {
      if (at >= text.length || text.charCodeAt(at) < 32) fail();
      if (text[at] === "\\") at++;
    }
    at++;
    const raw = text.slice(start + 1, at - 1);
    if (!raw.includes("\\")) return raw;
    try {
      // Escapes are ASCII and what they stand for is Unicode; the other bytes stay as they are.
      return raw.replace(/(?:\\u[0-9a-fA-F]{4})+|\\[^u]/g, (escape) => toByteString(JSON.parse(`"${escape}"`) as string));
    } catch {
      return fail();
    }
  };
  const value = (): Value => {
    space();
    const c = text[at];
    if (c === "{") {
      at++;
      const entries = new Map<ByteString, Value>();
      space();
      if (text[at] === "}") at++;
      else {
        for (;;) {
          space();
          if (text[at] !== '"') fail();
          const key = string();
          space();
          if (text[at++] !== ":") fail();
          entries.set(key, value());
          space();
          const next = text[at++];
          if (next === "}") break;
          if (next !== ",") fail();
        }
      }
      return e.makeSet(entries);
    }
    if (c === "[") {
      at++;
      const list: Value[] = [];
      space();
      if (text[at] === "]") at++;
      else {
        for (;;) {
          list.push(value());
          space();
          const next = text[at++];
          if (next === "]") break;
          if (next !== ",") fail();
        }
      }
      return list;
    }
    if (c === '"') {
      const result = string();
      if (result.includes("\0")) throw e.error("eval", `input string '${result.replaceAll("\0", toByteString("␀"))}' cannot be represented as Nix string because it contains null bytes`);
      return result;
    }
    const number = /-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/y;
    number.lastIndex = at;
    const match = number.exec(text);
    if (match !== null) {
      at = number.lastIndex;
      if (match[1] !== undefined || match[2] !== undefined) return new NixFloat(Number(match[0]));
      const integer = BigInt(match[0]);
      const fitting = toInteger(integer);
      if (fitting !== undefined) return fitting;
      if (integer > 0n && integer < 2n ** 64n) throw e.error("eval", `unsigned json number ${match[0]} outside of Nix integer range`);
      return new NixFloat(Number(match[0]));
    }
    for (const [word, result] of [["true", true], ["false", false], ["null", null]] as const) {
      if (text.startsWith(word, at)) {
        at += word.length;
        return result;
      }
    }
    return fail();
  };
  const result = value();
  space();
  if (at < text.length) fail();
  return result;
}
