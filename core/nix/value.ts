import type { ByteString } from "../util/bytes.ts";

/**
 * Where an evaluation stands. `x` is what is bound there: the argument of a function that takes it by one name, else the
 * array of slots. Most are of such functions, and an object of one field is the smallest that there is.
 */
export class Environment {
  // Declared only, as in the other classes of which there are many: else each field is defined before it is assigned.
  declare readonly up: Environment | undefined;
  declare readonly x: unknown;
  constructor(up: Environment | undefined, x: unknown) {
    this.up = up;
    this.x = x;
  }
}

/**
 * A suspended evaluation, then its result.
 * - `code` ≥ 0: the node there, in the environment `x`
 * - DONE: the value `x`
 * - BUSY: being evaluated
 * - NATIVE: the function `x` gives the value
 * - CALL: the `DelayedCall` `x`, which is not busy while it runs
 * - MAPPED: the call of the `Mapping` `x` with its element at `slot`; as CALL, but of a `MappedThunk`
 * - FAILED: the error `x`
 */
export class Thunk {
  declare code: number;
  declare x: unknown;
  constructor(code: number, x: unknown) {
    this.code = code;
    this.x = x;
  }
}
/**
 * A function that was written in a set or list, once it was wanted from there: until then the reference has a thunk there,
 * which messages and lazy printing show.
 */
export class WantedFunction extends Thunk {
  constructor(fn: Closure) {
    super(DONE, fn);
  }
}

/** What the reference has evaluated from the start, and is evaluated here when it is wanted or shown. */
export class PresentThunk extends Thunk {
  constructor(compute: () => Value) {
    super(NATIVE, compute);
  }
  /** Once it is evaluated it is as any other. */
  show(): void {
    if (this.code !== NATIVE) return;
    this.x = (this.x as () => Value)();
    this.code = DONE;
  }
}

export const DONE = -1;
export const BUSY = -2;
export const NATIVE = -3;
export const CALL = -4;
export const FAILED = -5;
export const MAPPED = -6;

/** A function for each of many values, or of the values of a set, after its name where there are names. */
export type Mapping = { readonly fn: Slot; readonly names: readonly ByteString[] | undefined; readonly values: readonly Slot[] | Attrs };

/** One value of a mapping: most of those of a large set are never wanted, so that each is as small as it can be. */
export class MappedThunk extends Thunk {
  declare readonly slot: number;
  constructor(mapping: Mapping, slot: number) {
    super(MAPPED, mapping);
    this.slot = slot;
  }
}

/**
 * Stands in a large set for each delayed call of a mapping that was not asked for yet: of the thousands of a set of
 * packages few are. Wherever a set is copied to, the call of a name is one and the same.
 */
export class UnmadeCalls {
  readonly #mapping: Mapping & { readonly values: Attrs };
  readonly #made = new Map<ByteString, MappedThunk>();
  constructor(fn: Slot, values: Attrs) {
    this.#mapping = { fn, names: values.shape.names, values };
  }
  callOf(name: ByteString): MappedThunk {
    let call = this.#made.get(name);
    if (call === undefined) this.#made.set(name, (call = new MappedThunk(this.#mapping, this.#mapping.values.shape.slotOf(name))));
    return call;
  }
}

/** A function and what to call it with, when the result is wanted. */
export type DelayedCall = readonly [fn: Slot, args: readonly Slot[]];

/** Floats have an object of their own because whole numbers are plain ones. */
export class NixFloat {
  declare readonly value: number;
  constructor(value: number) {
    this.value = value;
  }
}

/** What a string carries: `path`, `!output!path.drv` or `=path.drv`, as the reference encodes it. */
export type Context = ReadonlySet<ByteString>;

export class NixString {
  declare readonly text: ByteString;
  declare readonly context: Context;
  constructor(text: ByteString, context: Context) {
    this.text = text;
    this.context = context;
  }
}

export class NixPath {
  declare readonly path: ByteString;
  constructor(path: ByteString) {
    this.path = path;
  }
}

/** Sets as large as this are too rare to share their shapes. */
export const LARGE = 200;

/** So many names are compared one by one. */
const FEW = 8;

