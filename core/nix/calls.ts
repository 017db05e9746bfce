import type { ByteString } from "../util/bytes.ts";
import { NAMES } from "./code-area.ts";
import { Comparison } from "./comparison.ts";
import { formatIdentifier } from "./format-literal.ts";
import { NixError } from "./nix-error.ts";
import * as Op from "./opcode.ts";
import { FORMALS, FORMAL_SIZE } from "./opcode.ts";
import { bestMatches } from "./suggestions.ts";
import { Attrs, Builtin, Closure, Environment, NO_POSITION, PartialBuiltin, Thunk, type Slot, type Value, WantedFunction } from "./value.ts";

/** More than an evaluation can have. */
const SHAPES = 2 ** 24;
const NO_ARGUMENTS: readonly Slot[] = [];

/** How functions are called, and what their arguments become. */
export abstract class Calls extends Comparison {
  /** By name with and without `__`. */
  readonly globals = new Map<ByteString, Slot>();
  /** By index of the name. */
  protected readonly globalSlots: (Slot | undefined)[] = [];
  protected readonly formalPlans: (readonly number[])[] = [];
  /** By node and shape, as one number. */
  protected readonly formalPlanIndex = new Map<number, number>();

  /** The child as it is stored in a set or list: constants, functions and variables need no thunk of their own. */
  protected delay(p: number, env: Environment): Slot {
    const code = this.code;
    switch (code[p]) {
      case Op.int:
        return code[p + 1]!;
      case Op.string:
        return this.strings[code[p + 1]!]!;
      case Op.bigInt:
      case Op.float:
      case Op.path:
        return this.constant(p);
      case Op.lambda:
        return new Closure(p, env);
      case Op.argument0:
        return env.x as Slot;
      case Op.argument1:
        return env.up!.x as Slot;
      case Op.argument: {
        let e = env;
        for (let level = code[p + 2]!; level > 0; level--) e = e.up!;
        return e.x as Slot;
      }
      case Op.variable0:
        return (env.x as Slot[])[code[p + 2]!] ?? new Thunk(p, env);
      case Op.variable1:
        return (env.up!.x as Slot[])[code[p + 2]!] ?? new Thunk(p, env);
      case Op.variable: {
        let e = env;
        for (let level = code[p + 2]!; level > 0; level--) e = e.up!;
        return (e.x as Slot[])[code[p + 3]!] ?? new Thunk(p, env);
      }
      case Op.global:
        return this.global(code[p + 2]!);
      case Op.list:
        return code[p + 2] === 0 ? [] : new Thunk(p, env);
      default:
        return new Thunk(p, env);
    }
  }

  /** What a name means that is bound nowhere else. */
  protected global(name: number): Slot {
    const known = this.globalSlots[name];
    if (known !== undefined) return known;
    const found = this.globals.get(this.strings[name]!)!;
    while (this.globalSlots.length <= name) this.globalSlots.push(undefined);
    return (this.globalSlots[name] = found);
  }

  call(callee: Value, args: readonly Slot[], pos: number): Value {
    let fn = callee;
    let i = 0;
    const n = args.length;
    while (i < n) {
      if (fn instanceof Closure) {
        const code = this.code;
        let at = fn.code;
        let up = fn.env;
        while (i + 1 < n && code[at + 4]! < 0 && code[at + code[at + 6]!] === Op.lambda) {
          up = new Environment(up, args[i++]!);
          at += code[at + 6]!;
        }
        fn = this.enter(at, up, args[i++]!, pos);
      } else if (fn instanceof Builtin || fn instanceof PartialBuiltin) {
        const builtin: Builtin = fn instanceof Builtin ? fn : fn.builtin;
        const have: readonly Slot[] = fn instanceof Builtin ? NO_ARGUMENTS : fn.args;
        const want = builtin.arity - have.length;
        if (n - i < want) return new PartialBuiltin(builtin, [...have, ...args.slice(i)]);
        const all: readonly Slot[] = have.length === 0 && i === 0 && n === want ? args : [...have, ...args.slice(i, i + want)];
        i += want;
        this.deeper(pos);
        try {
          fn = builtin.run(all, NO_POSITION);
        } catch (error) {
          if (builtin.name !== "addErrorContext") this.trace(error, `while calling the '${builtin.name}' builtin`, pos);
          throw error;
        } finally {
          this.depth--;
        }
      } else if (fn instanceof Attrs && this.findSlot(fn.shape, NAMES.functor) >= 0) fn = this.callFunctor(fn, args[i++]!, pos);
      else throw this.error("type", `attempt to call something which is not a function but ${this.describe(fn)}`, pos);
    }
    return fn;
  }

  /** The same with one argument. */
  call1(fn: Value, argument: Slot, pos: number): Value {
    return fn instanceof Closure ? this.enter(fn.code, fn.env, argument, pos) : this.call(fn, [argument], pos);
  }

