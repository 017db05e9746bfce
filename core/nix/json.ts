import type { ByteString } from "../util/bytes.ts";
import { formatIdentifier } from "./format-literal.ts";
import type { Evaluator } from "./evaluator.ts";
import { grisuDigits } from "./grisu.ts";
import { utf8Ranges } from "./parse-json.ts";
import { showType } from "./type-name.ts";
import { Attrs, Closure, contextOf, DONE, NixFloat, NixPath, NixString, NO_POSITION, Thunk, type NixList, type Slot, type Value } from "./value.ts";

/** `copy`: paths are copied into the store, as `toJSON` does. */
export function toJson(e: Evaluator, slot: Slot, context: Set<ByteString>, copy: boolean): ByteString {
  const writer: Writer = { context, copy, invalid: undefined };
  const text = write(e, slot, writer, NO_POSITION);
  // Written when all is evaluated: what cannot be evaluated is told first.
  if (writer.invalid !== undefined) throw e.error("eval", `JSON serialization error: ${writer.invalid}`);
  return text;
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
        throw e.trace(error, `while evaluating attribute '${formatIdentifier(value.shape.names[index]!)}'`, at);
      }
    });
  }
}

type Writer = { readonly context: Set<ByteString>; readonly copy: boolean; invalid: string | undefined };

/** `place`: of the attribute that holds it, also through lists. */
function write(e: Evaluator, slot: Slot, writer: Writer, place: number): ByteString {
  return e.nested(place, () => convert(e, slot, writer, place));
}

function convert(e: Evaluator, slot: Slot, writer: Writer, place: number): ByteString {
  const { context, copy } = writer;
  const value = e.force(slot, place);
  if (value === null) return "null";
  if (typeof value === "boolean" || typeof value === "number" || typeof value === "bigint") return String(value);
  if (typeof value === "string") return jsonString(writer, value);
  if (value instanceof NixString) {
    for (const element of contextOf(value)) context.add(element);
    return jsonString(writer, value.text);
  }
  if (value instanceof NixFloat) return jsonFloat(value.value);
  if (value instanceof NixPath) return jsonString(writer, copy ? e.coerceToString(value, NO_POSITION, context, "", false, true) : value.path);
  if (Array.isArray(value)) {
    return convertList(e, value, writer, place);
  }
  if (value instanceof Attrs) {
    const toString = value.get("__toString");
    if (toString !== undefined) return jsonString(writer, e.coerceToString(value, place, context, "", false, copy));
    const outPath = value.get("outPath");
    if (outPath !== undefined) return write(e, outPath, writer, e.placeOf(value.places, value.shape.slotOf("outPath")));
    return convertSet(e, value, writer);
  }
  throw e.error("type", `cannot convert ${showType(value)} to JSON`, value instanceof Closure ? e.lambdaInfo(value).place : place);
}

function convertList(e: Evaluator, list: NixList, writer: Writer, place: number): ByteString {
  let text = "[";
  for (let index = 0; index < list.length; index++) {
    try {
      text += (index === 0 ? "" : ",") + write(e, list[index]!, writer, place);
    } catch (error) {
      throw e.trace(error, `while evaluating list element at index ${index}`, place);
    }
  }
  return `${text}]`;
}

function convertSet(e: Evaluator, { shape, values, places }: Attrs, writer: Writer): ByteString {
  let text = "{";
  for (let index = 0; index < values.length; index++) {
    const at = e.placeOf(places, index);
    try {
      text += `${index === 0 ? "" : ","}${jsonString(writer, shape.names[index]!)}:${write(e, values[index]!, writer, at)}`;
    } catch (error) {
      throw e.trace(error, `while evaluating attribute '${formatIdentifier(shape.names[index]!)}'`, at);
    }
  }
  return `${text}}`;
}

function jsonString(writer: Writer, text: ByteString): ByteString {
  if (/^[\x20\x21\x23-\x5b\x5d-\x7f]*$/.test(text)) return `"${text}"`;
  if (/[\x80-\xff]/.test(text)) writer.invalid ??= findInvalidUtf8(text);
  return `"${text.replace(/["\\\x00-\x1f]/g, (c) => JSON.stringify(c).slice(1, -1))}"`;
}

/** What the reference's library says of bytes that are no UTF-8. */
function findInvalidUtf8(text: ByteString): string | undefined {
  const hex = (at: number): string => `0x${text.charCodeAt(at).toString(16).toUpperCase().padStart(2, "0")}`;
  for (let at = 0; at < text.length; at++) {
    const first = text.charCodeAt(at);
    if (first < 128) continue;
    const ranges = utf8Ranges(first);
    if (ranges === undefined) return `[json.exception.type_error.316] invalid UTF-8 byte at index ${at}: ${hex(at)}`;
    for (const [low, high] of ranges) {
      at++;
      if (at >= text.length) return `[json.exception.type_error.316] incomplete UTF-8 string; last byte: ${hex(text.length - 1)}`;
      const next = text.charCodeAt(at);
      if (next < low || next > high) return `[json.exception.type_error.316] invalid UTF-8 byte at index ${at}: ${hex(at)}`;
    }
  }
  return undefined;
}

/** A short form that reads back, always recognisable as no integer. */
function jsonFloat(value: number): string {
  if (!Number.isFinite(value)) return "null";
  if (value === 0) return Object.is(value, -0) ? "-0.0" : "0.0";
  const found = grisuDigits(Math.abs(value));
  const { digits } = found;
  const exponent = digits.length - 1 + found.exponent;
  const sign = value < 0 ? "-" : "";
  if (exponent >= 15 || exponent < -4) {
    const shown = digits.length === 1 ? digits : `${digits[0]!}.${digits.slice(1)}`;
    return `${sign}${shown}e${exponent < 0 ? "-" : "+"}${String(Math.abs(exponent)).padStart(2, "0")}`;
  }
  if (exponent < 0) return `${sign}0.${"0".repeat(-exponent - 1)}${digits}`;
  if (digits.length <= exponent + 1) return `${sign}${digits}${"0".repeat(exponent + 1 - digits.length)}.0`;
  return `${sign}${digits.slice(0, exponent + 1)}.${digits.slice(exponent + 1)}`;
}
