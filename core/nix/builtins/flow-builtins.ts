import type { Evaluator } from "../evaluator.ts";
import { indentReport, NixError } from "../nix-error.ts";
import { formatValueForError, formatValueForTrace } from "../format-value.ts";
import { OrderedKeys } from "../ordered-keys.ts";
import { typeName } from "../type-name.ts";
import { Attrs, Builtin, Closure, NixString, NO_PLACES, NO_POSITION, PartialBuiltin, textOf, type Slot, type Value } from "../value.ts";
import type { BuiltinDefinition } from "./builtin-definition.ts";

/** Types, errors, tracing, evaluation order. */
export function flowBuiltins(e: Evaluator): readonly BuiltinDefinition[] {
  const isType = (name: string, type: string): BuiltinDefinition => [name, 1, ([v]) => typeName(e.force(v!)) === type];
  /** By function in the code. */
  const functionArguments = new Map<number, Attrs>();
  const tried = e.shapes.of(["success", "value"]);
  const trace = (message: Slot, v: Slot): Value => {
    const value = e.force(message);
    e.io.log(`trace: ${typeof value === "string" || value instanceof NixString ? textOf(value) : formatValueForTrace(e, value)}`);
    return e.force(v);
  };
  return [
    isType("isNull", "null"), isType("isBool", "bool"), isType("isInt", "int"), isType("isFloat", "float"), isType("isString", "string"),
    isType("isPath", "path"), isType("isList", "list"), isType("isAttrs", "set"), isType("isFunction", "lambda"),
    ["typeOf", 1, ([v]) => typeName(e.force(v!))],
    ["seq", 2, ([a, b]) => (e.force(a!), e.force(b!))],
    ["deepSeq", 2, ([a, b]) => (e.forceDeep(a!), e.force(b!))],
    ["break", 1, ([v]) => e.force(v!)],
    ["abort", 1, ([v]) => {
      const text = e.coerceToString(v!, NO_POSITION, new Set(), "while evaluating the error message passed to builtins.abort", false, true);
      throw e.error("abort", `evaluation aborted with the following error message: '${text}'`);
    }],
    ["throw", 1, ([v]) => {
      throw e.error("throw", e.coerceToString(v!, NO_POSITION, new Set(), "while evaluating the error message passed to builtin.throw", false, true));
    }],
    ["tryEval", 1, ([v]) => {
      let value: Value = false;
      let success = false;
      try {
        value = e.force(v!);
        success = true;
      } catch (error) {
        // Only what the expression itself refused; its mistakes go on.
        if (!(error instanceof NixError) || (error.kind !== "throw" && error.kind !== "assertion")) throw error;
      }
      return new Attrs(tried, [success, value], NO_PLACES);
    }],
    ["addErrorContext", 2, ([context, v]) => {
      try {
        return e.force(v!);
      } catch (error) {
        const message = e.coerceToString(context!, NO_POSITION, new Set(), "while evaluating the error message passed to builtins.addErrorContext", false, false);
        if (error instanceof NixError) error.addTrace(message, undefined, "always");
        throw error;
      }
    }],
    ["trace", 2, ([message, v]) => trace(message!, v!)],
    ["traceVerbose", 2, ([message, v]) => (e.settings.traceVerbose === true ? trace(message!, v!) : e.force(v!))],
    ["warn", 2, ([message, v]) => {
      const text = textOf(e.forceString(message!, NO_POSITION, "while evaluating the first argument; the message passed to builtins.warn"));
      e.io.log(indentReport("evaluation warning: ", text));
      if (e.settings.abortOnWarn === true) throw e.error("abort", "aborting to reveal stack trace of warning, as abort-on-warn is set");
      return e.force(v!);
    }],
    ["functionArgs", 1, ([f]) => {
      const fn = e.force(f!);
      if (fn instanceof Builtin) return e.makeSet(fn.formals.map(({ name, hasDefault }) => [name, hasDefault]));
      if (fn instanceof PartialBuiltin) return e.makeSet([]);
      if (!(fn instanceof Closure)) throw e.error("type", "'functionArgs' requires a function");
      let set = functionArguments.get(fn.code);
      if (set === undefined) {
        const formals = e.formalsOf(fn);
        set = new Attrs(e.shapes.of(formals.map((formal) => formal.name)), formals.map((formal) => formal.hasDefault), formals.map((formal) => formal.place));
        functionArguments.set(fn.code, set);
      }
      return set;
    }],
    ["genericClosure", 1, ([argument]) => {
      const set = e.forceAttrs(argument!, NO_POSITION, "while evaluating the first argument passed to builtins.genericClosure");
      const need = (name: string, context: string) => {
        const slot = set.get(name);
        if (slot === undefined) throw e.trace(e.error("type", `attribute '${name}' missing`), context);
        return slot;
      };
      const start = e.forceList(need("startSet", "in the attrset passed as argument to builtins.genericClosure"), NO_POSITION, "while evaluating the 'startSet' attribute passed as argument to builtins.genericClosure");
      if (start.length === 0) return start;
      const operator = e.forceFunction(need("operator", "in the attrset passed as argument to builtins.genericClosure"), NO_POSITION, "while evaluating the 'operator' attribute passed as argument to builtins.genericClosure");
      const result: Value[] = [];
      const work = start.slice();
      // Keys of one kind are known by their text; at the first of another kind all go into a tree, as the reference has them.
      let known: Map<string, readonly [key: Value, item: Attrs]> | undefined = new Map();
      const ordered = new OrderedKeys<Value, Attrs>((a, b) => e.lessThan(a, b, ""));
      const isNew = (key: Value, item: Attrs): boolean => {
        if (known !== undefined) {
          const text = typeof key === "string" ? `s${key}` : key instanceof NixString ? `s${key.text}` : typeof key === "number" || typeof key === "bigint" ? `i${key}` : undefined;
          const [first] = known.keys();
          if (text !== undefined && (first === undefined || first[0] === text[0])) {
            if (known.has(text)) return false;
            known.set(text, [key, item]);
            return true;
          }
          const before = known;
          known = undefined;
          for (const [one, its] of before.values()) ordered.insert(one, its);
        }
        return ordered.insert(key, item);
      };
      for (let i = 0; i < work.length; i++) {
        const element = (): string => `element ${formatValueForError(e, work[i]!)}`;
        let item: Attrs;
        let slot: Slot | undefined;
        try {
          item = e.forceAttrs(work[i]!, NO_POSITION, "");
          slot = item.get("key");
          if (slot === undefined) throw e.error("type", "attribute 'key' missing");
        } catch (error) {
          throw e.trace(error, `in genericClosure ${element()}`);
        }
        const key = e.force(slot);
        try {
          if (!isNew(key, item)) continue;
        } catch (error) {
          const other = findIncomparable(e, key, ordered);
          if (other === undefined) throw e.trace(error, `while checking key of ${element()}`);
          e.trace(error, `with element ${formatValueForError(e, other)}`);
          throw e.trace(error, `while comparing ${element()}`);
        }
        result.push(item);
        try {
          const more = e.forceList(e.call(operator, [item], NO_POSITION), NO_POSITION, "while evaluating the return value of the `operator` passed to builtins.genericClosure");
          for (const next of more) {
            e.force(next);
            work.push(next);
          }
        } catch (error) {
          throw e.trace(error, `while calling operator on genericClosure ${element()}`);
        }
      }
      return result;
    }],
  ];
}

/** The first element, in the order of keys, whose key cannot be compared with this one. */
function findIncomparable(e: Evaluator, key: Value, ordered: OrderedKeys<Value, Attrs>): Attrs | undefined {
  for (const [other, element] of ordered.entries()) {
    try {
      e.lessThan(key, other, "");
    } catch (error) {
      if (!(error instanceof NixError)) throw error;
      return element;
    }
  }
  return undefined;
}
