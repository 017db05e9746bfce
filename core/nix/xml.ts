import type { ByteString } from "../util/bytes.ts";
import type { Evaluator } from "./evaluator.ts";
import { formatFloat } from "./format-float.ts";
import { filePath } from "./source.ts";
import { Attrs, Closure, DONE, NixFloat, NixPath, NixString, NO_POSITION, textOf, Thunk, type Slot } from "./value.ts";

export type XmlOptions = {
  /** Adds where things were defined, as `--xml` does. */
  readonly locations: boolean;
  /** Nothing inside is evaluated. */
  readonly lazy?: boolean;
};

/** Of `toXML`. The text of a value that cannot be evaluated is lost with the error. */
export function toXml(e: Evaluator, slot: Slot, context: Set<ByteString>, options: XmlOptions = { locations: false }): ByteString {
  const out: ByteString[] = [];
  writeXml(e, slot, context, options, (text) => out.push(text));
  return out.join("");
}

/**
 * Writes a value as XML piece by piece. Where evaluating ends in an error, all elements that are open are closed before it
 * goes on, as the reference does, which prints what came before the error.
 *
 * @throws NixError of the value, or where it is deeper than calls may be
 */
export function writeXml(e: Evaluator, slot: Slot, context: Set<ByteString>, options: XmlOptions, emit: (text: ByteString) => void): void {
  emit("<?xml version='1.0' encoding='utf-8'?>\n");
  const writer = { e, context, seen: new Set<ByteString>(), locations: options.locations, lazy: options.lazy === true, emit };
  element(writer, "", "expr", [], () => show(writer, slot, "  ", NO_POSITION));
}

type Writer = { readonly e: Evaluator; readonly context: Set<ByteString>; readonly seen: Set<ByteString>; readonly locations: boolean; readonly lazy: boolean; readonly emit: (text: ByteString) => void };

type XmlAttributes = readonly (readonly [name: string, text: ByteString])[];

function element({ emit }: Writer, indent: string, name: string, attributes: XmlAttributes, children?: () => void): void {
  let shown = "";
  for (const [key, text] of attributes) shown += ` ${key}="${escape(text)}"`;
  if (children === undefined) {
    emit(`${indent}<${name}${shown} />\n`);
    return;
  }
  emit(`${indent}<${name}${shown}>\n`);
  try {
    children();
  } finally {
    emit(`${indent}</${name}>\n`);
  }
}

/** `place`: of the attribute that holds the value, also through lists. */
function show(writer: Writer, slot: Slot, indent: string, place: number): void {
  writer.e.nested(place, () => showValue(writer, slot, indent, place));
}

function showValue(writer: Writer, slot: Slot, indent: string, place: number): void {
  const { e } = writer;
  const line = (name: string, attributes: XmlAttributes, children?: () => void): void => element(writer, indent, name, attributes, children);
  if (writer.lazy && indent !== "  " && isUnevaluated(slot)) return line("unevaluated", []);
  const value = e.force(slot, place);
  if (value === null) return line("null", []);
  if (typeof value === "boolean") return line("bool", [["value", String(value)]]);
  if (typeof value === "number" || typeof value === "bigint") return line("int", [["value", String(value)]]);
  if (value instanceof NixFloat) return line("float", [["value", formatFloat(value.value)]]);
  if (typeof value === "string") return line("string", [["value", value]]);
  if (value instanceof NixString) {
    for (const part of value.context) writer.context.add(part);
    return line("string", [["value", value.text]]);
  }
  if (value instanceof NixPath) return line("path", [["value", value.path]]);
  if (Array.isArray(value)) {
    return line("list", [], () => {
      for (const inner of value) show(writer, inner, `${indent}  `, place);
    });
  }
  if (value instanceof Attrs) {
    if (e.isDerivation(value)) return showDerivation(writer, value, indent);
    return line("attrs", [], () => showAttributes(writer, value, `${indent}  `));
  }
  if (value instanceof Closure) return showFunction(writer, value, indent);
  return line("unevaluated", []);
}

function showAttributes(writer: Writer, set: Attrs, indent: string): void {
  set.shape.names.forEach((name, index) => {
    const place = writer.e.placeOf(set.places, index);
    const attributes = [...location(writer, place), ["name", name] as const].sort((a, b) => (a[0] < b[0] ? -1 : 1));
    element(writer, indent, "attr", attributes, () => show(writer, set.at(index), `${indent}  `, place));
  });
}

function showDerivation(writer: Writer, set: Attrs, indent: string): void {
  const { e, seen } = writer;
  const text = (name: ByteString): ByteString | undefined => {
    const found = set.get(name);
    const forced = found === undefined || (writer.lazy && isUnevaluated(found)) ? undefined : e.force(found);
    return typeof forced === "string" || forced instanceof NixString ? textOf(forced) : undefined;
  };
  const drvPath = text("drvPath");
  const outPath = text("outPath");
  const attributes: [string, ByteString][] = [];
  if (drvPath !== undefined) attributes.push(["drvPath", drvPath]);
  if (outPath !== undefined) attributes.push(["outPath", outPath]);
  element(writer, indent, "derivation", attributes, () => {
    if (drvPath === undefined || drvPath === "" || seen.has(drvPath)) return element(writer, `${indent}  `, "repeated", []);
    seen.add(drvPath);
    return showAttributes(writer, set, `${indent}  `);
  });
}

function showFunction(writer: Writer, value: Closure, indent: string): void {
  const info = writer.e.lambdaInfo(value);
  element(writer, indent, "function", location(writer, info.place), () => {
    if (!info.hasFormals) return element(writer, `${indent}  `, "varpat", [["name", info.argument ?? ""]]);
    const attributes: [string, ByteString][] = [];
    if (info.ellipsis) attributes.push(["ellipsis", "1"]);
    if (info.argument !== undefined) attributes.push(["name", info.argument]);
    return element(writer, `${indent}  `, "attrspat", attributes, () => {
      for (const formal of writer.e.formalsOf(value)) element(writer, `${indent}    `, "attr", [["name", formal.name]]);
    });
  });
}

function location({ e, locations }: Writer, word: number): (readonly [string, ByteString])[] {
  const at = locations ? e.positionAt(word) : undefined;
  if (at === undefined) return [];
  const path = filePath(at.file);
  return [["column", String(at.column)], ["line", String(at.line)], ...(path === undefined ? [] : [["path", path] as const])];
}

/** Functions stand in sets as they are here, and unevaluated in the reference. */
function isUnevaluated(slot: Slot): boolean {
  return slot instanceof Closure || (slot instanceof Thunk && slot.code !== DONE);
}

const ENTITIES: Readonly<Record<string, string>> = { '"': "&quot;", "<": "&lt;", ">": "&gt;", "&": "&amp;", "\n": "&#xA;" };

function escape(text: ByteString): ByteString {
  return text.replace(/["<>&\n]/g, (c) => ENTITIES[c]!);
}
