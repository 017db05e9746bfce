import type { ByteString } from "../util/bytes.ts";
import type { Evaluator } from "./evaluator.ts";
import { formatFloat } from "./format-float.ts";
import { Attrs, Closure, DONE, NixFloat, NixPath, NixString, textOf, Thunk, type Slot } from "./value.ts";

/** `toXML`; `locations` adds where things were defined, as `--xml` does. `lazy`: nothing inside is evaluated. */
export function toXml(e: Evaluator, slot: Slot, context: Set<ByteString>, locations: boolean, lazy = false): ByteString {
  const out = ["<?xml version='1.0' encoding='utf-8'?>\n<expr>\n"];
  const seen = new Set<ByteString>();
  const show = (inner: Slot, indent: string): void => {
    e.checkDepth(indent.length >> 1, inner);
    if (lazy && indent !== "  " && isUnevaluated(inner)) {
      out.push(`${indent}<unevaluated />\n`);
      return;
    }
    const value = e.force(inner);
    const line = (name: string, attributes: readonly (readonly [string, ByteString])[], children?: () => void): void => {
      const shown = attributes.map(([key, text]) => ` ${key}="${escape(text)}"`).join("");
      if (children === undefined) {
        out.push(`${indent}<${name}${shown} />\n`);
        return;
      }
      out.push(`${indent}<${name}${shown}>\n`);
      children();
      out.push(`${indent}</${name}>\n`);
    };
    const place = (word: number): (readonly [string, ByteString])[] => {
      const at = locations ? e.positionAt(word) : undefined;
      return at === undefined ? [] : [["column", String(at.column)], ["line", String(at.line)], ...(at.file.startsWith("/") ? [["path", at.file] as const] : [])];
    };
    const attributes = (set: Attrs, within: string): void => {
      set.shape.names.forEach((name, index) => {
        const shown = [...place(e.placeOf(set.places, index)), ["name", name] as const].sort((a, b) => (a[0] < b[0] ? -1 : 1));
        out.push(`${within}<attr${shown.map(([key, text]) => ` ${key}="${escape(text)}"`).join("")}>\n`);
        show(set.at(index), `${within}  `);
        out.push(`${within}</attr>\n`);
      });
    };
    if (value === null) line("null", []);
    else if (typeof value === "boolean") line("bool", [["value", String(value)]]);
    else if (typeof value === "number" || typeof value === "bigint") line("int", [["value", String(value)]]);
    else if (value instanceof NixFloat) line("float", [["value", formatFloat(value.value)]]);
    else if (typeof value === "string") line("string", [["value", value]]);
    else if (value instanceof NixString) {
      for (const element of value.context) context.add(element);
      line("string", [["value", value.text]]);
    } else if (value instanceof NixPath) line("path", [["value", value.path]]);
    else if (Array.isArray(value)) line("list", [], () => value.forEach((element) => show(element, `${indent}  `)));
    else if (value instanceof Attrs) {
      if (!e.isDerivation(value)) {
        line("attrs", [], () => attributes(value, `${indent}  `));
        return;
      }
      const text = (name: ByteString): ByteString | undefined => {
        const found = value.get(name);
        const forced = found === undefined ? undefined : e.force(found);
        return typeof forced === "string" || forced instanceof NixString ? textOf(forced) : undefined;
      };
      const drvPath = text("drvPath");
      const outPath = text("outPath");
      const shown: [string, ByteString][] = [];
      if (drvPath !== undefined) shown.push(["drvPath", drvPath]);
      if (outPath !== undefined) shown.push(["outPath", outPath]);
      line("derivation", shown, () => {
        if (drvPath !== undefined && drvPath !== "" && !seen.has(drvPath)) {
          seen.add(drvPath);
          attributes(value, `${indent}  `);
        } else out.push(`${indent}  <repeated />\n`);
      });
    } else if (value instanceof Closure) {
      const info = e.lambdaInfo(value);
      line("function", place(info.place), () => {
        if (!info.hasFormals) {
          out.push(`${indent}  <varpat name="${escape(info.argument ?? "")}" />\n`);
          return;
        }
        const pattern = `${info.ellipsis ? ' ellipsis="1"' : ""}${info.argument === undefined ? "" : ` name="${escape(info.argument)}"`}`;
        out.push(`${indent}  <attrspat${pattern}>\n`);
        for (const formal of e.formalsOf(value)) out.push(`${indent}    <attr name="${escape(formal.name)}" />\n`);
        out.push(`${indent}  </attrspat>\n`);
      });
    } else line("unevaluated", []);
  };
  show(slot, "  ");
  out.push("</expr>\n");
  return out.join("");
}

/** Functions stand in sets as they are here, and unevaluated in the reference. */
function isUnevaluated(slot: Slot): boolean {
  return slot instanceof Closure || (slot instanceof Thunk && slot.code !== DONE);
}

const ENTITIES: Readonly<Record<string, string>> = { '"': "&quot;", "<": "&lt;", ">": "&gt;", "&": "&amp;", "\n": "&#xA;" };

function escape(text: ByteString): ByteString {
  return text.replace(/["<>&\n]/g, (c) => ENTITIES[c]!);
}
