import { toByteString, type ByteString } from "../util/bytes.ts";
import type { Evaluator } from "./evaluator.ts";
import { showPath } from "./builtins/fetchurl-file.ts";
import { formatFloat } from "./format-float.ts";
import { formatIdentifier, formatStringLiteral } from "./format-literal.ts";
import { NixError } from "./nix-error.ts";
import { Attrs, Builtin, Closure, NixFloat, NixPath, NixString, PartialBuiltin, textOf, type Slot, type Value } from "./value.ts";

const quoted = (text: ByteString): ByteString => toByteString("«") + text + toByteString("»");

/**
 * A value as `nix eval` prints it: all of it is evaluated, derivations are their paths, and an error inside of it stands
 * where its value would be.
 *
 * @throws NixError of the value itself
 */
export function printValue(e: Evaluator, slot: Slot): ByteString {
  const seen = new Set<Value>();
  const show = (inner: Slot, depth: number): ByteString => {
    try {
      return e.nested(-1, () => showValue(e.force(inner), depth));
    } catch (error) {
      // Too deep is too deep for all of it.
      if (depth === 0 || !(error instanceof NixError) || error.bytes.startsWith("stack overflow; ")) throw error;
      return quoted(`error: ${error.bytes}`);
    }
  };
  const showValue = (value: Value, depth: number): ByteString => {
    if (typeof value === "string" || value instanceof NixString) return formatStringLiteral(textOf(value));
    if (value === null || typeof value !== "object") return String(value);
    if (value instanceof NixFloat) return formatFloat(value.value);
    if (value instanceof NixPath) return showPath(value.path);
    if (value instanceof Attrs) {
      if (value.stored.length > 0 && seen.has(value)) return quoted("repeated");
      if (value.stored.length > 0) seen.add(value);
      if (e.isDerivation(value)) {
        const path = value.get("drvPath");
        return quoted(path === undefined ? "derivation" : `derivation ${e.coerceToString(path, -1, new Set(), "while evaluating the drvPath of a derivation", false, false)}`);
      }
      return `{ ${value.shape.names.map((name, index) => `${formatIdentifier(name)} = ${show(value.at(index), depth + 1)}; `).join("")}}`;
    }
    if (Array.isArray(value)) {
      if (value.length > 0 && seen.has(value)) return quoted("repeated");
      if (value.length > 0) seen.add(value);
      return `[ ${value.map((element) => `${show(element, depth + 1)} `).join("")}]`;
    }
    if (value instanceof Closure) {
      const { name, place } = e.lambdaInfo(value);
      const at = e.positionAt(place);
      return quoted(`lambda${name === undefined ? "" : ` ${name}`}${at === undefined ? "" : ` @ ${at.file}:${at.line}:${at.column}`}`);
    }
    if (value instanceof Builtin) return quoted(`primop ${value.name}`);
    if (value instanceof PartialBuiltin) return quoted(`partially applied primop ${value.builtin.name}`);
    return e.describe(value);
  };
  return show(slot, 0);
}
