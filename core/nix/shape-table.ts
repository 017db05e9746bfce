import type { ByteString } from "../util/bytes.ts";
import { findName, LARGE, Shape } from "./value.ts";

/** How `//` fills its result: slot of the right set, or -1 - slot of the left one. */
export type MergePlan = { readonly shape: Shape; readonly plan: readonly number[] };

export type InsertPlan = { readonly shape: Shape; readonly slots: readonly number[] };

/** 32 MB. */
const MOST_PLANNED = 2 ** 22;

/** Of the number of plans that are found without a look into the tables. */
const RECENT_BITS = 13;

/** All shapes of an evaluation. */
export class ShapeTable {
  #count = 0;
  readonly #remembered: Shape[] = [];
  /** Where a plan is made. */
  readonly #scratch: number[] = [];
  /** Words that the plans hold: a set that grows name by name would keep a plan, and a shape, of each of its sizes. */
  #planned = 0;
  readonly #byNames = new Map<string, Shape>();
  readonly #ofOne = new Map<ByteString, Shape>();
  readonly #inserts = new Map<number, Map<number, InsertPlan>>();
  readonly #plans = new Map<number, Map<number, MergePlan>>();
  /** Left and right shape, and in the same place of the other array their plan. */
  readonly #recentShapes = new Int32Array(2 << RECENT_BITS).fill(-1);
  readonly #recentPlans = new Array<MergePlan | undefined>(1 << RECENT_BITS).fill(undefined);

  /** A shape that was remembered. */
  remembered(number: number): Shape {
    return this.#remembered[number]!;
  }

  /** Keeps the shape; the result is the number by which it is found again. */
  remember(shape: Shape): number {
    return this.#remembered.push(shape) - 1;
  }

  /** `names` sorted by bytes, without repetition. */
  of(names: readonly ByteString[]): Shape {
    if (names.length > LARGE) return this.#add(names);
    const key = names.join("\0");
    let shape = this.#byNames.get(key);
    // The set without names and the set with the empty name have the same key.
    if (shape === undefined || shape.names.length !== names.length) {
      shape = this.#add(names);
      this.#byNames.set(key, shape);
    }
    return shape;
  }

  /** The shape of a single name. */
  one(name: ByteString): Shape {
    let shape = this.#ofOne.get(name);
    if (shape === undefined) this.#ofOne.set(name, (shape = this.of([name])));
    return shape;
  }

  /** The names of a shape but for those at some slots, which stand in rising order. */
  without(from: Shape, slots: readonly number[]): Shape {
    if (from.isLarge) {
      const removed = new Set(slots);
      return this.#add(from.names.filter((_, slot) => !removed.has(slot)));
    }
    let shape = from;
    for (let i = slots.length - 1; i >= 0; i--) {
      const slot = slots[i]!;
      const next = (shape.without ??= new Map<number, Shape>()).get(slot);
      if (next !== undefined) shape = next;
      else {
        const smaller = this.of(shape.names.filter((_, index) => index !== slot));
        shape.without.set(slot, smaller);
        shape = smaller;
      }
    }
    return shape;
  }

  #add(names: readonly ByteString[]): Shape {
    return new Shape(this.#count++, names);
  }

  /** Makes room for a plan of so many words. */
  #makeRoom(words: number): void {
    this.#planned += words;
    if (this.#planned <= MOST_PLANNED) return;
    this.#plans.clear();
    this.#recentShapes.fill(-1);
    this.#recentPlans.fill(undefined);
    this.#inserts.clear();
    this.#planned = words;
  }

  /**
   * How a small right set goes into a large left one: the shape of both, and of each name on the right its slot in the
   * left one, or -1 - where it belongs.
   */
  insert(left: Shape, right: Shape): InsertPlan {
    const plans = this.#inserts.get(left.id);
    const known = plans?.get(right.id);
    if (known !== undefined) return known;
    const added = right.names;
    const slots: number[] = [];
    let inserted = 0;
    for (let j = 0; j < added.length; j++) {
      const slot = findName(left.names, added[j]!);
      slots.push(slot);
      if (slot < 0) inserted++;
    }
    let shape = left;
    if (inserted > 0) {
      const names = new Array<ByteString>(left.names.length + inserted);
      let i = 0;
      let k = 0;
      for (let j = 0; j < added.length; j++) {
        const slot = slots[j]!;
        for (const end = slot >= 0 ? slot : -1 - slot; i < end; ) names[k++] = left.names[i++]!;
        if (slot >= 0) i++;
        names[k++] = added[j]!;
      }
      while (i < left.names.length) names[k++] = left.names[i++]!;
      shape = this.#add(names);
    }
    const plan: InsertPlan = { shape, slots };
    this.#makeRoom(slots.length + (inserted > 0 ? shape.names.length : 0));
    put(this.#inserts, left.id, right.id, plan);
    return plan;
  }

  merge(left: Shape, right: Shape): MergePlan {
    const at = (Math.imul(left.id, 0x9e3779b1) + Math.imul(right.id, 0x85ebca6b)) >>> (32 - RECENT_BITS);
    if (this.#recentShapes[2 * at] === left.id && this.#recentShapes[2 * at + 1] === right.id) return this.#recentPlans[at]!;
    const plan = this.#plans.get(left.id)?.get(right.id) ?? this.#plan(left, right);
    this.#recentShapes[2 * at] = left.id;
    this.#recentShapes[2 * at + 1] = right.id;
    this.#recentPlans[at] = plan;
    return plan;
  }

  #plan(left: Shape, right: Shape): MergePlan {
    const scratch = this.#scratch;
    const a = left.names;
    const b = right.names;
    let n = 0;
    let i = 0;
    let j = 0;
    while (i < a.length && j < b.length) {
      const name = a[i]!;
      const other = b[j]!;
      if (name === other) {
        i++;
        scratch[n++] = j++;
      } else if (name < other) scratch[n++] = -1 - i++;
      else scratch[n++] = j++;
    }
    while (i < a.length) scratch[n++] = -1 - i++;
    while (j < b.length) scratch[n++] = j++;
    const plan = scratch.slice(0, n);
    const shape = n === a.length ? left : n === b.length ? right : this.of(plan.map((from) => (from >= 0 ? b[from]! : a[-1 - from]!)));
    const result: MergePlan = { shape, plan };
    this.#makeRoom(n);
    put(this.#plans, left.id, right.id, result);
    return result;
  }
}

function put<T>(plans: Map<number, Map<number, T>>, left: number, right: number, plan: T): void {
  const inner = plans.get(left);
  if (inner === undefined) plans.set(left, new Map([[right, plan]]));
  else inner.set(right, plan);
}
