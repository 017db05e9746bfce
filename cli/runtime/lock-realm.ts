import { TsosError } from "../../core/error/tsos-error.ts";

// Kept before any code of a configuration runs: what is on `Reflect` and `Object` is what it was.
const { getOwnPropertyDescriptor, getPrototypeOf, ownKeys, defineProperty } = Reflect;
const { freeze, preventExtensions } = Object;

/** Intrinsics that no property of the global object leads to. */
const HIDDEN: readonly unknown[] = [
  [][Symbol.iterator](),
  new Map().entries(),
  new Set().entries(),
  ""[Symbol.iterator](),
  "".matchAll(/./g),
  function* () {},
  async () => undefined,
  async function* () {},
  Object.getPrototypeOf(Uint8Array),
].map((value) => Object.getPrototypeOf(value));

type Kept = { readonly owner: object; readonly label: string; readonly key: PropertyKey; readonly property: PropertyDescriptor };

/** What was done to the language itself, undone; undefined where nothing was. */
export type CheckRealm = () => TsosError | undefined;

/**
 * Freezes the language itself: what one file of a configuration did to `Array.prototype`, or kept in a global,
 * would reach all others, and how often depends on how often modules run.
 *
 * Prototypes take nothing new, but what they have can be assigned, since code runs a third slower on frozen ones
 * (V8 11) and since an object below a frozen one cannot be given a property of the same name. So those are
 * compared at the end.
 */
export function lockRealm(): CheckRealm {
  const labels = new Map<object, string>();
  const queue: [unknown, string][] = [[globalThis, "globalThis"], ...HIDDEN.map((value): [unknown, string] => [value, "an iterator's prototype"])];
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    const [value, label] = next;
    if ((typeof value !== "object" && typeof value !== "function") || value === null || labels.has(value)) continue;
    labels.set(value, label);
    for (const key of ownKeys(value)) {
      const property = getOwnPropertyDescriptor(value, key);
      const inner = value === globalThis ? String(key) : `${label}.${String(key)}`;
      if (property !== undefined) queue.push([property.value, inner], [property.get, inner], [property.set, inner]);
    }
    queue.push([getPrototypeOf(value), `${label}'s prototype`]);
  }
  const kept: Kept[] = [];
  for (const [owner, label] of labels) {
    if (typeof owner === "function" || !isPrototype(owner, labels)) {
      freeze(owner);
      continue;
    }
    preventExtensions(owner);
    for (const key of ownKeys(owner)) {
      const property = getOwnPropertyDescriptor(owner, key);
      if (property?.configurable === true || property?.writable === true) kept.push({ owner, label, key, property });
    }
  }
  return () => {
    let changed: TsosError | undefined;
    for (let i = 0; i < kept.length; i++) {
      const { owner, label, key, property } = kept[i]!;
      const now = getOwnPropertyDescriptor(owner, key);
      if (now !== undefined && now.value === property.value && now.get === property.get && now.set === property.set) continue;
      defineProperty(owner, key, property);
      changed ??= new TsosError({
        code: "config.changed-language",
        message: `"${label}.${String(key)}" was changed: it would be another for all modules and for tsos itself`,
        hint: "write a function of your own",
        data: { text: label },
      });
    }
    return changed;
  };
}

/** Whether other objects inherit from it. */
function isPrototype(value: object, all: ReadonlyMap<object, string>): boolean {
  if (HIDDEN.includes(value)) return true;
  const { constructor } = value as { readonly constructor?: unknown };
  if (typeof constructor === "function" && constructor.prototype === value) return true;
  for (const other of all.keys()) if (getPrototypeOf(other) === value) return true;
  return false;
}
