import type { ByteString } from "../util/bytes.ts";
import { CodeArea } from "./code-area.ts";
import { filePath } from "./source.ts";
import { Attrs, MergedPlaces, NATIVE, NixString, NO_CONTEXT, NO_PLACES, PlacesByName, Thunk, type Context, type Slot, type StoredSlot, type Value } from "./value.ts";

/** How values are made of others without evaluating any: sets of names, of two sets, strings. */
export class SetMaking extends CodeArea {
  /** `left // right` */
  mergeSets(left: Attrs, right: Attrs): Attrs {
    if (left.stored.length === 0) return right;
    if (right.stored.length === 0) return left;
    if (left.shape.isLarge && right.stored.length * 8 < left.stored.length) return this.mergeInto(left, right);
    const { shape, plan } = this.shapes.merge(left.shape, right.shape);
    const n = plan.length;
    const values = new Array<StoredSlot>(n);
    const a = left.stored;
    const b = right.stored;
    for (let i = 0; i < n; i++) {
      const from = plan[i]!;
      values[i] = from >= 0 ? b[from]! : a[-from - 1]!;
    }
    return new Attrs(shape, values, left.places === NO_PLACES && right.places === NO_PLACES ? NO_PLACES : new MergedPlaces(plan, left.places, right.places));
  }

  /** `left // right` where the left set is so large that it is copied in runs rather than name by name. */
  protected mergeInto(left: Attrs, right: Attrs): Attrs {
    const a = left.stored;
    const b = right.stored;
    const { shape, slots } = this.shapes.insert(left.shape, right.shape);
    const result = (values: StoredSlot[]): Attrs =>
      new Attrs(shape, values, left.places === NO_PLACES && right.places === NO_PLACES ? NO_PLACES : new PlacesByName(shape, left.shape, left.places, right.shape, right.places));
    if (shape === left.shape) {
      const values = a.slice();
      for (let j = 0; j < b.length; j++) values[slots[j]!] = b[j]!;
      return result(values);
    }
    const values = new Array<StoredSlot>(shape.names.length);
    let i = 0;
    let k = 0;
    for (let j = 0; j < b.length; j++) {
      const slot = slots[j]!;
      for (const end = slot >= 0 ? slot : -1 - slot; i < end; ) values[k++] = a[i++]!;
      if (slot >= 0) i++;
      values[k++] = b[j]!;
    }
    while (i < a.length) values[k++] = a[i++]!;
    return result(values);
  }

  /** A set of names in any order, each once, with the places of their definitions. */
  protected setOf(names: readonly ByteString[], slots: readonly Slot[], places: readonly number[]): Attrs {
    const order = names.map((_, index) => index).sort((a, b) => (names[a]! < names[b]! ? -1 : 1));
    return new Attrs(this.shapes.of(order.map((index) => names[index]!)), order.map((index) => slots[index]!), order.map((index) => places[index]!));
  }

  /** Any order of names; a later one with the same name does not replace an earlier one. */
  makeSet(entries: Iterable<readonly [ByteString, Slot]>): Attrs {
    const map = new Map<ByteString, Slot>();
    for (const [name, value] of entries) if (!map.has(name)) map.set(name, value);
    const names = this.sortedNames(map.keys());
    return new Attrs(this.shapes.of(names), names.map((name) => map.get(name)!), NO_PLACES);
  }

  /** Names of a set that is to be made, which are met in this order. */
  sortedNames(met: Iterable<ByteString>): ByteString[] {
    const names = [...met];
    for (const name of names) this.intern(name);
    return sortNames(names);
  }

  makeString(text: ByteString, context: Context = NO_CONTEXT): string | NixString {
    return context.size === 0 ? text : new NixString(text, context);
  }

  /** Line and column are found when they are wanted, as in the reference: most of who asks wants the file. */
  positionValue(place: number): Value {
    const at = this.fileAt(place);
    const file = at === undefined ? undefined : filePath(at);
    if (file === undefined) return null;
    return this.makeSet([["file", file], ["line", new Thunk(NATIVE, () => this.positionAt(place)!.line)], ["column", new Thunk(NATIVE, () => this.positionAt(place)!.column)]]);
  }
}

/** Sorts them where they stand; few names, or names that are sorted, cost no room. */
function sortNames(names: ByteString[]): ByteString[] {
  if (names.length > 16) return names.sort();
  for (let i = 1; i < names.length; i++) {
    const name = names[i]!;
    let at = i;
    for (; at > 0 && names[at - 1]! > name; at--) names[at] = names[at - 1]!;
    names[at] = name;
  }
  return names;
}
