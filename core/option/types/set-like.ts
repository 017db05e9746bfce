import { isPackageValue, isSecretValue } from "../foreign-types.ts";
import { isPlainObject } from "../plain-object.ts";

/** An object of the literal kind that is not a value of its own: no package, no secret. */
export function isSetLike(value: unknown): value is Readonly<Record<string, unknown>> {
  return isPlainObject(value) && !isPackageValue(value) && !isSecretValue(value);
}
