import { toByteString, type ByteString } from "../util/bytes.ts";
import { formatFloat } from "./format-float.ts";
import { formatIdentifier, formatStringLiteral } from "./format-literal.ts";
import type { Evaluator } from "./evaluator.ts";
import { Attrs, Builtin, Closure, DONE, NixFloat, NixPath, NixString, PartialBuiltin, Thunk, type Slot, type Value } from "./value.ts";

const OPEN = toByteString("«");
const CLOSE = toByteString("»");

/** As `nix-instantiate --eval` prints a value; what is not evaluated stays `<CODE>`. */
export function formatValue(value: Slot): ByteString {
  const out: string[] = [];
  show(value, out, new Set());
  return out.join("");
}

function show(slot: Slot, out: string[], seen: Set<unknown>): void {
  let value: Slot = slot;
  if (value instanceof Thunk) {
    if (value.code !== DONE) {
      out.push("<CODE>");
      return;
    }
    value = value.x as Value;
  }
  if (typeof value === "string") out.push(formatStringLiteral(value));
  else if (value === null) out.push("null");
  else if (typeof value !== "object") out.push(String(value));
  else if (value instanceof NixString) out.push(formatStringLiteral(value.text));
  else if (value instanceof NixFloat) out.push(formatFloat(value.value));
  else if (value instanceof NixPath) out.push(value.path);
  else if (value instanceof Attrs) {
    if (value.values.length > 0 && seen.has(value)) {
      out.push(`${OPEN}repeated${CLOSE}`);
      return;
    }
    seen.add(value);
    out.push("{ ");
    value.values.forEach((inner, index) => {
      out.push(formatIdentifier((value as Attrs).shape.names[index]!), " = ");
      show(inner, out, seen);
      out.push("; ");
    });
    out.push("}");
  } else if (Array.isArray(value)) {
    if (value.length > 0 && seen.has(value)) {
      out.push(`${OPEN}repeated${CLOSE}`);
      return;
    }
    if (value.length > 0) seen.add(value);
    out.push("[ ");
    for (const inner of value) {
      show(inner, out, seen);
      out.push(" ");
    }
    out.push("]");
  } else if (value instanceof Closure) out.push("<LAMBDA>");
  else if (value instanceof Builtin) out.push("<PRIMOP>");
  else if (value instanceof PartialBuiltin) out.push("<PRIMOP-APP>");
}

const MAX_DEPTH = 10;
const MAX_ITEMS = 10;
const MAX_TEXT = 1024;

/** As a message shows it: nothing is evaluated, long ones are cut. */
export function formatValueForError(evaluator: Evaluator, value: Slot): ByteString {
  const out: string[] = [];
  showForError(evaluator, value, out, 0, new Set(), { attributes: 0, elements: 0 });
  return out.join("");
}

type Budget = { attributes: number; elements: number };

function showForError(evaluator: Evaluator, slot: Slot, out: string[], depth: number, seen: Set<unknown>, budget: Budget): void {
  let value: Slot = slot;
  if (value instanceof Thunk) {
    if (value.code !== DONE) {
      out.push(`${OPEN}thunk${CLOSE}`);
      return;
    }
    value = value.x as Value;
  }
  if (typeof value === "string" || value instanceof NixString) {
    const text = typeof value === "string" ? value : value.text;
    if (text.length <= MAX_TEXT) out.push(formatStringLiteral(text));
    else out.push(`${formatStringLiteral(text.slice(0, MAX_TEXT))} ${OPEN}${text.length - MAX_TEXT} bytes elided${CLOSE}`);
  } else if (value === null || typeof value !== "object") out.push(String(value));
  else if (value instanceof NixFloat) out.push(formatFloat(value.value));
  else if (value instanceof NixPath) out.push(value.path);
  else if (value instanceof Attrs) {
    const set: Attrs = value;
    if (set.values.length > 0 && seen.has(set)) out.push(`${OPEN}repeated${CLOSE}`);
    else if (depth >= MAX_DEPTH) out.push("{ ... }");
    else {
      if (set.values.length > 0) seen.add(set);
      out.push("{");
      for (let index = 0; index < set.values.length; index++) {
        if (budget.attributes >= MAX_ITEMS) {
          out.push(elided(set.values.length - index, "attribute"));
          break;
        }
        budget.attributes++;
        out.push(" ", formatIdentifier(set.shape.names[index]!), " = ");
        showForError(evaluator, set.values[index]!, out, depth + 1, seen, budget);
        out.push(";");
      }
      out.push(" }");
    }
  } else if (Array.isArray(value)) {
    if (value.length > 0 && seen.has(value)) out.push(`${OPEN}repeated${CLOSE}`);
    else if (depth >= MAX_DEPTH) out.push("[ ... ]");
    else {
      if (value.length > 0) seen.add(value);
      out.push("[");
      for (let index = 0; index < value.length; index++) {
        if (budget.elements >= MAX_ITEMS) {
          out.push(elided(value.length - index, "item"));
          break;
        }
        budget.elements++;
        out.push(" ");
        showForError(evaluator, value[index]!, out, depth + 1, seen, budget);
      }
      out.push(" ]");
    }
  } else if (value instanceof Closure) {
    const { name, place } = evaluator.lambdaInfo(value);
    const at = evaluator.positionAt(place);
    out.push(`${OPEN}lambda${name === undefined ? "" : ` ${name}`}${at === undefined ? "" : ` @ ${at.file}:${at.line}:${at.column}`}${CLOSE}`);
  } else if (value instanceof Builtin) out.push(`${OPEN}primop ${value.name}${CLOSE}`);
  else if (value instanceof PartialBuiltin) out.push(`${OPEN}partially applied primop ${value.builtin.name}${CLOSE}`);
}

function elided(count: number, what: string): string {
  return ` ${OPEN}${count} ${what}${count === 1 ? "" : "s"} elided${CLOSE}`;
}
