import { isPackageValue, isSecretValue } from "./foreign-types.ts";
import { isPlainObject } from "./plain-object.ts";

/**
 * Freezes what a module returned, as far as it is plain data: another module that has got hold of it (a list that
 * both import) would change it behind the back of whoever has read it. Nothing that computes is looked into:
 * getters, proxies that refuse, objects of classes, packages.
 */
export function freezeDefinitions(value: unknown, depth = 0): void {
  if (typeof value !== "object" || value === null || depth > 100) return;
  try {
    if (Object.isFrozen(value)) return;
    if (!Array.isArray(value) && (!isPlainObject(value) || isPackageValue(value) || isSecretValue(value))) return;
    Object.freeze(value);
    for (const key of Object.keys(value)) {
      const property = Object.getOwnPropertyDescriptor(value, key);
      if (property !== undefined && "value" in property) freezeDefinitions(property.value, depth + 1);
    }
  } catch {
    // A proxy, such as `config` itself, which takes no change anyway.
  }
}