  /** The same with two. */
  call2(fn: Value, first: Slot, second: Slot, pos: number): Value {
    if (!(fn instanceof Closure)) return this.call(fn, [first, second], pos);
    const code = this.code;
    const body = fn.code + code[fn.code + 6]!;
    if (code[fn.code + 4]! < 0 && code[body] === Op.lambda) return this.enter(body, new Environment(fn.env, first), second, pos);
    return this.call1(this.enter(fn.code, fn.env, first, pos), second, pos);
  }

  protected callFunctor(self: Attrs, argument: Slot, pos: number): Value {
    const slot = this.findSlot(self.shape, NAMES.functor);
    try {
      this.deeper(pos);
      try {
        const functor = self.at(slot);
        if (functor instanceof Closure) self.stored[slot] = new WantedFunction(functor);
        return this.call(this.force(functor), [self, argument], this.placeOf(self.places, slot));
      } finally {
        this.depth--;
      }
    } catch (error) {
      throw this.trace(error, "while calling a functor (an attribute set with a '__functor' attribute)", pos);
    }
  }

  /** Runs the lambda at `p`, made in the environment `up`. */
  protected enter(p: number, up: Environment, argument: Slot, pos: number): Value {
    const code = this.code;
    const n = code[p + 4]!;
    this.deeper(pos);
    let entered = false;
    try {
      const env = n < 0 ? new Environment(up, argument) : this.match(p, n, up, argument, pos);
      entered = true;
      return this.eval(p + code[p + 6]!, env);
    } catch (error) {
      if (entered && error instanceof NixError) {
        const name = code[p + 2]!;
        error.addTrace(`while calling ${name < 0 ? "anonymous lambda" : `'${this.strings[name]!}'`}`, this.positionAt(p + 1), "verbose");
        if (pos >= 0) error.addTrace("from call site", this.positionAt(pos), "verbose");
      }
      throw error;
    } finally {
      this.depth--;
    }
  }

  protected match(p: number, n: number, up: Environment, argument: Slot, pos: number): Environment {
    const code = this.code;
    let set: Attrs;
    try {
      set = this.forceAttrs(argument, p + 1, "while evaluating the value passed for the lambda argument");
    } catch (error) {
      if (pos >= 0) this.trace(error, "from call site", pos);
      throw error;
    }
    const hasArgument = code[p + 3]! >= 0;
    let plan: readonly number[];
    if (set.shape.id === code[p + 7]) plan = this.formalPlans[code[p + 8]!]!;
    else {
      // Forcing may have made the array a larger one.
      const now = this.code;
      const key = p * SHAPES + set.shape.id;
      let index = this.formalPlanIndex.get(key);
      if (index === undefined) {
        index = this.formalPlans.push(this.planFormals(p, n, set, pos)) - 1;
        this.formalPlanIndex.set(key, index);
      }
      now[p + 7] = set.shape.id;
      now[p + 8] = index;
      plan = this.formalPlans[index]!;
    }
    const first = hasArgument ? 1 : 0;
    const slots = new Array<Slot>(first + n);
    const env = new Environment(up, slots);
    if (hasArgument) slots[0] = set;
    // Formals stand in the order in which their names were met, their slots in the same.
    for (let i = 0; i < n; i++) {
      const slot = plan[i]!;
      slots[first + i] = slot >= 0 ? set.at(slot) : this.delay(p + code[p + FORMALS + i * FORMAL_SIZE + 2]!, env);
    }
    return env;
  }

  protected planFormals(p: number, n: number, set: Attrs, pos: number): readonly number[] {
    const code = this.code;
    const plan: number[] = [];
    const name = code[p + 2]! < 0 ? "anonymous lambda" : this.strings[code[p + 2]!]!;
    let used = 0;
    let missing = -1;
    for (let i = 0; i < n; i++) {
      const name = code[p + FORMALS + i * FORMAL_SIZE]!;
      const slot = this.findSlot(set.shape, name);
      plan.push(slot);
      if (slot >= 0) used++;
      else if (code[p + FORMALS + i * FORMAL_SIZE + 2] === 0 && (missing < 0 || name < missing)) missing = name;
    }
    if (missing >= 0) {
      const error = this.error("type", `function '${name}' called without required argument '${this.strings[missing]!}'`, p + 1);
      throw pos < 0 ? error : error.addTrace("from call site", this.positionAt(pos));
    }
    if (code[p + 5] === 0 && used < set.stored.length) {
      const formals = new Set<ByteString>();
      for (let i = 0; i < n; i++) formals.add(this.strings[code[p + FORMALS + i * FORMAL_SIZE]!]!);
      const names = set.shape.names;
      const unexpected = names[this.symbolOrder(set.shape).find((slot) => !formals.has(names[slot]!))!]!;
      const error = this.error("type", `function '${name}' called with unexpected argument '${formatIdentifier(unexpected)}'`, p + 1, bestMatches([...formals], unexpected));
      throw pos < 0 ? error : error.addTrace("from call site", this.positionAt(pos));
    }
    return plan;
  }
}