/** The names of a set, sorted by bytes. Sets with the same names share it, so that a place in the code can remember slots. */
export class Shape {
  readonly id: number;
  readonly names: readonly ByteString[];
  readonly isLarge: boolean;
  /** The slots in the order in which the evaluation met their names, once it was asked for. */
  symbolOrder: Int32Array | undefined;
  /** The shapes of all names but one, by its slot, as far as they were asked for. */
  without: Map<number, Shape> | undefined;
  #slots: Map<ByteString, number> | undefined;
  #searches = 0;
  constructor(id: number, names: readonly ByteString[]) {
    this.id = id;
    this.names = names;
    this.isLarge = names.length > LARGE;
  }
  slotOf(name: ByteString): number {
    if (this.#slots !== undefined) return this.#slots.get(name) ?? -1;
    const { names } = this;
    if (names.length <= FEW) {
      for (let i = 0; i < names.length; i++) if (names[i] === name) return i;
      return -1;
    }
    // Many sets are asked once; a table of their names is worth its making only when they are asked often.
    if (++this.#searches * 8 <= names.length) return Math.max(-1, findName(names, name));
    this.#slots = new Map();
    for (let i = 0; i < names.length; i++) this.#slots.set(names[i]!, i);
    return this.#slots.get(name) ?? -1;
  }
}

/** The slot of a name among sorted ones, or -1 - where it belongs. */
export function findName(names: readonly ByteString[], name: ByteString): number {
  let low = 0;
  let high = names.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const other = names[middle]!;
    if (other === name) return middle;
    if (other < name) low = middle + 1;
    else high = middle;
  }
  return -1 - low;
}

/** Where each attribute was defined: the node that made the set, the words that hold a place, or what other sets say. */
export type AttributePlaces = number | readonly number[] | MergedPlaces | PlacesByName | PickedPlaces;
export class MergedPlaces {
  declare readonly plan: readonly number[];
  declare readonly left: AttributePlaces;
  declare readonly right: AttributePlaces;
  constructor(plan: readonly number[], left: AttributePlaces, right: AttributePlaces) {
    this.plan = plan;
    this.left = left;
    this.right = right;
  }
}
/** Two sets merged of which one is large: found by name, since a place is seldom asked for. */
export class PlacesByName {
  readonly shape: Shape;
  readonly leftShape: Shape;
  readonly left: AttributePlaces;
  readonly rightShape: Shape;
  readonly right: AttributePlaces;
  constructor(shape: Shape, leftShape: Shape, left: AttributePlaces, rightShape: Shape, right: AttributePlaces) {
    this.shape = shape;
    this.leftShape = leftShape;
    this.left = left;
    this.rightShape = rightShape;
    this.right = right;
  }
}
/** Those of some attributes of a set: the slot in it of each, or with `isRest` of those that are left out, rising. */
export class PickedPlaces {
  readonly slots: readonly number[];
  readonly of: AttributePlaces;
  readonly isRest: boolean;
  constructor(slots: readonly number[], of: AttributePlaces, isRest = false) {
    this.slots = slots;
    this.of = of;
    this.isRest = isRest;
  }
}
export const NO_PLACES = -1;

/** Only a large set has calls that are not made. */
export type StoredSlot = Slot | UnmadeCalls;

export class Attrs {
  declare readonly shape: Shape;
  /** As they are kept; `at` has them as they are used. */
  declare readonly stored: StoredSlot[];
  declare readonly places: AttributePlaces;
  constructor(shape: Shape, stored: StoredSlot[], places: AttributePlaces) {
    this.shape = shape;
    this.stored = stored;
    this.places = places;
  }
  at(slot: number): Slot {
    const stored = this.stored[slot]!;
    return this.shape.isLarge && stored instanceof UnmadeCalls ? this.#make(slot, stored) : (stored as Slot);
  }
  /** All of them: of a large set `at` is to be asked, where only some are wanted. */
  get values(): Slot[] {
    if (this.shape.isLarge) for (let slot = 0; slot < this.stored.length; slot++) this.at(slot);
    return this.stored as Slot[];
  }
  get(name: ByteString): Slot | undefined {
    const slot = this.shape.slotOf(name);
    return slot < 0 ? undefined : this.at(slot);
  }
  #make(slot: number, unmade: UnmadeCalls): Slot {
    const call = unmade.callOf(this.shape.names[slot]!);
    this.stored[slot] = call;
    return call;
  }
}

export class Closure {
  declare readonly code: number;
  declare readonly env: Environment;
  constructor(code: number, env: Environment) {
    this.code = code;
    this.env = env;
  }
}

export type BuiltinFormal = { readonly name: ByteString; readonly hasDefault: boolean };

export class Builtin {
  readonly name: string;
  readonly arity: number;
  /** `pos` is the word that holds the place of the call. */
  readonly run: (args: readonly Slot[], pos: number) => Value;
  /** What a function of another language takes out of a set, and whether it can do without. */
  readonly formals: readonly BuiltinFormal[];
  constructor(name: string, arity: number, run: (args: readonly Slot[], pos: number) => Value, formals: readonly BuiltinFormal[] = []) {
    this.name = name;
    this.arity = arity;
    this.run = run;
    this.formals = formals;
  }
}

/** A builtin that has some of its arguments. */
export class PartialBuiltin {
  readonly builtin: Builtin;
  readonly args: readonly Slot[];
  constructor(builtin: Builtin, args: readonly Slot[]) {
    this.builtin = builtin;
    this.args = args;
  }
}

/** Whole numbers are plain while they are safe, and big beyond, always within 64 bits. */
export type Value = null | boolean | number | bigint | string | NixString | NixFloat | NixPath | NixList | Attrs | Closure | Builtin | PartialBuiltin;
export type NixList = Slot[];
export type Slot = Value | Thunk;

/** Of what stands nowhere: no word of the tree holds its place. */
export const NO_POSITION = -1;

export const NO_CONTEXT: Context = new Set();

export function textOf(value: string | NixString): ByteString {
  return typeof value === "string" ? value : value.text;
}

export function contextOf(value: Value): Context {
  return value instanceof NixString ? value.context : NO_CONTEXT;
}

/** The element that messages show of a context: paths come before derivations with their closures, those before outputs. */
export function leastOfContext(context: Context): ByteString | undefined {
  const rank = (element: ByteString): string => (element.startsWith("=") ? `1${element}` : element.startsWith("!") ? `2${element.replace(/^!(.*)!([^!]*)$/s, "$2!$1")}` : `0${element}`);
  let least: ByteString | undefined;
  for (const element of context) if (least === undefined || rank(element) < rank(least)) least = element;
  return least;
}

/** A context element as messages show it. */
export function displayContext(element: ByteString, storeDir: string): string {
  if (element.startsWith("=")) return `${storeDir}/${element.slice(1)} (deep)`;
  const output = /^!(.*)!([^!]*)$/.exec(element);
  return output === null ? `${storeDir}/${element}` : `${storeDir}/${output[2]!}^${output[1]!.split("!").reverse().join("^")}`;
}
