import { TsosError } from "../error/tsos-error.ts";
import { isPackageValue, isSecretValue } from "./foreign-types.ts";
import { MODIFIER, findModifier } from "./modifier.ts";
import type { Modifier } from "./modifier.ts";

/** Under this key a submodule's value names its options without a value: reading one of them throws. */
export const MISSING: unique symbol = Symbol("tsos.missing");

/** Deeper than any configuration, shallower than the stack: a value that refers to itself ends here. */
export const MAX_DEPTH = 500;

/**
 * Whether two values are the same: plain data by its structure, packages by their derivations, secrets by
 * their files, everything else (functions, objects of classes) by identity.
 * @throws TsosError `option.too-deep` for a value that refers to itself.
 */
export function equalValues(a: unknown, b: unknown, depth = 0): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) {
    return typeof a === "function" && isPackageValue(a) && isPackageValue(b) && equalPackages(a, b);
  }
  if (depth > MAX_DEPTH) throw tooDeep();
  if (Array.isArray(a)) {
    if (!Array.isArray(b) || a.length !== b.length) return false;
    for (let i = 0; i < a.length; i++) if (!equalValues(a[i], b[i], depth + 1)) return false;
    return true;
  }
  if (Array.isArray(b)) return false;
  if (isPackageValue(a)) return isPackageValue(b) && equalPackages(a, b);
  if (isSecretValue(a)) return isSecretValue(b) && a.file === b.file;
  const prototype: unknown = Object.getPrototypeOf(a);
  if (prototype !== Object.getPrototypeOf(b)) return false;
  if (prototype !== null && prototype !== Object.prototype && Object.getPrototypeOf(prototype) !== null) return false;
  const modifier = findModifier(a);
  const other = findModifier(b);
  if (modifier !== undefined || other !== undefined) {
    return modifier !== undefined && other !== undefined && equalModifiers(modifier, other, depth);
  }
  return equalObjects(a as Values, b as Values, depth);
}

type Values = { readonly [key: string]: unknown; readonly [MISSING]?: ReadonlySet<string>; readonly [MODIFIER]?: unknown };

function equalObjects(a: Values, b: Values, depth: number): boolean {
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length) return false;
  const missing = a[MISSING];
  const otherMissing = b[MISSING];
  for (const key of keys) {
    if (!Object.hasOwn(b, key)) return false;
    const isMissing = missing?.has(key) === true;
    if (isMissing !== (otherMissing?.has(key) === true)) return false;
    if (!isMissing && !equalValues(a[key], b[key], depth + 1)) return false;
  }
  return true;
}

function equalModifiers(a: Modifier, b: Modifier, depth: number): boolean {
  const { ...own } = a;
  const { ...other } = b;
  return equalObjects(own as unknown as Values, other as unknown as Values, depth + 1);
}

function equalPackages(a: unknown, b: unknown): boolean {
  const one = packageKey(a);
  const other = packageKey(b);
  return one.key === other.key && one.failed === other.failed;
}

// Asking for the derivation makes it, once for each package value. One that cannot be made equals another that
// cannot be made for the same reason: the error is found where the package is used, not here.
function packageKey(value: unknown): { readonly key: string; readonly failed: boolean } {
  try {
    const { drvPath, outputName } = value as { readonly drvPath: string; readonly outputName?: string };
    return { key: `${drvPath}!${outputName ?? "out"}`, failed: false };
  } catch (error) {
    return { key: String(error), failed: true };
  }
}

export function tooDeep(): TsosError {
  return new TsosError({
    code: "option.too-deep",
    message: `a value is nested more than ${MAX_DEPTH} levels deep; expected data that does not refer to itself`,
  });
}
