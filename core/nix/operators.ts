import { assertEqual } from "./assert-equal.ts";
import { calculate } from "./calculate.ts";
import { Calls } from "./calls.ts";
import { canonicalPath } from "./canonical-path.ts";
import type { ByteString } from "../util/bytes.ts";
import { addIntegers } from "./integer.ts";
import { NixError } from "./nix-error.ts";
import * as Op from "./opcode.ts";
import { showType } from "./type-name.ts";
import { Attrs, NixFloat, NixPath, NixString, NO_POSITION, type Context, type Environment, type NixList, type Value } from "./value.ts";

/** Nodes that are operators: the order in which each evaluates its operands, and what it says of wrong ones. */
export abstract class Operators extends Calls {
  protected condition(p: number, env: Environment, pos: number, context: string): boolean {
    let value: Value;
    try {
      value = this.eval(p, env);
      if (typeof value === "boolean") return value;
      throw this.error("type", `expected a Boolean but found ${this.describe(value)}`, pos);
    } catch (error) {
      throw this.trace(error, context, pos);
    }
  }

  protected assert(p: number, env: Environment): Value {
    const code = this.code;
    const condition = p + code[p + 2]!;
    if (!this.condition(condition, env, p + 1, "in the condition of the assert statement")) {
      const text = this.strings[code[p + 4]!]!;
      if (code[condition] === Op.equal) {
        try {
          const left = this.eval(condition + code[condition + 2]!, env);
          const right = this.eval(condition + code[condition + 3]!, env);
          assertEqual(this, left, right, condition + 1);
        } catch (error) {
          if (error instanceof NixError && (error.kind === "assertion" || error.kind === "throw")) this.trace(error, `while evaluating the condition of the assertion '${text}'`, p + 1);
          throw error;
        }
      }
      throw this.error("assertion", `assertion '${text}' failed`, p + 1);
    }
    return this.eval(p + code[p + 3]!, env);
  }

  protected evalEqual(p: number, env: Environment, context = "while testing two values for equality"): boolean {
    const code = this.code;
    const left = this.eval(p + code[p + 2]!, env);
    const right = this.eval(p + code[p + 3]!, env);
    return this.equalValues(left, right, p + 1, context);
  }

  /** The right one first: it is what counts. */
  protected update(p: number, env: Environment): Attrs {
    const code = this.code;
    const right = this.updateOperand(p + code[p + 3]!, env, "in the right operand of the update (//) operator");
    const left = this.updateOperand(p + code[p + 2]!, env, "in the left operand of the update (//) operator");
    return this.mergeSets(left, right);
  }

  protected updateOperand(p: number, env: Environment, context: string): Attrs {
    // A chain of updates is one to the traces.
    if (this.code[p] === Op.update) return this.update(p, env);
    try {
      const value = this.eval(p, env);
      if (value instanceof Attrs) return value;
      throw this.error("type", `expected a set but found ${this.describe(value)}`);
    } catch (error) {
      throw this.trace(error, context, this.posOf(p));
    }
  }

  protected concatenable(value: Value, p: number): NixList {
    if (Array.isArray(value)) return value;
    throw this.trace(this.expected("a list", value, NO_POSITION), "while evaluating one of the elements to concatenate", p + 1);
  }

  protected evalLessThan(p: number, env: Environment): boolean {
    const code = this.code;
    this.deeper(p + 1);
    try {
      const left = this.eval(p + code[p + 2]!, env);
      const right = this.eval(p + code[p + 3]!, env);
      return this.lessThan(left, right, "");
    } catch (error) {
      throw this.trace(error, "while calling the 'lessThan' builtin", p + 1);
    } finally {
      this.depth--;
    }
  }

  protected arithmetic(op: number, p: number, env: Environment): Value {
    const code = this.code;
    this.deeper(p + 1);
    try {
      if (op === Op.divide) {
        const left = this.eval(p + code[p + 2]!, env);
        const right = this.eval(p + code[p + 3]!, env);
        const divisor = this.forceNumber(right, "while evaluating the second operand of the division");
        if ((divisor instanceof NixFloat ? divisor.value : Number(divisor)) === 0) throw this.error("eval", "division by zero");
        return this.compute(op, left, right);
      }
      return this.compute(op, this.eval(p + code[p + 2]!, env), this.eval(p + code[p + 3]!, env));
    } catch (error) {
      throw this.trace(error, `while calling the '${op === Op.subtract ? "sub" : op === Op.multiply ? "mul" : "div"}' builtin`, p + 1);
    } finally {
      this.depth--;
    }
  }

  protected compute(op: number, left: Value, right: Value): Value {
    return calculate(this, op === Op.subtract ? "-" : op === Op.multiply ? "*" : "/", left, right);
  }

  protected concatStrings(p: number, env: Environment): Value {
    const code = this.code;
    const force = code[p + 2] === 1;
    const n = code[p + 3]!;
    // Most texts refer to one thing, and then share its context.
    let shared: Context | undefined;
    let context: Set<ByteString> | undefined;
    let text = "";
    let kind: "string" | "path" | "int" | "float" = "string";
    let integer: number | bigint = 0;
    let float = 0;
    for (let i = 0, cell = p + 4; i < n; i++, cell += 2) {
      const value = this.eval(p + code[cell + 1]!, env);
      if (i === 0 && !force) {
        if (typeof value === "number" || typeof value === "bigint") kind = "int";
        else if (value instanceof NixFloat) kind = "float";
        else if (value instanceof NixPath) kind = "path";
      }
      if (kind === "int") {
        if (typeof value === "number" || typeof value === "bigint") {
          const sum = addIntegers(integer, value);
          if (sum === undefined) throw this.error("overflow", `integer overflow in adding ${integer} + ${value}`, cell);
          integer = sum;
        } else if (value instanceof NixFloat) {
          kind = "float";
          float = Number(integer) + value.value;
        } else throw this.error("type", `cannot add ${showType(value)} to an integer`, cell);
      } else if (kind === "float") {
        if (typeof value === "number" || typeof value === "bigint") float += Number(value);
        else if (value instanceof NixFloat) float += value.value;
        else throw this.error("type", `cannot add ${showType(value)} to a float`, cell);
      } else if (typeof value === "string") text += value;
      else if (value instanceof NixString) {
        text += value.text;
        if (context === undefined && (shared === undefined || shared === value.context)) shared = value.context;
        else {
          context ??= new Set(shared);
          for (const element of value.context) context.add(element);
        }
      } else {
        context ??= new Set(shared);
        // The first piece of an interpolated path keeps its slash.
        text += this.coerceToString(value, cell, context, "while evaluating a path segment", false, kind === "string", !(i === 0 && !force));
      }
    }
    if (kind === "int") return integer;
    if (kind === "float") return new NixFloat(float);
    const carried = context ?? shared;
    if (kind === "path") {
      if (carried !== undefined && carried.size > 0) throw this.error("eval", "a string that refers to a store path cannot be appended to a path", p + 1);
      return new NixPath(canonicalPath(text));
    }
    return carried === undefined || carried.size === 0 ? text : new NixString(text, carried);
  }
}
