import type { Comparison } from "./comparison.ts";
import { formatIdentifier } from "./format-literal.ts";
import { formatValueForError } from "./format-value.ts";
import type { NixError } from "./nix-error.ts";
import { showType, typeName } from "./type-name.ts";
import { Attrs, NixFloat, type Slot, type Value } from "./value.ts";

/** @throws NixError with what the reference says of the first difference of two values that are not equal */
export function assertEqual(e: Comparison, left: Slot, right: Slot, pos: number): void {
  e.nested(pos, () => compare(e, e.force(left, pos), e.force(right, pos), pos));
}

function assertSlotsEqual(e: Comparison, left: Slot, right: Slot, pos: number): void {
  // What is held in one place is equal to itself, whatever it is.
  if (left === right && typeof e.force(left, pos) === "object") return;
  assertEqual(e, left, right, pos);
}

function compare(e: Comparison, left: Value, right: Value, pos: number): void {
  const fail = (message: string): NixError => e.error("assertion", message);
  const shown = (value: Value): string => formatValueForError(e, value);
  const isNumber = (value: Value): boolean => typeof value === "number" || typeof value === "bigint" || value instanceof NixFloat;
  if (isNumber(left) && isNumber(right)) {
    if (e.equalValues(left, right, pos, "")) return;
    throw fail(`${showType(left)} with value '${shown(left)}' is not equal to ${showType(right)} with value '${shown(right)}'`);
  }
  const type = typeName(left);
  if (type !== typeName(right)) {
    throw fail(`${showType(left)} of value '${shown(left)}' is not equal to ${showType(right)} of value '${shown(right)}'`);
  }
  if (left === null) return;
  if (Array.isArray(left) && Array.isArray(right)) {
    if (left.length !== right.length) throw fail(`list of size '${left.length}' is not equal to list of size '${right.length}', left hand side is '${shown(left)}', right hand side is '${shown(right)}'`);
    for (let i = 0; i < left.length; i++) {
      try {
        assertSlotsEqual(e, left[i]!, right[i]!, pos);
      } catch (error) {
        throw e.trace(error, `while comparing list element ${i}`, pos);
      }
    }
    return;
  }
  if (left instanceof Attrs && right instanceof Attrs) {
    compareSets(e, left, right, pos, fail);
    return;
  }
  if (type === "lambda") throw fail("distinct functions and immediate comparisons of identical functions compare as unequal");
  if (e.equalValues(left, right, pos, "")) return;
  const word = type === "bool" ? "boolean" : type;
  throw fail(`${word} '${shown(left)}' is not equal to ${word} '${shown(right)}'`);
}

function compareSets(e: Comparison, left: Attrs, right: Attrs, pos: number, fail: (message: string) => NixError): void {
  if (e.isDerivation(left) && e.isDerivation(right)) {
    const a = left.get("outPath");
    const b = right.get("outPath");
    if (a !== undefined && b !== undefined) {
      try {
        assertSlotsEqual(e, a, b, pos);
      } catch (error) {
        throw e.trace(error, "while comparing a derivation by its 'outPath' attribute", pos);
      }
      return;
    }
  }
  const shown = (value: Value): string => formatValueForError(e, value);
  if (left.stored.length !== right.stored.length) throw fail(`attribute names of attribute set '${shown(left)}' differs from attribute set '${shown(right)}'`);
  const [leftOrder, rightOrder] = [e.symbolOrder(left.shape), e.symbolOrder(right.shape)];
  for (let index = 0; index < leftOrder.length; index++) {
    const [i, j] = [leftOrder[index]!, rightOrder[index]!];
    const [a, b] = [left.shape.names[i]!, right.shape.names[j]!];
    if (a !== b) {
      if (right.shape.slotOf(a) < 0) throw fail(`attribute name '${formatIdentifier(a)}' is contained in '${shown(left)}', but not in '${shown(right)}'`);
      throw fail(`attribute name '${formatIdentifier(b)}' is missing in '${shown(left)}', but is contained in '${shown(right)}'`);
    }
    try {
      assertSlotsEqual(e, left.at(i), right.at(j), pos);
    } catch (error) {
      const places = [e.placeOf(left.places, i), e.placeOf(right.places, j)] as const;
      if (e.positionAt(places[1]) !== undefined) e.trace(error, "where right hand side is", places[1]);
      if (e.positionAt(places[0]) !== undefined) e.trace(error, "where left hand side is", places[0]);
      throw e.trace(error, `while comparing attribute '${formatIdentifier(a)}'`, pos);
    }
  }
}
