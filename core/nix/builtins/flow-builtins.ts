import { NO_POSITION, textOf, typeName, type Evaluator } from "../evaluator.ts";
import { indentReport, NixError } from "../nix-error.ts";
import { formatValueForError, formatValueForTrace } from "../format-value.ts";
import { Attrs, Builtin, Closure, NixString, NO_PLACES, PartialBuiltin, type Slot, type Value } from "../value.ts";
import type { BuiltinDefinition } from "./builtin-table.ts";

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
      const known = new Map<string, true>();
      const keys: Value[] = [];
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
        const text = typeof key === "string" ? `s${key}` : key instanceof NixString ? `s${key.text}` : typeof key === "number" || typeof key === "bigint" ? `i${key}` : undefined;
        if (text !== undefined && known.has(text)) continue;
        if (keys.length > 0) {
          // The reference orders keys in a tree: keys of different types are an error.
          const before = keys[0]!;
          try {
            e.lessThan(key, before, "");
          } catch (error) {
            e.trace(error, `with element ${formatValueForError(e, result[0]!)}`);
            throw e.trace(error, `while comparing ${element()}`);
          }
          if (text === undefined && keys.some((other) => !e.lessThan(key, other, "") && !e.lessThan(other, key, ""))) continue;
        }
        if (text !== undefined) known.set(text, true);
        if (text === undefined || keys.length === 0) keys.push(key);
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
