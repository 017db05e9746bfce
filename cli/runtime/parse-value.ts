import type { ValueSource } from "../../core/config/option-description.ts";
import { TsosError } from "../../core/error/tsos-error.ts";
import { formatOptionPath } from "../../core/option/option-path.ts";
import { withArticle } from "../../core/option/option-errors.ts";
import { findNearestName } from "../../core/util/suggest.ts";

/** What of an option's type decides how a text is read; of tsos' own types, and of those of a Nix module system. */
export type ValueType = {
  readonly name: string;
  readonly description: string;
  check(value: unknown): boolean;
  readonly nested: readonly ValueType[];
  readonly payload: unknown;
};

/**
 * What to write for a value that a person typed, by the option's type: `true`, `80`, a text as it is, `pkgs.NAME`,
 * `./file` for a path of the project, JSON for lists and objects.
 *
 * @throws TsosError `option.bad-value` that says what is expected.
 */
export function parseValue(type: ValueType, text: string, path: readonly string[]): ValueSource {
  const source = parseText(type, text);
  if (source !== undefined) return source;
  const values = enumValues(type);
  const near = values === undefined ? undefined : findNearestName(text, values);
  throw new TsosError({
    code: "option.bad-value",
    message: `the option "${formatOptionPath(path)}" must be ${withArticle(type.description)}, got ${JSON.stringify(text)}`,
    hint: near === undefined ? hintFor(type) : `did you mean "${near}"?`,
    data: { optionPath: path, expected: type.description },
  });
}

function parseText(type: ValueType, text: string): ValueSource | undefined {
  const json = parseJson(text);
  // What is JSON and fits is meant so; a text that only looks like a number is a text where texts are wanted.
  const candidates = [json !== undefined && typeof json.value !== "string" ? json.value : undefined, text, json?.value];
  for (const candidate of candidates) {
    const source = candidate === undefined ? undefined : toSource(type, candidate);
    if (source !== undefined) return source;
  }
  return undefined;
}

const PACKAGE = /^pkgs\.\S+$/;

function takesPackage(type: ValueType): boolean {
  if (type.name === "package" || type.name === "shellPackage") return true;
  return ["nullOr", "uniq", "unique", "either", "coercedTo"].includes(type.name) && type.nested.some(takesPackage);
}

/** The source of a JSON value as a definition of `type`, or undefined where it is none. */
function toSource(type: ValueType, value: unknown): ValueSource | undefined {
  switch (type.name) {
    case "package":
    case "shellPackage":
      return typeof value === "string" && PACKAGE.test(value) ? { kind: "package", name: value.slice("pkgs.".length) } : undefined;
    case "path":
      if (typeof value === "string" && /^\.\.?(\/|$)/.test(value)) return { kind: "path", path: value };
      return type.check(value) ? plainSource(value) : undefined;
    case "listOf":
    case "nonEmptyListOf": {
      if (!Array.isArray(value) || !type.check(value)) return undefined;
      const items = value.map((item: unknown) => toSource(type.nested[0]!, item));
      return items.every((item) => item !== undefined) ? { kind: "list", items } : undefined;
    }
    case "attrsOf":
    case "lazyAttrsOf": {
      if (!isObject(value)) return undefined;
      const entries = Object.entries(value).map(([name, item]) => [name, toSource(type.nested[0]!, item)] as const);
      return entries.every((entry): entry is readonly [string, ValueSource] => entry[1] !== undefined) ? { kind: "object", entries } : undefined;
    }
    // What a submodule's options are is checked when the changed file is evaluated.
    case "submodule":
      return isObject(value) ? plainSource(value) : undefined;
    case "nullOr":
    case "uniq":
    case "unique":
    case "either":
    case "coercedTo": {
      if (value === null && type.check(null)) return plainSource(null);
      // `null` is what says null where that may be; a text of these letters can be written by hand.
      if (type.name === "nullOr" && value === "null") return undefined;
      // Where a package may stand, its name is meant as one, though it is a text as well.
      if (typeof value === "string" && PACKAGE.test(value) && takesPackage(type)) return { kind: "package", name: value.slice("pkgs.".length) };
      const nested = type.name === "coercedTo" ? [...type.nested].reverse() : type.nested;
      for (const inner of nested) {
        const source = toSource(inner, value);
        if (source !== undefined) return source;
      }
      return undefined;
    }
    default:
      return type.check(value) ? plainSource(value) : undefined;
  }
}

function plainSource(value: unknown): ValueSource | undefined {
  if (Array.isArray(value)) {
    const items = value.map(plainSource);
    return items.every((item) => item !== undefined) ? { kind: "list", items } : undefined;
  }
  if (isObject(value)) {
    const entries = Object.entries(value).map(([name, item]) => [name, plainSource(item)] as const);
    return entries.every((entry): entry is readonly [string, ValueSource] => entry[1] !== undefined) ? { kind: "object", entries } : undefined;
  }
  return value === null || typeof value === "string" || typeof value === "number" || typeof value === "boolean" ? { kind: "json", value } : undefined;
}

function parseJson(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The names of an enum, also inside `nullOr`. */
function enumValues(type: ValueType): readonly string[] | undefined {
  // Types of this name carry this payload.
  if (type.name === "enum") return (type.payload as readonly unknown[]).map(String);
  return ["nullOr", "either", "uniq", "unique"].includes(type.name) ? type.nested.flatMap((inner) => enumValues(inner) ?? []) : undefined;
}

function hintFor(type: ValueType): string | undefined {
  if (type.name === "bool") return "write true or false";
  if (type.name === "listOf" || type.name === "nonEmptyListOf") return `write a list as JSON: '${listExample(type.nested[0])}'`;
  if (type.name === "attrsOf" || type.name === "lazyAttrsOf" || type.name === "submodule") return 'write an object as JSON: \'{"name": "value"}\'';
  if (type.name === "package") return "write pkgs.NAME; tsos pkg search finds it";
  return undefined;
}

/** A list of what such a list takes. */
function listExample(item: ValueType | undefined): string {
  if (item?.name === "package" || item?.name === "shellPackage") return '["pkgs.git", "pkgs.jq"]';
  const values = item === undefined ? undefined : enumValues(item);
  if (values !== undefined) return JSON.stringify(values.slice(0, 2));
  if (item?.check(80) === true && !item.check("a")) return "[80, 443]";
  return item?.check("a") === false && item.check({}) ? '[{"name": "value"}]' : '["a", "b"]';
}
