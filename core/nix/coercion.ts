import type { ByteString } from "../util/bytes.ts";
import { INTERNAL_FILES, showPath, withoutInternalFolder } from "./builtins/fetchurl-file.ts";
import { canonicalPath } from "./canonical-path.ts";
import { NAMES } from "./code-area.ts";
import { Forcing } from "./forcing.ts";
import { coerceFloat } from "./format-float.ts";
import { formatValueForError } from "./format-value.ts";
import { showType } from "./type-name.ts";
import { Attrs, Closure, NixFloat, NixPath, NixString, WantedFunction, type Slot, type Value } from "./value.ts";

/** Values where a text is wanted. Nix: libexpr/eval.cc (`coerceToString`, `coerceToPath`). */
export abstract class Coercion extends Forcing {
  isDerivation(value: Value): boolean {
    if (!(value instanceof Attrs)) return false;
    const type = this.known(value, NAMES.type);
    if (type === undefined) return false;
    const text = this.force(type);
    return text === "derivation" || (text instanceof NixString && text.text === "derivation");
  }

  coerceToString(slot: Slot, pos: number, context: Set<ByteString>, errorContext: string, more: boolean, copy: boolean, canonical = true): ByteString {
    if (this.depth > this.maxCallDepth) this.deeper(pos);
    const value = this.force(slot, pos);
    if (typeof value === "string") return value;
    if (value instanceof NixString) {
      for (const element of value.context) context.add(element);
      return value.text;
    }
    if (value instanceof NixPath) {
      if (!canonical && !copy) return value.path;
      if (!copy) return withoutInternalFolder(canonicalPath(value.path));
      const path = canonicalPath(value.path);
      if (!INTERNAL_FILES.has(path) && this.io.fileKind(path) === undefined) {
        this.io.checkAccess(path);
        throw this.error("eval", `path '${showPath(path)}' does not exist`);
      }
      const stored = this.io.copyToStore(path);
      context.add(stored);
      return `${this.io.storeDir}/${stored}`;
    }
    if (value instanceof Attrs) {
      const toString = this.known(value, NAMES.toString);
      if (toString !== undefined) {
        this.deeper(pos);
        try {
          if (toString instanceof Closure) value.stored[value.shape.slotOf("__toString")] = new WantedFunction(toString);
          return this.coerceToString(this.call1(this.force(toString, pos), value, pos), pos, context, "while evaluating the result of the `__toString` attribute", more, copy);
        } finally {
          this.depth--;
        }
      }
      const outPath = this.known(value, NAMES.outPath);
      if (outPath !== undefined) {
        this.deeper(pos);
        try {
          return this.coerceToString(outPath, pos, context, errorContext, more, copy, canonical);
        } finally {
          this.depth--;
        }
      }
    }
    if (more) {
      if (value === null || value === false) return "";
      if (value === true) return "1";
      if (typeof value === "number" || typeof value === "bigint") return String(value);
      if (value instanceof NixFloat) return coerceFloat(value.value);
      if (Array.isArray(value)) {
        let text = "";
        for (let index = 0; index < value.length; index++) {
          const element = value[index]!;
          try {
            this.deeper(pos);
            try {
              text += this.coerceToString(element, pos, context, "while evaluating one element of the list", more, copy, canonical);
            } finally {
              this.depth--;
            }
          } catch (error) {
            throw this.trace(error, errorContext, pos);
          }
          const forced = this.force(element);
          if (index < value.length - 1 && !(Array.isArray(forced) && forced.length === 0)) text += " ";
        }
        return text;
      }
    }
    throw this.trace(this.error("type", `cannot coerce ${showType(value)} to a string: ${formatValueForError(this, value)}`), errorContext, pos);
  }

  /** For what takes a path: an absolute path's text, whatever it came from. */
  coerceToPath(slot: Slot, pos: number, context: Set<ByteString>, errorContext: string): ByteString {
    let value: Value;
    try {
      value = this.force(slot, pos);
    } catch (error) {
      throw this.trace(error, errorContext, pos);
    }
    if (value instanceof NixPath) return canonicalPath(value.path);
    // What `__toString` makes may be a path too.
    const toString = value instanceof Attrs ? value.get("__toString") : undefined;
    if (toString !== undefined) return this.coerceToPath(this.call(this.force(toString, pos), [value], pos), pos, context, errorContext);
    const text = this.coerceToString(value, pos, context, errorContext, false, false);
    if (!text.startsWith("/")) throw this.trace(this.error("eval", `string '${text}' doesn't represent an absolute path`), errorContext, pos);
    return canonicalPath(text);
  }
}
