import { NO_POSITION, type Slot, type Value } from "../nix/value.ts";
import { findModifier } from "../option/modifier.ts";
import { isPackage } from "../package/package.ts";
import { toByteString, type ByteString } from "../util/bytes.ts";
import type { Border } from "./border.ts";
import { isPlain } from "./objects-to-nix.ts";

/** How deep arguments of a call are looked through for what a module cannot know yet. */
const MOST_NESTED = 8;

/** What a function would have given for what its arguments were in the round before; undefined where that is not known. */
export function callBefore(border: Border, fn: Value, args: readonly unknown[]): Slot | undefined {
  const { evaluator: e } = border;
  const slots = args.map((arg) => slotBefore(border, arg, 0));
  return slots.every((slot) => slot !== undefined) ? e.lazy(() => e.call(fn, slots, NO_POSITION)) : undefined;
}

function slotBefore(border: Border, value: unknown, depth: number): Slot | undefined {
  const { evaluator: e, texts, befores, origins } = border;
  if (typeof value === "string" && texts.hasToken(value)) return texts.toNixBefore(value);
  if (((typeof value !== "object" || value === null) && typeof value !== "function") || depth > MOST_NESTED) return border.lazily(value);
  const known = befores.get(value);
  if (known !== undefined) return known();
  if (origins.has(value) || typeof value === "function" || isPackage(value) || findModifier(value) !== undefined) return border.lazily(value);
  const items = Array.isArray(value) ? value.map((item) => slotBefore(border, item, depth + 1)) : undefined;
  if (items !== undefined) return items.every((item) => item !== undefined) ? items : undefined;
  const properties = Object.entries(Object.getOwnPropertyDescriptors(value));
  if (!isPlain(value) || properties.some(([, { get }]) => get !== undefined)) return border.lazily(value);
  const entries = properties.filter((entry) => entry[1].enumerable === true && entry[1].value !== undefined).map(([name, property]) => [toByteString(name), slotBefore(border, property.value, depth + 1)] as const);
  return entries.every((entry): entry is readonly [ByteString, Slot] => entry[1] !== undefined) ? e.makeSet(entries) : undefined;
}
