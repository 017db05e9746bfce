import { toByteString, type ByteString } from "../util/bytes.ts";
import { showPath } from "./builtins/fetchurl-file.ts";
import { formatFloat } from "./format-float.ts";
import { formatIdentifier, formatStringLiteral } from "./format-literal.ts";
import type { CallDepth } from "./call-depth.ts";
import { Attrs, Builtin, BUSY, Closure, DONE, NixFloat, NixPath, NixString, PartialBuiltin, PresentThunk, Thunk, type Slot, type Value } from "./value.ts";

const OPEN = toByteString("«");
const CLOSE = toByteString("»");

/**
 * As `nix-instantiate --eval` prints a value; what is not evaluated stays `<CODE>`. `lazy`: so do functions that a set or
 * list holds directly, which need no evaluation here and do in the reference.
 *
 * @throws NixError where the value is deeper than calls may be.
 */
export function formatValue(evaluator: CallDepth, value: Slot, lazy = false): ByteString {
  const out: string[] = [];
  show(evaluator, value, out, new Set(), 0, lazy);
  return out.join("");
}

function show(evaluator: CallDepth, slot: Slot, out: string[], seen: Set<unknown>, depth: number, lazy: boolean): void {
  evaluator.checkDepth(depth, slot);
  let value: Slot = slot;
  if (value instanceof Thunk) {
    if (value instanceof PresentThunk) value.show();
    if (value.code !== DONE) {
      out.push(value.code === BUSY ? `${OPEN}potential infinite recursion${CLOSE}` : "<CODE>");
      return;
    }
    value = value.x as Value;
  }
  if (typeof value === "string") out.push(formatStringLiteral(value));
  else if (value === null) out.push("null");
  else if (typeof value !== "object") out.push(String(value));
  else if (value instanceof NixString) out.push(formatStringLiteral(value.text));
  else if (value instanceof NixFloat) out.push(formatFloat(value.value));
  else if (value instanceof NixPath) out.push(showPath(value.path));
  else if (value instanceof Attrs) {
    if (value.stored.length > 0 && seen.has(value)) {
      out.push(`${OPEN}repeated${CLOSE}`);
      return;
    }
    seen.add(value);
    out.push("{ ");
    value.values.forEach((inner, index) => {
      out.push(formatIdentifier((value as Attrs).shape.names[index]!), " = ");
      show(evaluator, inner, out, seen, depth + 1, lazy);
      out.push("; ");
    });
    out.push("}");
  } else if (Array.isArray(value)) {
    // A list is known by where it is held, a set by what it is.
    const held = slot instanceof Thunk ? slot : value;
    if (value.length > 0 && seen.has(held)) {
      out.push(`${OPEN}repeated${CLOSE}`);
      return;
    }
    if (value.length > 0) seen.add(held);
    out.push("[ ");
    for (const inner of value) {
      show(evaluator, inner, out, seen, depth + 1, lazy);
      out.push(" ");
    }
    out.push("]");
  } else if (value instanceof Closure) out.push(lazy && depth > 0 && slot === value ? "<CODE>" : "<LAMBDA>");
  else if (value instanceof Builtin) out.push("<PRIMOP>");
  else if (value instanceof PartialBuiltin) out.push("<PRIMOP-APP>");
}

type Limits = { readonly depth: number; readonly items: number; readonly text: number };
const LIMITS: Limits = { depth: 10, items: 10, text: 1024 };
const NO_LIMITS: Limits = { depth: Infinity, items: Infinity, text: Infinity };

/** As a message shows it: nothing is evaluated, long ones are cut. */
export function formatValueForError(evaluator: CallDepth, value: Slot): ByteString {
  return formatWithin(evaluator, value, LIMITS);
}

/** As `builtins.trace` shows it: nothing is evaluated, all is shown. */
export function formatValueForTrace(evaluator: CallDepth, value: Slot): ByteString {
  return formatWithin(evaluator, value, NO_LIMITS);
}

function formatWithin(evaluator: CallDepth, value: Slot, limits: Limits): ByteString {
  const out: string[] = [];
  showForError(evaluator, value, out, 0, new Set(), { attributes: 0, elements: 0 }, limits);
  return out.join("");
}

