import type { ByteString } from "../util/bytes.ts";
import { Shape } from "./value.ts";

/** How `//` fills its result: slot of the right set, or -1 - slot of the left one. */
export type MergePlan = { readonly shape: Shape; readonly plan: Int32Array };

/** Sets as large as this are too rare to share their shapes. */
const LARGE = 200;

export function isLarge(shape: Shape): boolean {
  return shape.names.length > LARGE;
}

/** All shapes of an evaluation. */
export class ShapeTable {
  readonly #shapes: Shape[] = [];
  readonly #byNames = new Map<string, Shape>();
  readonly #plans = new Map<number, Map<number, MergePlan>>();

  byId(id: number): Shape {
    return this.#shapes[id]!;
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

  #add(names: readonly ByteString[]): Shape {
    const shape = new Shape(this.#shapes.length, names);
    this.#shapes.push(shape);
    return shape;
  }

  merge(left: Shape, right: Shape): MergePlan {
    let plans = this.#plans.get(left.id);
    const known = plans?.get(right.id);
    if (known !== undefined) return known;
    const names: ByteString[] = [];
    const plan: number[] = [];
    const a = left.names;
    const b = right.names;
    let i = 0;
    let j = 0;
    while (i < a.length || j < b.length) {
      if (j === b.length || (i < a.length && a[i]! < b[j]!)) {
        names.push(a[i]!);
        plan.push(-1 - i++);
      } else {
        if (i < a.length && a[i] === b[j]) i++;
        names.push(b[j]!);
        plan.push(j++);
      }
    }
    const shape = names.length === a.length ? left : names.length === b.length ? right : this.of(names);
    const result: MergePlan = { shape, plan: Int32Array.from(plan) };
    if (plans === undefined) this.#plans.set(left.id, (plans = new Map()));
    plans.set(right.id, result);
    return result;
  }
}
