import type { ByteString } from "../util/bytes.ts";
import { CallDepth } from "./call-depth.ts";
import { NAMES } from "./code-area.ts";
import { formatValueForError } from "./format-value.ts";
import { NixError } from "./nix-error.ts";
import type { NixIo } from "./nix-io.ts";
import type { NixSettings } from "./nix-settings.ts";
import { showType } from "./type-name.ts";
import {
  Attrs, Builtin, BUSY, CALL, Closure, displayContext, leastOfContext, DONE, FAILED, MAPPED, MappedThunk, NATIVE, NixFloat, NixString, NO_PLACES, NO_POSITION, PartialBuiltin, Thunk, UnmadeCalls,
  type DelayedCall, type Environment, type Mapping, type NixList, type Slot, type StoredSlot, type Value,
} from "./value.ts";

/** What is wanted of a thunk, and what a value must be. */
export abstract class Forcing extends CallDepth {
  readonly io: NixIo;

  constructor(io: NixIo, settings: NixSettings) {
    super(settings);
    this.io = io;
  }

  /** The value of the node at `p`. */
  abstract eval(p: number, env: Environment): Value;
  abstract call(callee: Value, args: readonly Slot[], pos: number): Value;
  /** The same with one argument. */
  abstract call1(fn: Value, argument: Slot, pos: number): Value;
  /** The same with two. */
  abstract call2(fn: Value, first: Slot, second: Slot, pos: number): Value;

  force(slot: Slot, pos: number = NO_POSITION): Value {
    return slot instanceof Thunk ? (slot.code === DONE ? (slot.x as Value) : this.forceThunk(slot, pos)) : slot;
  }

  protected forceThunk(thunk: Thunk, pos: number): Value {
    const { code, x } = thunk;
    if (code === BUSY) throw this.error("recursion", "infinite recursion encountered", pos);
    if (code === FAILED) throw (x as NixError).clone();
    // A call that is delayed does not know that it runs: one that needs itself ends at the greatest depth.
    if (code !== CALL && code !== MAPPED) {
      thunk.code = BUSY;
      thunk.x = null;
    }
    try {
      const value = code >= 0 ? this.eval(code, x as Environment) : code === CALL ? this.callLate(x as DelayedCall, pos) : code === MAPPED ? this.callMapped(x as Mapping, (thunk as MappedThunk).slot, pos) : (x as () => Value)();
      thunk.code = DONE;
      thunk.x = value;
      return value;
    } catch (error) {
      // What failed fails the same way again, with the frames that it had the first time. What needed itself may be
      // there later: a function of another language that looked too early can say so and be asked again.
      if (error instanceof NixError && error.kind !== "recursion") {
        thunk.code = FAILED;
        thunk.x = error;
      } else {
        thunk.code = code;
        thunk.x = x;
      }
      throw error;
    }
  }

  protected callLate([fn, args]: DelayedCall, pos: number): Value {
    return this.call(this.force(fn, pos), args, pos);
  }

  protected callMapped({ fn, names, values }: Mapping, slot: number, pos: number): Value {
    const value = values instanceof Attrs ? values.at(slot) : values[slot]!;
    return names === undefined ? this.call1(this.force(fn, pos), value, pos) : this.call2(this.force(fn, pos), names[slot]!, value, pos);
  }

  lazy(compute: () => Value): Thunk {
    return new Thunk(NATIVE, compute);
  }

  /** The same with each of a set's values after its name, as another set. */
  lazyCallsOf(fn: Slot, set: Attrs): Attrs {
    const n = set.stored.length;
    return new Attrs(set.shape, set.shape.isLarge ? new Array<StoredSlot>(n).fill(new UnmadeCalls(fn, set)) : this.lazyCalls(fn, set.values, set.shape.names), NO_PLACES);
  }

  /** A call that is made only when its value is wanted. */
  lazyCall(fn: Slot, ...args: Slot[]): Thunk {
    return new Thunk(CALL, [fn, args]);
  }

  /** Calls of a function with each of the values, after its name if there are names; each made when its result is wanted. */
  lazyCalls(fn: Slot, values: readonly Slot[], names?: readonly ByteString[]): Slot[] {
    const mapping: Mapping = { fn, names, values };
    const thunks = new Array<Slot>(values.length);
    for (let slot = 0; slot < thunks.length; slot++) thunks[slot] = new MappedThunk(mapping, slot);
    return thunks;
  }

  describe(value: Value): string {
    return `${showType(value)}: ${formatValueForError(this, value)}`;
  }

  protected expected(what: string, value: Value, pos: number): NixError {
    return this.error("type", `expected ${what} but found ${this.describe(value)}`, pos);
  }

  // Unlike the others, these two say where they stand only of a wrong type.
  forceAttrs(slot: Slot, pos: number, context: string): Attrs {
    const value = this.force(slot, pos);
    if (value instanceof Attrs) return value;
    throw this.trace(this.expected("a set", value, NO_POSITION), context, pos);
  }

  forceList(slot: Slot, pos: number, context: string): NixList {
    const value = this.force(slot, pos);
    if (Array.isArray(value)) return value;
    throw this.trace(this.expected("a list", value, NO_POSITION), context, pos);
  }

  forceInteger(slot: Slot, pos: number, context: string): number | bigint {
    try {
      const value = this.force(slot, pos);
      if (typeof value === "number" || typeof value === "bigint") return value;
      throw this.expected("an integer", value, pos);
    } catch (error) {
      throw this.trace(error, context, pos);
    }
  }

  forceNumber(slot: Slot, context: string): number | bigint | NixFloat {
    try {
      const value = this.force(slot);
      if (typeof value === "number" || typeof value === "bigint" || value instanceof NixFloat) return value;
      throw this.expected("a float", value, NO_POSITION);
    } catch (error) {
      throw this.trace(error, context);
    }
  }

  forceBool(slot: Slot, pos: number, context: string): boolean {
    try {
      const value = this.force(slot, pos);
      if (typeof value === "boolean") return value;
      throw this.expected("a Boolean", value, pos);
    } catch (error) {
      throw this.trace(error, context, pos);
    }
  }

  forceFunction(slot: Slot, pos: number, context: string): Value {
    try {
      const value = this.force(slot, pos);
      if (value instanceof Closure || value instanceof Builtin || value instanceof PartialBuiltin || (value instanceof Attrs && this.findSlot(value.shape, NAMES.functor) >= 0)) return value;
      throw this.expected("a function", value, pos);
    } catch (error) {
      throw this.trace(error, context, pos);
    }
  }

  forceString(slot: Slot, pos: number, context: string): string | NixString {
    try {
      const value = this.force(slot, pos);
      if (typeof value === "string" || value instanceof NixString) return value;
      throw this.expected("a string", value, pos);
    } catch (error) {
      throw this.trace(error, context, pos);
    }
  }

  forceStringNoContext(slot: Slot, pos: number, context: string): ByteString {
    const value = this.forceString(slot, pos, context);
    if (typeof value === "string") return value;
    if (value.context.size > 0) {
      const error = this.error("eval", `the string '${value.text}' is not allowed to refer to a store path (such as '${displayContext(leastOfContext(value.context)!, this.io.storeDir)}')`);
      throw this.trace(error, context, pos);
    }
    return value.text;
  }
}