type Budget = { attributes: number; elements: number };

function showForError(evaluator: CallDepth, slot: Slot, out: string[], depth: number, seen: Set<unknown>, budget: Budget, limits: Limits): void {
  evaluator.checkDepth(depth, slot);
  let value: Slot = slot;
  // A function that a set or list holds was not evaluated yet: here that needs no evaluation.
  if (depth > 0 && value instanceof Closure) {
    out.push(OPEN, "thunk", CLOSE);
    return;
  }
  if (value instanceof Thunk) {
    if (value instanceof PresentThunk) value.show();
    if (value.code !== DONE) {
      out.push(OPEN, value.code === BUSY ? "potential infinite recursion" : "thunk", CLOSE);
      return;
    }
    value = value.x as Value;
  }
  if (typeof value === "string" || value instanceof NixString) {
    const text = typeof value === "string" ? value : value.text;
    if (text.length <= limits.text) out.push(formatStringLiteral(text));
    else out.push(`${formatStringLiteral(text.slice(0, limits.text))} ${OPEN}${text.length - limits.text} bytes elided${CLOSE}`);
  } else if (value === null || typeof value !== "object") out.push(String(value));
  else if (value instanceof NixFloat) out.push(formatFloat(value.value));
  else if (value instanceof NixPath) out.push(showPath(value.path));
  else if (value instanceof Attrs) {
    const set: Attrs = value;
    // All empty sets are one and the same there.
    const known = set.stored.length > 0 ? set : EMPTY;
    if (seen.has(known)) out.push(`${OPEN}repeated${CLOSE}`);
    else if (depth >= limits.depth) out.push("{ ... }");
    else {
      seen.add(known);
      out.push("{");
      const order = limits.items === Infinity ? undefined : importantFirst(set);
      for (let at = 0; at < set.stored.length; at++) {
        if (budget.attributes >= limits.items) {
          out.push(elided(set.stored.length - at, "attribute"));
          break;
        }
        const index = order?.[at] ?? at;
        out.push(" ", formatIdentifier(set.shape.names[index]!), " = ");
        showForError(evaluator, set.at(index), out, depth + 1, seen, budget, limits);
        out.push(";");
        // Counted after what it holds, as there.
        budget.attributes++;
      }
      out.push(" }");
    }
  } else if (Array.isArray(value)) {
    const held = slot instanceof Thunk ? slot : value;
    if (value.length > 0 && seen.has(held)) out.push(`${OPEN}repeated${CLOSE}`);
    else if (depth >= limits.depth) out.push("[ ... ]");
    else {
      if (value.length > 0) seen.add(held);
      out.push("[");
      for (let index = 0; index < value.length; index++) {
        if (budget.elements >= limits.items) {
          out.push(elided(value.length - index, "item"));
          break;
        }
        out.push(" ");
        showForError(evaluator, value[index]!, out, depth + 1, seen, budget, limits);
        budget.elements++;
      }
      out.push(" ]");
    }
  } else if (value instanceof Closure) {
    const { name, place } = evaluator.lambdaInfo(value);
    const at = evaluator.positionAt(place);
    out.push(`${OPEN}lambda${name === undefined ? "" : ` ${formatIdentifier(name)}`}${at === undefined ? "" : ` @ ${at.file}:${at.line}:${at.column}`}${CLOSE}`);
  } else if (value instanceof Builtin) out.push(`${OPEN}primop ${value.name}${CLOSE}`);
  else if (value instanceof PartialBuiltin) out.push(`${OPEN}partially applied primop ${value.builtin.name}${CLOSE}`);
}

const EMPTY = Symbol("empty set");

/** What says what a set is comes first where the rest may be left out; undefined where that changes nothing. */
function importantFirst(set: Attrs): readonly number[] | undefined {
  const important = ["_type", "type"].map((name) => set.shape.slotOf(name)).filter((slot) => slot >= 0);
  return important.length === 0 ? undefined : [...important, ...[...set.stored.keys()].filter((slot) => !important.includes(slot))];
}

function elided(count: number, what: string): string {
  return ` ${OPEN}${count} ${what}${count === 1 ? "" : "s"} elided${CLOSE}`;
}
