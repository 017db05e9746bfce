import { Coercion } from "./coercion.ts";
import { formatIdentifier } from "./format-literal.ts";
import { formatValueForError } from "./format-value.ts";
import { compareNumbers } from "./integer.ts";
import { showType, typeName } from "./type-name.ts";
import { Attrs, Closure, NixFloat, NixPath, NixString, NO_POSITION, textOf, type Shape, type Slot, type Value, WantedFunction } from "./value.ts";

/** Order and equality of values, and the evaluation of all that is in one. */
export abstract class Comparison extends Coercion {
  lessThan(left: Value, right: Value, context: string): boolean {
    if ((typeof left === "number" || typeof left === "bigint" || left instanceof NixFloat) && (typeof right === "number" || typeof right === "bigint" || right instanceof NixFloat)) {
      return compareNumbers(left, right);
    }
    if ((typeof left === "string" || left instanceof NixString) && (typeof right === "string" || right instanceof NixString)) return textOf(left) < textOf(right);
    if (left instanceof NixPath && right instanceof NixPath) return left.path < right.path;
    if (Array.isArray(left) && Array.isArray(right)) {
      for (let i = 0; ; i++) {
        if (i === right.length) return false;
        if (i === left.length) return true;
        if (!this.equal(left[i]!, right[i]!, NO_POSITION, context)) return this.lessThan(this.force(left[i]!), this.force(right[i]!), "while comparing two list elements");
      }
    }
    const [a, b] = [showType(left), showType(right)];
    const same = typeName(left) === typeName(right);
    throw this.trace(
      this.error("eval", same ? `cannot compare ${a} with ${b}; values of that type are incomparable (values are ${formatValueForError(this, left)} and ${formatValueForError(this, right)})` : `cannot compare ${a} with ${b}; values are ${formatValueForError(this, left)} and ${formatValueForError(this, right)}`),
      context,
    );
  }

  equal(leftSlot: Slot, rightSlot: Slot, pos: number, context: string): boolean {
    // The same slot is equal to itself without being looked into, functions included.
    if (leftSlot === rightSlot) {
      this.force(leftSlot, pos);
      return true;
    }
    const left = this.force(leftSlot, pos);
    const right = this.force(rightSlot, pos);
    if (left instanceof Closure) return left === right && isWritten(leftSlot) && isWritten(rightSlot);
    return this.equalValues(left, right, pos, context);
  }

  /** As the operator compares: a function is equal to nothing. */
  equalValues(left: Value, right: Value, pos: number, context: string): boolean {
    if (this.depth > this.maxCallDepth) this.deeper(pos);
    if (left === right && (typeof left !== "object" || left === null || left instanceof Attrs || Array.isArray(left))) return true;
    if (left instanceof NixFloat) return right instanceof NixFloat ? left.value === right.value : (typeof right === "number" || typeof right === "bigint") && left.value === Number(right);
    if (right instanceof NixFloat) return (typeof left === "number" || typeof left === "bigint") && right.value === Number(left);
    if (typeof left === "string" || left instanceof NixString) return (typeof right === "string" || right instanceof NixString) && textOf(left) === textOf(right);
    if (left instanceof NixPath) return right instanceof NixPath && left.path === right.path;
    if (Array.isArray(left)) {
      if (!Array.isArray(right) || left.length !== right.length) return false;
      this.deeper(pos);
      try {
        for (let i = 0; i < left.length; i++) if (!this.equal(left[i]!, right[i]!, pos, context)) return false;
        return true;
      } finally {
        this.depth--;
      }
    }
    if (left instanceof Attrs) {
      if (!(right instanceof Attrs)) return false;
      if (this.isDerivation(left) && this.isDerivation(right)) {
        const a = left.get("outPath");
        const b = right.get("outPath");
        if (a !== undefined && b !== undefined) return this.equal(a, b, pos, context);
      }
      return left.stored.length === right.stored.length && this.equalSets(left, right, pos, context);
    }
    return false;
  }

  /** Of two sets with as many names: in the order in which these were met, up to the first that is another. */
  protected equalSets(left: Attrs, right: Attrs, pos: number, context: string): boolean {
    const order = this.symbolOrder(left.shape);
    const isSame = left.shape === right.shape || haveSameNames(left.shape, right.shape);
    const other = isSame ? order : this.symbolOrder(right.shape);
    this.deeper(pos);
    try {
      for (let i = 0; i < order.length; i++) {
        const a = order[i]!;
        const b = other[i]!;
        if (!isSame && left.shape.names[a] !== right.shape.names[b]) return false;
        if (!this.equal(left.at(a), right.at(b), pos, context)) return false;
      }
      return true;
    } finally {
      this.depth--;
    }
  }

  /** Evaluates all of a value; what refers to itself is looked into once. */
  forceDeep(slot: Slot, seen = new Set<Value>()): Value {
    const place = this.ownPlace(slot);
    this.deeper(place);
    try {
      return this.forceInside(slot, place, seen);
    } finally {
      this.depth--;
    }
  }

  protected forceInside(slot: Slot, place: number, seen: Set<Value>): Value {
    const value = this.force(slot, place);
    if (typeof value !== "object" || seen.has(value)) return value;
    if (value instanceof Attrs) {
      seen.add(value);
      for (const index of this.symbolOrder(value.shape)) {
        try {
          const inner = value.at(index);
          this.forceDeep(inner, seen);
          if (inner instanceof Closure) value.stored[index] = new WantedFunction(inner);
        } catch (error) {
          throw this.trace(error, `while evaluating the attribute '${formatIdentifier(value.shape.names[index]!)}'`, this.placeOf(value.places, index));
        }
      }
    } else if (Array.isArray(value)) {
      seen.add(value);
      value.forEach((inner, index) => {
        try {
          this.forceDeep(inner, seen);
          if (inner instanceof Closure) value[index] = new WantedFunction(inner);
        } catch (error) {
          throw this.trace(error, `while evaluating list element at index ${index}`);
        }
      });
    }
    return value;
  }
}

/** Whether a function stands in its slot as it was written, and not as what an expression came to. */
function isWritten(slot: Slot): boolean {
  return slot instanceof Closure || slot instanceof WantedFunction;
}

function haveSameNames(left: Shape, right: Shape): boolean {
  const [a, b] = [left.names, right.names];
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
