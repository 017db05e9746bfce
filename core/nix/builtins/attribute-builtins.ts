import type { ByteString } from "../../util/bytes.ts";
import type { Evaluator } from "../evaluator.ts";
import { formatIdentifier } from "../format-literal.ts";
import { Attrs, NO_PLACES, NO_POSITION, PickedPlaces, Thunk, type NixList, type Slot, type StoredSlot } from "../value.ts";
import type { BuiltinDefinition } from "./builtin-definition.ts";

export function attributeBuiltins(e: Evaluator): readonly BuiltinDefinition[] {
  /** Some of a set's attributes, with their places. */
  const pick = (set: Attrs, slots: readonly number[], shape = e.shapes.of(slots.map((slot) => set.shape.names[slot]!))): Attrs =>
    new Attrs(shape, slots.map((slot) => set.at(slot)), set.places === NO_PLACES ? NO_PLACES : new PickedPlaces(slots, set.places));
  return [
    ["attrNames", 1, ([s]) => e.forceAttrs(s!, NO_POSITION, "while evaluating the argument passed to builtins.attrNames").shape.names.slice()],
    ["attrValues", 1, ([s]) => e.forceAttrs(s!, NO_POSITION, "while evaluating the argument passed to builtins.attrValues").values.slice()],
    ["getAttr", 2, ([n, s], pos) => {
      const name = e.forceStringNoContext(n!, NO_POSITION, "while evaluating the first argument passed to builtins.getAttr");
      const set = e.forceAttrs(s!, NO_POSITION, "while evaluating the second argument passed to builtins.getAttr");
      const slot = set.get(name);
      if (slot === undefined) throw e.trace(e.error("type", `attribute '${formatIdentifier(name)}' missing`), "in the attribute set under consideration");
      return e.force(slot, pos);
    }],
    ["hasAttr", 2, ([n, s]) => {
      const name = e.forceStringNoContext(n!, NO_POSITION, "while evaluating the first argument passed to builtins.hasAttr");
      return e.forceAttrs(s!, NO_POSITION, "while evaluating the second argument passed to builtins.hasAttr").shape.slotOf(name) >= 0;
    }],
    ["unsafeGetAttrPos", 2, ([n, s]) => {
      const name = e.forceStringNoContext(n!, NO_POSITION, "while evaluating the first argument passed to builtins.unsafeGetAttrPos");
      const set = e.forceAttrs(s!, NO_POSITION, "while evaluating the second argument passed to builtins.unsafeGetAttrPos");
      const slot = set.shape.slotOf(name);
      return slot < 0 ? null : e.positionValue(e.placeOf(set.places, slot));
    }],
    ["removeAttrs", 2, ([s, l]) => {
      const set = e.forceAttrs(s!, NO_POSITION, "while evaluating the first argument passed to builtins.removeAttrs");
      const list = e.forceList(l!, NO_POSITION, "while evaluating the second argument passed to builtins.removeAttrs");
      const removed: number[] = [];
      for (const element of list) {
        const slot = set.shape.slotOf(e.forceStringNoContext(element, NO_POSITION, "while evaluating the values of the second argument passed to builtins.removeAttrs"));
        if (slot >= 0 && !removed.includes(slot)) removed.push(slot);
      }
      if (removed.length === 0) return set;
      removed.sort((a, b) => a - b);
      const shape = e.shapes.without(set.shape, removed);
      const kept = shape.isLarge ? set.stored : set.values;
      const values = new Array<StoredSlot>(kept.length - removed.length);
      for (let from = 0, to = 0, next = 0; from < kept.length; from++) {
        if (from === removed[next]) next++;
        else values[to++] = kept[from]!;
      }
      return new Attrs(shape, values, set.places === NO_PLACES ? NO_PLACES : new PickedPlaces(removed, set.places, true));
    }],
    ["intersectAttrs", 2, ([a, b]) => {
      const left = e.forceAttrs(a!, NO_POSITION, "while evaluating the first argument passed to builtins.intersectAttrs");
      const right = e.forceAttrs(b!, NO_POSITION, "while evaluating the second argument passed to builtins.intersectAttrs");
      const slots: number[] = [];
      if (left.stored.length < right.stored.length) {
        for (const name of left.shape.names) {
          const slot = right.shape.slotOf(name);
          if (slot >= 0) slots.push(slot);
        }
        if (slots.length === left.stored.length) return pick(right, slots, left.shape);
      } else {
        right.shape.names.forEach((name, slot) => {
          if (left.shape.slotOf(name) >= 0) slots.push(slot);
        });
        if (slots.length === right.stored.length) return right;
      }
      return pick(right, slots);
    }],
    ["catAttrs", 2, ([n, l]) => {
      const name = e.forceStringNoContext(n!, NO_POSITION, "while evaluating the first argument passed to builtins.catAttrs");
      const result: NixList = [];
      for (const element of e.forceList(l!, NO_POSITION, "while evaluating the second argument passed to builtins.catAttrs")) {
        const slot = e.forceAttrs(element, NO_POSITION, "while evaluating an element in the list passed as second argument to builtins.catAttrs").get(name);
        if (slot !== undefined) result.push(slot);
      }
      return result;
    }],
    ["mapAttrs", 2, ([f, s]) => {
      const set = e.forceAttrs(s!, NO_POSITION, "while evaluating the second argument passed to builtins.mapAttrs");
      // Nothing knows the function's place before it is first wanted, nor that of what it makes.
      const fn = f instanceof Thunk ? f : e.lazy(() => e.force(f!));
      return e.lazyCallsOf(fn, set);
    }],
    ["listToAttrs", 1, ([l]) => {
      const first = new Map<ByteString, Attrs>();
      for (const element of e.forceList(l!, NO_POSITION, "while evaluating the argument passed to builtins.listToAttrs")) {
        const set = e.forceAttrs(element, NO_POSITION, "while evaluating an element of the list passed to builtins.listToAttrs");
        const name = set.get("name");
        if (name === undefined) throw e.trace(e.error("type", "attribute 'name' missing"), "in a {name=...; value=...;} pair");
        const text = e.forceStringNoContext(name, e.placeOf(set.places, set.shape.slotOf("name")), "while evaluating the `name` attribute of an element of the list passed to builtins.listToAttrs");
        if (!first.has(text)) first.set(text, set);
      }
      // Values are looked for when all names are known, and only those of the first of a name.
      const names = e.sortedNames(first.keys());
      for (const set of first.values()) if (set.get("value") === undefined) throw e.trace(e.error("type", "attribute 'value' missing"), "in a {name=...; value=...;} pair");
      const values = new Array<Slot>(names.length);
      const places = new Array<number>(names.length);
      for (let i = 0; i < names.length; i++) {
        const set = first.get(names[i]!)!;
        const slot = set.shape.slotOf("value");
        values[i] = set.at(slot);
        places[i] = e.placeOf(set.places, slot);
      }
      return new Attrs(e.shapes.of(names), values, places);
    }],
    ["zipAttrsWith", 2, ([f, l]) => {
      const fn = e.forceFunction(f!, NO_POSITION, "while evaluating the first argument passed to builtins.zipAttrsWith");
      const lists = new Map<ByteString, NixList>();
      for (const element of e.forceList(l!, NO_POSITION, "while evaluating the second argument passed to builtins.zipAttrsWith")) {
        const set = e.forceAttrs(element, NO_POSITION, "while evaluating a value of the list passed as second argument to builtins.zipAttrsWith");
        const { names } = set.shape;
        for (let slot = 0; slot < names.length; slot++) {
          const list = lists.get(names[slot]!);
          if (list === undefined) lists.set(names[slot]!, [set.at(slot)]);
          else list.push(set.at(slot));
        }
      }
      const names = e.sortedNames(lists.keys());
      return new Attrs(e.shapes.of(names), e.lazyCalls(fn, names.map((name) => lists.get(name)!), names), NO_PLACES);
    }],
  ];
}
