import type { ByteString } from "../util/bytes.ts";
import type { Evaluator } from "./evaluator.ts";
import { showType } from "./type-name.ts";
import { Attrs, Closure, NO_POSITION, type Slot, type Value } from "./value.ts";
import { NixError } from "./nix-error.ts";
import { bestMatches } from "./suggestions.ts";

/** Arguments of the command line, for functions that are called where a value is wanted. */
export type AutoArguments = ReadonlyMap<ByteString, Slot>;

/** A function of a set is called with what it takes of `args`; anything else is the result itself. */
export function autoCall(e: Evaluator, args: AutoArguments, slot: Slot): Value {
  const value = e.force(slot);
  if (value instanceof Attrs) {
    const functor = value.get("__functor");
    return functor === undefined ? value : autoCall(e, args, e.call(e.force(functor), [value], NO_POSITION));
  }
  if (!(value instanceof Closure)) return value;
  const info = e.lambdaInfo(value);
  if (!info.hasFormals) return value;
  const given = new Map<ByteString, Slot>();
  if (info.ellipsis) for (const [name, argument] of args) given.set(name, argument);
  else {
    for (const formal of e.formalsOf(value)) {
      const argument = args.get(formal.name);
      if (argument !== undefined) given.set(formal.name, argument);
      else if (!formal.hasDefault) {
        throw e.error(
          "type",
          `cannot evaluate a function that has an argument without a value ('${formal.name}')\nNix attempted to evaluate a function as a top level expression; in\nthis case it must have its arguments supplied either by default\nvalues, or passed explicitly with '--arg' or '--argstr'. See\nhttps://nix.dev/manual/nix/stable/language/syntax.html#functions.`,
          formal.place,
        );
      }
    }
  }
  return e.call(value, [e.makeSet(given)], NO_POSITION);
}

/** The names of `a."b.c".0`. */
export function parseAttributePath(text: ByteString): readonly ByteString[] {
  const names: ByteString[] = [];
  let current = "";
  for (let i = 0; i < text.length; i++) {
    const c = text[i]!;
    if (c === ".") {
      names.push(current);
      current = "";
    } else if (c === '"') {
      const end = text.indexOf('"', i + 1);
      if (end < 0) throw new NixError("parse", `missing closing quote in selection path '${text}'`);
      current += text.slice(i + 1, end);
      i = end;
    } else current += c;
  }
  if (current !== "") names.push(current);
  return names;
}

/** What `-A path` selects; a whole number is an index of a list. */
export function selectAttributePath(e: Evaluator, path: ByteString, args: AutoArguments, root: Slot): Slot {
  let slot = root;
  for (const name of parseAttributePath(path)) {
    const value = autoCall(e, args, slot);
    const isIndex = /^[0-9]+$/.test(name) && Number(name) <= 0xffff_ffff;
    if (isIndex) {
      if (!Array.isArray(value)) throw e.error("type", `the expression selected by the selection path '${path}' should be a list but is ${showType(value)}`);
      const element = value[Number(name)];
      if (element === undefined) throw e.error("eval", `list index ${Number(name)} in selection path '${path}' is out of range`);
      slot = element;
      continue;
    }
    if (!(value instanceof Attrs)) throw e.error("type", `the expression selected by the selection path '${path}' should be a set but is ${showType(value)}`);
    if (name === "") throw e.error("eval", `empty attribute name in selection path '${path}'`);
    const found = value.get(name);
    if (found === undefined) throw e.error("eval", `attribute '${name}' in selection path '${path}' not found`, NO_POSITION, bestMatches(value.shape.names, name));
    slot = found;
  }
  return slot;
}
