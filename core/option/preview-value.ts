import { findModifier } from "./modifier.ts";
import { isPackageValue, isSecretValue } from "./foreign-types.ts";
import { isPlainObject } from "./plain-object.ts";
import { isOption } from "./option.ts";
import { isOptionType } from "./option-type.ts";

const LIMIT = 80;

/** A value on one line for an error's text, cut where it is long; it computes nothing and never throws. */
export function previewValue(value: unknown): string {
  const text = preview(value, 3);
  return text.length <= LIMIT ? text : `${text.slice(0, LIMIT - 1)}…`;
}

function preview(value: unknown, depth: number): string {
  if (typeof value === "string") return JSON.stringify(value.length > LIMIT ? value.slice(0, LIMIT) : value);
  if (typeof value === "function" && !isPackageValue(value)) return value.name === "" ? "a function" : `the function ${value.name}`;
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "symbol") return "a symbol";
  if ((typeof value !== "object" && typeof value !== "function") || value === null) return String(value);
  const modifier = findModifier(value);
  if (modifier !== undefined) {
    return modifier.kind === "merge"
      ? `mkMerge([${modifier.contents.map((content) => preview(content, depth - 1)).join(", ")}])`
      : preview(modifier.content, depth);
  }
  if (isPackageValue(value)) return `the package ${value.name}`;
  if (isSecretValue(value)) return "a secret";
  if (isOption(value)) return "an option's declaration";
  if (isOptionType(value)) return `the type ${value.name}`;
  if (Array.isArray(value)) {
    if (value.length === 0) return "[]";
    if (depth === 0) return `[… ${value.length}]`;
    const shown = value.slice(0, 8).map((element) => preview(element, depth - 1));
    return `[${shown.join(", ")}${value.length > 8 ? ", …" : ""}]`;
  }
  const keys = Object.keys(value);
  const name = className(value);
  if (name !== undefined) return `an object of class ${name}`;
  if (keys.length === 0) return "{}";
  if (depth === 0) return "{ … }";
  const shown = keys.slice(0, 6).map((key) => {
    const property = Object.getOwnPropertyDescriptor(value, key);
    return `${/^[\w$]+$/.test(key) ? key : JSON.stringify(key)}: ${property === undefined || !("value" in property) ? "…" : preview(property.value, depth - 1)}`;
  });
  return `{ ${shown.join(", ")}${keys.length > 6 ? ", …" : ""} }`;
}

function className(value: object): string | undefined {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === null || isPlainObject(value)) return undefined;
  const constructor = (prototype as { readonly constructor?: unknown }).constructor;
  return typeof constructor === "function" && constructor.name !== "Object" ? constructor.name : undefined;
}
