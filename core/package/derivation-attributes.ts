import { TsosError } from "../error/tsos-error.ts";
import type { StoreSource } from "./build-attributes.ts";
import { isPackage, type Package } from "./package.ts";
import { isSecret } from "./secret.ts";

/** What an attribute of a derivation may be. Objects are for structured attributes only. */
export type DerivationValue =
  | string
  | number
  | boolean
  | null
  | undefined
  | Package
  | StoreSource
  | readonly DerivationValue[]
  | { readonly [key: string]: DerivationValue };

/** The arguments of the `derivation` primitive: Nix's own names and meaning. */
export type DerivationAttributes = {
  readonly name: string;
  /** `x86_64-linux`, or `builtin` for builders of tsos itself. */
  readonly system: string;
  readonly builder: string | Package;
  readonly args?: readonly (string | Package | StoreSource)[] | undefined;
  /** Default: `["out"]`; the first is the one that the package stands for. */
  readonly outputs?: readonly string[] | undefined;
  /** Makes a fixed-output derivation: the hash of what it must produce, in any of Nix's forms. */
  readonly outputHash?: string | undefined;
  readonly outputHashAlgo?: string | undefined;
  readonly outputHashMode?: "flat" | "recursive" | "nar" | "text" | "git" | undefined;
  /** Hands the attributes to the builder as JSON, types kept, in place of the environment. */
  readonly __structuredAttrs?: boolean | undefined;
  /** Attributes that the builder gets as files, for what is too long for an environment. */
  readonly passAsFile?: readonly string[] | undefined;
  readonly [attribute: string]: unknown;
};

/** Where an attribute's value comes from, for messages: `derivation "hello-2.12", attribute "src"`. */
export type AttributePlace = { readonly derivation: string; readonly attribute: string };

/**
 * The environment variable that `value` becomes, as Nix coerces; undefined when the attribute is dropped.
 * `onPackage` is told of each package met, since a string alone does not show which output was meant.
 */
export function coerceToEnvironment(value: unknown, place: AttributePlace): string | undefined {
  if (value === null || value === undefined) return undefined;
  return coerce(value, place);
}

// Nix: libexpr/eval.cc, coerceToString with coerceMore.
function coerce(value: unknown, place: AttributePlace): string {
  switch (typeof value) {
    case "string":
      return value;
    case "boolean":
      return value ? "1" : "";
    case "number":
      return Number.isSafeInteger(value) ? String(value) : finite(value, place).toFixed(6);
    case "bigint":
      return String(value);
    case "object":
    case "function":
      if (value === null) return "";
      if (isSecret(value) || isPackage(value) || isStoreSource(value)) return value.toString();
      if (Array.isArray(value)) return coerceList(value, place);
      break;
    case "undefined":
      return "";
    case "symbol":
      break;
  }
  throw new TsosError({
    code: "package.bad-attribute",
    message: `attribute "${place.attribute}" of derivation "${place.derivation}" cannot be ${describe(value)}`,
    hint: "expected a string, a number, a boolean, a package, a path, null, or a list of these; objects need __structuredAttrs",
    data: { ...place },
  });
}

function coerceList(list: readonly unknown[], place: AttributePlace): string {
  let result = "";
  list.forEach((item, index) => {
    result += item === null || item === undefined ? "" : coerce(item, place);
    // Nix: an empty list inside a list adds no blank.
    const empty = Array.isArray(item) && item.length === 0;
    if (index < list.length - 1 && !empty) result += " ";
  });
  return result;
}

/** The JSON of structured attributes: keys sorted, packages as paths. */
export function coerceToJson(value: unknown, place: AttributePlace): unknown {
  if (value === null || value === undefined) return null;
  switch (typeof value) {
    case "string":
    case "boolean":
      return value;
    case "number":
      return finite(value, place);
    case "object":
    case "function":
      if (isSecret(value) || isPackage(value) || isStoreSource(value)) return value.toString();
      if (Array.isArray(value)) return value.map((item) => coerceToJson(item, place));
      if (typeof value === "object") {
        const result: Record<string, unknown> = {};
        for (const key of Object.keys(value).sort()) {
          const item = (value as Record<string, unknown>)[key];
          if (item !== undefined) result[key] = coerceToJson(item, place);
        }
        return result;
      }
  }
  return coerce(value, place);
}

function finite(value: number, place: AttributePlace): number {
  if (Number.isFinite(value)) return value;
  throw new TsosError({
    code: "package.bad-attribute",
    message: `attribute "${place.attribute}" of derivation "${place.derivation}" is "${value}", which is not a number`,
    data: { ...place },
  });
}

export function isStoreSource(value: unknown): value is StoreSource {
  return typeof value === "object" && value !== null && (value as { readonly kind?: unknown }).kind === "source" && "path" in value;
}

function describe(value: unknown): string {
  if (typeof value === "function") return `the function "${value.name}"`;
  if (value instanceof Promise) return "a Promise";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}
