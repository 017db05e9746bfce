/**
 * The interpreter: one switch over the flat tree. It is long because V8 keeps what one class knows of its own fields, and
 * because the order in which each construct forces its operands is the language's semantics and is best read in one place.
 */
import { toByteString, type ByteString } from "../util/bytes.ts";
import { assertEqual } from "./assert-equal.ts";
import { calculate } from "./calculate.ts";
import { canonicalPath } from "./canonical-path.ts";
import { compileNix, type CompiledFile, type Scope, type StringTable } from "./compile.ts";
import { coerceFloat } from "./format-float.ts";
import { withoutInternalFolder } from "./builtins/fetchurl-file.ts";
import { formatIdentifier } from "./format-literal.ts";
import { formatValueForError } from "./format-value.ts";
import { addIntegers, compareNumbers } from "./integer.ts";
import { formatHash, hashByteString } from "../hash/hash.ts";
import type { NixIo } from "./nix-io.ts";
import type { NixSettings } from "./nix-settings.ts";
import { NixError, type NixErrorKind, type NixPosition } from "./nix-error.ts";
import { BINDINGS, BINDING_SIZE, BOUND_FROM, BOUND_OUTSIDE, FORMALS, FORMAL_SIZE, Op, RECURSIVE } from "./opcode.ts";
import { parseNix } from "./parse.ts";
import type { ParsedFiles } from "./parsed-files.ts";
import { isLarge, ShapeTable } from "./shape-table.ts";
import { createLazySource, positionAt, type NixSource } from "./source.ts";
import { bestMatches } from "./suggestions.ts";
import { FIRST_SYMBOLS } from "./symbol-order.ts";
import { showType, typeName } from "./type-name.ts";
import {
  Attrs, Builtin, BUSY, CALL, Closure, DONE, FAILED, MAPPED, MappedThunk, MergedPlaces, NATIVE, NixFloat, NixPath, NixString, NO_PLACES, NO_POSITION, textOf, displayContext, NO_CONTEXT, PartialBuiltin, PickedPlaces, PlacesByName, PlacesWithout, Thunk,
  type AttributePlaces, type Context, type DelayedCall, type Mapping, type Environment, type NixList, type Shape, type Slot, type Value,
} from "./value.ts";

export type EvaluatorOptions = {
  readonly io: NixIo;
  readonly settings?: NixSettings | undefined;
  /** Used with an `io` that has `readSource`. */
  readonly parsedFiles?: ParsedFiles | undefined;
};

/** Where `derivation` itself is written. */
const NOWHERE = toByteString("«none»");
export const DERIVATION_FILE = toByteString("«nix-internal»/derivation-internal.nix");

/** More than an evaluation can have. */
const SHAPES = 2 ** 24;
/** Of the number of slots that are remembered beside the code. */
const SEEN_BITS = 15;
/** Indices of names that every evaluation has. */
const NAMES = { outPath: FIRST_SYMBOLS.indexOf("outPath"), type: FIRST_SYMBOLS.indexOf("type"), overrides: FIRST_SYMBOLS.indexOf("__overrides"), functor: FIRST_SYMBOLS.indexOf("__functor"), toString: FIRST_SYMBOLS.indexOf("__toString") } as const;
const NO_ARGUMENTS: readonly Slot[] = [];

export class Evaluator {
  readonly io: NixIo;
  readonly shapes = new ShapeTable();
  /** By name with and without `__`. */
  readonly globals = new Map<ByteString, Slot>();
  readonly settings: NixSettings;
  readonly #maxCallDepth: number;
  #globalNames: ReadonlySet<ByteString> | undefined;
  /** By index of the name. */
  readonly #globalSlots: (Slot | undefined)[] = [];
  /** Of each table of strings, where its strings are in `#strings`, plus one; 0: not there yet. */
  readonly #tables = new Map<StringTable, Int32Array>();
  readonly #parsedFiles: ParsedFiles | undefined;
  #circumstances: ByteString | undefined;
  #code = new Int32Array(1 << 20);
  #length = 1;
  readonly #strings: ByteString[] = [];
  readonly #stringIndex = new Map<ByteString, number>();
  readonly #constants: (Value | undefined)[] = [];
  readonly #files: { readonly base: number; readonly source: NixSource }[] = [];
  /** Shape + 1, name and slot of look-ups that were made before. */
  readonly #seenSlots = new Int32Array(3 << SEEN_BITS);
  readonly #formalPlans: Int32Array[] = [];
  /** By node and shape, as one number. */
  readonly #formalPlanIndex = new Map<number, number>();
  #depth = 0;

  constructor(options: EvaluatorOptions) {
    this.io = options.io;
    this.settings = options.settings ?? {};
    this.#parsedFiles = options.parsedFiles;
    this.#maxCallDepth = this.settings.maxCallDepth ?? 10_000;
    for (const name of FIRST_SYMBOLS) this.#intern(name);
  }

  // ───────── loading

  /** Parses, compiles and adds a text; the result is the thunk of its value. */
  load(text: ByteString, file: ByteString, basePath: ByteString, scope?: { readonly names: readonly ByteString[]; readonly values: readonly Slot[] }): Thunk {
    const parsed = parseNix(text, file, { basePath, home: this.io.home, settings: this.settings, warn: (warning) => this.io.log(warning) });
    this.#globalNames ??= new Set(this.globals.keys());
    const staticScope: Scope | undefined = scope === undefined ? undefined : { up: undefined, isWith: false, slots: new Map(scope.names.map((name, index) => [name, index + 1])) };
    const root = this.link(compileNix(parsed, this.#globalNames, staticScope), parsed.source);
    const env: Environment = [null];
    if (scope !== undefined) env.push(...scope.values);
    return new Thunk(root, env);
  }

  /** The same for the file at `path`, known as `file`, which may have been parsed before. */
  loadFile(path: ByteString, file: ByteString, basePath: ByteString): Thunk {
    const parsed = this.#parsedFiles;
    const read = parsed === undefined ? undefined : this.io.readSource?.(path);
    if (parsed === undefined || read === undefined) return this.load(this.io.readFile(path), file, basePath);
    // Whatever parsing and compiling depend on.
    this.#globalNames ??= new Set(this.globals.keys());
    this.#circumstances ??= JSON.stringify([this.settings, this.io.home ?? null, [...this.#globalNames].sort()]);
    const key = formatHash(hashByteString("sha256", `${read.hash}\0${basePath}\0${this.#circumstances}`), "base16", false);
    let compiled = parsed.find(key);
    if (compiled === undefined) {
      let warned = false;
      const syntax = parseNix(read.text(), file, {
        basePath,
        home: this.io.home,
        settings: this.settings,
        warn: (warning) => {
          warned = true;
          this.io.log(warning);
        },
      });
      compiled = compileNix(syntax, this.#globalNames);
      // What was warned of is to be warned of again.
      if (!warned) parsed.add(key, compiled);
    }
    return new Thunk(this.link(compiled, createLazySource(file, () => read.text())), [null]);
  }

  /** Adds a compiled file to the tree; the result is its root. */
  link(file: CompiledFile, source: NixSource): number {
    const base = this.#length;
    this.#length += file.code.length;
    if (this.#length > this.#code.length) {
      const larger = new Int32Array(Math.max(this.#length, this.#code.length * 2));
      larger.set(this.#code);
      this.#code = larger;
    }
    const code = this.#code;
    code.set(file.code, base);
    const { relocations, strings } = file;
    let indices = this.#tables.get(strings);
    if (indices === undefined) {
      indices = new Int32Array(strings.length);
      this.#tables.set(strings, indices);
    }
    for (const local of file.order) if (indices[local] === 0) indices[local] = this.#intern(strings.at(local)!) + 1;
    for (let i = 0; i < relocations.length; i++) {
      const at = base + relocations[i]!;
      code[at] = indices[code[at]!]! - 1;
    }
    this.#files.push({ base, source });
    return base;
  }

  #intern(text: ByteString): number {
    let index = this.#stringIndex.get(text);
    if (index === undefined) {
      index = this.#strings.push(text) - 1;
      this.#stringIndex.set(text, index);
    }
    return index;
  }

  /**
   * The slots of a shape in the order in which the evaluation met their names: the reference compares sets, evaluates
   * them deeply and looks for unexpected arguments in this order.
   */
  symbolOrder(shape: Shape): Int32Array {
    if (shape.symbolOrder === undefined) {
      const symbols = shape.names.map((name) => this.#intern(name));
      shape.symbolOrder = Int32Array.from(symbols, (_, slot) => slot).sort((a, b) => symbols[a]! - symbols[b]!);
    }
    return shape.symbolOrder;
  }

  /** The place that a word of the tree holds. */
  positionAt(word: number): NixPosition | undefined {
    if (word < 0) return undefined;
    const offset = this.#code[word]!;
    if (offset < 0) return undefined;
    let low = 0;
    let high = this.#files.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#files[middle]!.base <= word) low = middle;
      else high = middle - 1;
    }
    const file = this.#files[low];
    return file === undefined ? undefined : positionAt(file.source, offset);
  }

  /** The word that holds the place of attribute `slot`. */
  placeOf(places: AttributePlaces, slot: number): number {
    let at: AttributePlaces = places;
    let index = slot;
    for (;;) {
      if (typeof at === "number") return at < 0 ? NO_POSITION : at + BINDINGS + index * BINDING_SIZE + 1;
      if (Array.isArray(at)) return (at as readonly number[])[index] ?? NO_POSITION;
      if (at instanceof PlacesByName) {
        const name: ByteString = at.shape.names[index]!;
        index = at.rightShape.slotOf(name);
        if (index >= 0) at = at.right;
        else {
          index = at.leftShape.slotOf(name);
          at = at.left;
        }
        continue;
      }
      if (at instanceof PickedPlaces) {
        index = at.slots[index]!;
        at = at.of;
        continue;
      }
      if (at instanceof PlacesWithout) {
        for (const slot of at.removed) if (slot <= index) index++;
        at = at.of;
        continue;
      }
      const merged = at as MergedPlaces;
      const from: number = merged.plan[index]!;
      index = from >= 0 ? from : -from - 1;
      at = from >= 0 ? merged.right : merged.left;
    }
  }

  error(kind: NixErrorKind, message: string, pos: number = NO_POSITION, suggestions: readonly string[] = []): NixError {
    return new NixError(kind, message, this.positionAt(pos), suggestions);
  }

  trace(error: unknown, message: string, pos: number = NO_POSITION): unknown {
    if (error instanceof NixError) error.addTrace(message, this.positionAt(pos));
    return error;
  }

  // ───────── forcing

  force(slot: Slot, pos: number = NO_POSITION): Value {
    return slot instanceof Thunk ? (slot.code === DONE ? (slot.x as Value) : this.#forceThunk(slot, pos)) : slot;
  }

  #forceThunk(thunk: Thunk, pos: number): Value {
    const { code, x } = thunk;
    if (code === BUSY) throw this.error("recursion", "infinite recursion encountered", pos);
    if (code === FAILED) throw (x as NixError).clone();
    // A call that is delayed does not know that it runs: one that needs itself ends at the greatest depth.
    if (code !== CALL && code !== MAPPED) {
      thunk.code = BUSY;
      thunk.x = null;
    }
    try {
      const value = code >= 0 ? this.eval(code, x as Environment) : code === CALL ? this.#callLate(x as DelayedCall, pos) : code === MAPPED ? this.#callMapped(x as Mapping, (thunk as MappedThunk).slot, pos) : (x as () => Value)();
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

  #callLate([fn, args]: DelayedCall, pos: number): Value {
    return this.call(this.force(fn, pos), args, pos);
  }

  lazy(compute: () => Value): Thunk {
    return new Thunk(NATIVE, compute);
  }

  #callMapped({ fn, names, values }: Mapping, slot: number, pos: number): Value {
    const value = values[slot]!;
    return names === undefined ? this.call1(this.force(fn, pos), value, pos) : this.call2(this.force(fn, pos), names[slot]!, value, pos);
  }

  /** Calls of a function with each of the values, after its name if there are names; each made when its result is wanted. */
  lazyCalls(fn: Slot, values: readonly Slot[], names?: readonly ByteString[]): Slot[] {
    const mapping: Mapping = { fn, names, values };
    const thunks = new Array<Slot>(values.length);
    for (let slot = 0; slot < thunks.length; slot++) thunks[slot] = new MappedThunk(mapping, slot);
    return thunks;
  }

  /** A call that is made only when its value is wanted. */
  lazyCall(fn: Slot, ...args: Slot[]): Thunk {
    return new Thunk(CALL, [fn, args]);
  }

  /** The child as it is stored in a set or list: constants, functions and variables need no thunk of their own. */
  #delay(p: number, env: Environment): Slot {
    const code = this.#code;
    switch (code[p]) {
      case Op.int:
        return code[p + 1]!;
      case Op.string:
        return this.#strings[code[p + 1]!]!;
      case Op.bigInt:
      case Op.float:
      case Op.path:
        return this.#constant(p);
      case Op.lambda:
        return new Closure(p, env);
      case Op.variable0:
        return env[code[p + 2]!] ?? new Thunk(p, env);
      case Op.variable1:
        return (env[0] as unknown as Environment)[code[p + 2]!] ?? new Thunk(p, env);
      case Op.variable: {
        let e = env;
        for (let level = code[p + 2]!; level > 0; level--) e = e[0] as unknown as Environment;
        return e[code[p + 3]!] ?? new Thunk(p, env);
      }
      case Op.global:
        return this.#global(code[p + 2]!);
      case Op.list:
        return code[p + 2] === 0 ? [] : new Thunk(p, env);
      default:
        return new Thunk(p, env);
    }
  }

  /** What a name means that is bound nowhere else. */
  #global(name: number): Slot {
    const known = this.#globalSlots[name];
    if (known !== undefined) return known;
    const found = this.globals.get(this.#strings[name]!)!;
    while (this.#globalSlots.length <= name) this.#globalSlots.push(undefined);
    return (this.#globalSlots[name] = found);
  }

  #constant(p: number): Value {
    const index = this.#code[p + 1]!;
    const op = this.#code[p]!;
    const cached = op === Op.path ? this.#constants[index] : undefined;
    if (cached !== undefined) return cached;
    const text = this.#strings[index]!;
    if (op === Op.float) return new NixFloat(Number(text));
    if (op === Op.bigInt) {
      const value = BigInt(text);
      return Number.isSafeInteger(Number(value)) ? Number(value) : value;
    }
    return (this.#constants[index] = new NixPath(text));
  }

  // ───────── the interpreter

  eval(p: number, env: Environment): Value {
    const code = this.#code;
    switch (code[p]) {
      case Op.int:
        return code[p + 1]!;
      case Op.string:
        return this.#strings[code[p + 1]!]!;
      case Op.bigInt:
      case Op.float:
      case Op.path:
        return this.#constant(p);
      case Op.variable0:
        return this.force(env[code[p + 2]!]!, p + 1);
      case Op.variable1:
        return this.force((env[0] as unknown as Environment)[code[p + 2]!]!, p + 1);
      case Op.variable: {
        let e = env;
        for (let level = code[p + 2]!; level > 0; level--) e = e[0] as unknown as Environment;
        return this.force(e[code[p + 3]!]!, p + 1);
      }
      case Op.global:
        return this.force(this.#global(code[p + 2]!), p + 1);
      case Op.withVariable:
        return this.#withVariable(p, env);
      case Op.select:
        return this.#select(p, env);
      case Op.has:
        return this.#has(p, env);
      case Op.attributes:
        return this.#attributes(p, env);
      case Op.let:
        return this.eval(p + code[p + 3]!, this.#bind(p, env));
      case Op.list: {
        const n = code[p + 2]!;
        const list: NixList = new Array<Slot>(n);
        for (let i = 0; i < n; i++) list[i] = this.#delay(p + code[p + 3 + i]!, env);
        return list;
      }
      case Op.lambda:
        return new Closure(p, env);
      case Op.call:
        return this.#call(p, env);
      case Op.with:
        // The set itself is forced only when a name is looked up in it.
        return this.eval(p + code[p + 3]!, [env as unknown as Slot, this.#delay(p + code[p + 2]!, env), p + 1]);
      case Op.if:
        return this.eval(p + (this.#condition(p + code[p + 2]!, env, p + 1, "while evaluating a branch condition") ? code[p + 3]! : code[p + 4]!), env);
      case Op.assert:
        return this.#assert(p, env);
      case Op.not:
        return !this.#condition(p + code[p + 2]!, env, p + 1, "in the argument of the not operator");
      case Op.equal:
        return this.#equal(p, env);
      case Op.notEqual:
        return !this.#equal(p, env, "while testing two values for inequality");
      case Op.and:
        return this.#condition(p + code[p + 2]!, env, p + 1, "in the left operand of the AND (&&) operator") && this.#condition(p + code[p + 3]!, env, p + 1, "in the right operand of the AND (&&) operator");
      case Op.or:
        return this.#condition(p + code[p + 2]!, env, p + 1, "in the left operand of the OR (||) operator") || this.#condition(p + code[p + 3]!, env, p + 1, "in the right operand of the OR (||) operator");
      case Op.implies:
        return !this.#condition(p + code[p + 2]!, env, p + 1, "in the left operand of the IMPL (->) operator") || this.#condition(p + code[p + 3]!, env, p + 1, "in the right operand of the IMPL (->) operator");
      case Op.update:
        return this.#update(p, env);
      case Op.concatLists: {
        const left = this.eval(p + code[p + 2]!, env);
        const right = this.eval(p + code[p + 3]!, env);
        const a = this.#concatenable(left, p);
        const b = this.#concatenable(right, p);
        return a.length === 0 ? b : b.length === 0 ? a : a.concat(b);
      }
      case Op.lessThan:
        return this.#lessThan(p, env);
      case Op.subtract:
      case Op.multiply:
      case Op.divide:
        return this.#arithmetic(code[p]!, p, env);
      case Op.concatStrings:
        return this.#concatStrings(p, env);
      case Op.currentPosition:
        return this.positionValue(p + 1);
      default:
        throw new TypeError(`no such node: ${code[p]} at ${p}`);
    }
  }

  #withVariable(p: number, env: Environment): Value {
    const code = this.#code;
    const name = code[p + 2]!;
    const n = code[p + 3]!;
    let e = env;
    let level = 0;
    for (let i = 0, cell = p + 4; i < n; i++, cell += 3) {
      const target = code[cell]!;
      for (; level < target; level++) e = e[0] as unknown as Environment;
      const set = this.forceAttrs(e[1]!, e[2] as number, "while evaluating the first subexpression of a with expression");
      const slot = this.#seenSlot(set.shape, cell + 1, name);
      if (slot >= 0) return this.force(set.values[slot]!, p + 1);
    }
    throw this.error("undefined", `undefined variable '${this.#strings[name]!}'`, p + 1);
  }

  /** The slot of the name of index `name`, or -1; the word at `cell` and the one after it remember it for sets of the same shape. */
  #seenSlot(shape: Shape, cell: number, name: number): number {
    if (this.#code[cell] === shape.id) return this.#code[cell + 1]!;
    const slot = this.#findSlot(shape, name);
    // What comes before may have made the array a larger one.
    this.#code[cell] = shape.id;
    this.#code[cell + 1] = slot;
    return slot;
  }

  /** The same for a place in the code that has no words of its own, or that sees many shapes. */
  #findSlot(shape: Shape, name: number): number {
    const seen = this.#seenSlots;
    const at = ((Math.imul(shape.id, 0x9e3779b1) + Math.imul(name, 0x85ebca6b)) >>> (32 - SEEN_BITS)) * 3;
    // Empty entries are 0.
    if (seen[at] === shape.id + 1 && seen[at + 1] === name) return seen[at + 2]!;
    const slot = shape.slotOf(this.#strings[name]!);
    seen[at] = shape.id + 1;
    seen[at + 1] = name;
    seen[at + 2] = slot;
    return slot;
  }

  /** One of the names that the evaluator itself asks for. */
  #known(set: Attrs, name: number): Slot | undefined {
    const slot = this.#findSlot(set.shape, name);
    return slot < 0 ? undefined : set.values[slot];
  }

  #nameAt(p: number, cell: number, env: Environment): ByteString {
    const index = this.#code[cell]!;
    if (index >= 0) return this.#strings[index]!;
    const name = p + this.#code[cell + 1]!;
    return this.forceStringNoContext(this.eval(name, env), this.posOf(name), "while evaluating an attribute name");
  }

  #pathText(p: number, cell: number, n: number, env: Environment): string {
    const names: string[] = [];
    for (let i = 0; i < n; i++) {
      try {
        names.push(formatIdentifier(this.#nameAt(p, cell + i * 3, env)));
      } catch {
        names.push(`"\${${this.#strings[this.#code[cell + i * 3 + 2]!]!}}"`);
      }
    }
    return names.join(".");
  }

  #select(p: number, env: Environment): Value {
    const code = this.#code;
    let value = this.eval(p + code[p + 2]!, env);
    const fallback = code[p + 3]!;
    const n = code[p + 4]!;
    /** The attribute that was found last, for its place. */
    let found: Attrs | undefined;
    let slot = -1;
    try {
      for (let i = 0, cell = p + 5; i < n; i++, cell += 3) {
        const isStatic = code[cell]! >= 0;
        const computed = isStatic ? "" : this.#nameAt(p, cell, env);
        if (!(value instanceof Attrs)) {
          if (fallback !== 0) return this.eval(p + fallback, env);
          this.forceAttrs(value, p + 1, "while selecting an attribute");
          throw new TypeError("forceAttrs returned");
        }
        const set: Attrs = value;
        const index = isStatic ? this.#seenSlot(set.shape, cell + 1, code[cell]!) : set.shape.slotOf(computed);
        if (index < 0) {
          if (fallback !== 0) return this.eval(p + fallback, env);
          throw this.missing(isStatic ? this.#strings[code[cell]!]! : computed, set, p + 1);
        }
        found = set;
        slot = index;
        const stored = set.values[slot]!;
        if (!(stored instanceof Thunk)) value = stored;
        else if (stored.code === DONE) value = stored.x as Value;
        else {
          // What a node computes asks for no place.
          const place = i < n - 1 || stored.code >= 0 ? NO_POSITION : this.placeOf(set.places, slot);
          value = this.#forceThunk(stored, place >= 0 ? place : p + 1);
        }
      }
      return value;
    } catch (error) {
      if (found !== undefined && error instanceof NixError) {
        const position = this.positionAt(this.placeOf(found.places, slot));
        if (position !== undefined && position.file !== DERIVATION_FILE) error.addTrace(`while evaluating the attribute '${this.#pathText(p, p + 5, n, env)}'`, position);
      }
      throw error;
    }
  }

  missing(name: ByteString, set: Attrs, pos: number): NixError {
    return this.error("missing", `attribute '${formatIdentifier(name)}' missing`, pos, bestMatches(set.shape.names, name));
  }

  #has(p: number, env: Environment): boolean {
    const code = this.#code;
    let value = this.eval(p + code[p + 2]!, env);
    const n = code[p + 3]!;
    for (let i = 0, cell = p + 4; i < n; i++, cell += 3) {
      const isStatic = code[cell]! >= 0;
      const computed = isStatic ? "" : this.#nameAt(p, cell, env);
      if (!(value instanceof Attrs)) return false;
      const slot = isStatic ? this.#seenSlot(value.shape, cell + 1, code[cell]!) : value.shape.slotOf(computed);
      if (slot < 0) return false;
      // The last one need not be evaluated to be there.
      if (i < n - 1) value = this.force(value.values[slot]!, p + 1);
    }
    return true;
  }

  /** The environment of a `let` or a recursive set; `late`: its slots may still change, so none may be looked into yet. */
  #bind(p: number, env: Environment, late = false): Environment {
    const code = this.#code;
    const n = code[p + 4]!;
    const inner: Environment = new Array<Slot>(n + 1);
    inner[0] = env as unknown as Slot;
    const from = this.#fromEnvironment(p, n, inner);
    for (let i = 0, cell = p + BINDINGS; i < n; i++, cell += BINDING_SIZE) {
      const kind = code[cell + 2]!;
      const child = p + code[cell + 3]!;
      inner[i + 1] = late && kind !== BOUND_OUTSIDE ? new Thunk(child, kind === BOUND_FROM ? from! : inner) : this.#delay(child, kind === BOUND_OUTSIDE ? env : kind === BOUND_FROM ? from! : inner);
    }
    return inner;
  }

  #fromEnvironment(p: number, n: number, inner: Environment): Environment | undefined {
    const count = this.#code[p + 5]!;
    if (count === 0) return undefined;
    const from: Environment = new Array<Slot>(count + 1);
    from[0] = inner as unknown as Slot;
    const cell = p + BINDINGS + n * BINDING_SIZE;
    for (let i = 0; i < count; i++) {
      const child = p + this.#code[cell + i]!;
      from[i + 1] = new Thunk(child, inner);
    }
    return from;
  }

  #attributes(p: number, env: Environment): Attrs {
    const code = this.#code;
    const n = code[p + 4]!;
    const dynamic = code[p + 6]!;
    let shape: Shape;
    if (code[p + 3]! >= 0) shape = this.shapes.remembered(code[p + 3]!);
    else {
      const names: ByteString[] = [];
      for (let i = 0; i < n; i++) names.push(this.#strings[code[p + BINDINGS + i * BINDING_SIZE]!]!);
      shape = this.shapes.of(names);
      code[p + 3] = this.shapes.remember(shape);
    }
    let values: Slot[];
    let inner = env;
    if ((code[p + 2]! & RECURSIVE) !== 0) {
      const overrides = this.#findSlot(shape, NAMES.overrides);
      inner = this.#bind(p, env, overrides >= 0);
      values = inner.slice(1);
      if (overrides >= 0) {
        const set = this.forceAttrs(values[overrides]!, NO_POSITION, "while evaluating the `__overrides` attribute");
        // No closures here: what they hold would be made anew for each set.
        for (let index = 0; index < set.values.length; index++) {
          const slot = shape.slotOf(set.shape.names[index]!);
          if (slot >= 0) inner[slot + 1] = set.values[index]!;
        }
        const base = new Attrs(shape, inner.slice(1), p);
        const merged = this.mergeSets(base, set);
        return dynamic === 0 ? merged : this.#dynamic(p, n, dynamic, inner, merged);
      }
    } else {
      const from = this.#fromEnvironment(p, n, env);
      values = new Array<Slot>(n);
      for (let i = 0, cell = p + BINDINGS; i < n; i++, cell += BINDING_SIZE) {
        values[i] = this.#delay(p + code[cell + 3]!, code[cell + 2]! === BOUND_FROM ? from! : env);
      }
    }
    const set = new Attrs(shape, values, p);
    return dynamic === 0 ? set : this.#dynamic(p, n, dynamic, inner, set);
  }

  #dynamic(p: number, n: number, count: number, env: Environment, set: Attrs): Attrs {
    const names: ByteString[] = [];
    const slots: Slot[] = [];
    const places: number[] = [];
    let cell = p + BINDINGS + n * BINDING_SIZE + this.#code[p + 5]!;
    for (let i = 0; i < count; i++, cell += 3) {
      const nameNode = p + this.#code[cell + 1]!;
      const name = this.eval(nameNode, env);
      // `${null} = …` is no attribute at all.
      if (name === null) continue;
      const text = this.forceStringNoContext(name, cell, "while evaluating the name of a dynamic attribute");
      this.#intern(text);
      const fixed = set.shape.slotOf(text);
      const before = fixed >= 0 ? this.placeOf(set.places, fixed) : (places[names.indexOf(text)] ?? NO_POSITION);
      if (fixed >= 0 || names.includes(text)) {
        const at = this.positionAt(before);
        throw this.error("eval", `dynamic attribute '${formatIdentifier(text)}' already defined at ${at === undefined ? NOWHERE : `${at.file}:${at.line}:${at.column}`}`, cell);
      }
      const value = p + this.#code[cell + 2]!;
      // A function is known by the name it was given last.
      for (let at = value; this.#code[at] === Op.lambda; at += this.#code[at + 6]!) this.#code[at + 2] = this.#intern(text);
      names.push(text);
      slots.push(this.#delay(value, env));
      places.push(cell);
    }
    if (names.length === 0) return set;
    if (names.length === 1) {
      const added = new Attrs(this.shapes.one(names[0]!), slots, places);
      return set.values.length === 0 ? added : this.mergeSets(set, added);
    }
    return this.mergeSets(set, this.#setOf(names, slots, places));
  }

  /** A set of names in any order, each once, with the places of their definitions. */
  #setOf(names: readonly ByteString[], slots: readonly Slot[], places: readonly number[]): Attrs {
    const order = names.map((_, index) => index).sort((a, b) => (names[a]! < names[b]! ? -1 : 1));
    return new Attrs(this.shapes.of(order.map((index) => names[index]!)), order.map((index) => slots[index]!), order.map((index) => places[index]!));
  }

  #condition(p: number, env: Environment, pos: number, context: string): boolean {
    let value: Value;
    try {
      value = this.eval(p, env);
      if (typeof value === "boolean") return value;
      throw this.error("type", `expected a Boolean but found ${this.describe(value)}`, pos);
    } catch (error) {
      throw this.trace(error, context, pos);
    }
  }

  /** The place that an expression names as its own. */
  posOf(p: number): number {
    const op = this.#code[p]!;
    return op <= Op.path ? NO_POSITION : p + 1;
  }

  #assert(p: number, env: Environment): Value {
    const code = this.#code;
    const condition = p + code[p + 2]!;
    if (!this.#condition(condition, env, p + 1, "in the condition of the assert statement")) {
      const text = this.#strings[code[p + 4]!]!;
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

  #equal(p: number, env: Environment, context = "while testing two values for equality"): boolean {
    const code = this.#code;
    const left = this.eval(p + code[p + 2]!, env);
    const right = this.eval(p + code[p + 3]!, env);
    return this.equalValues(left, right, p + 1, context);
  }

  /** The right one first: it is what counts. */
  #update(p: number, env: Environment): Attrs {
    const code = this.#code;
    const right = this.#updateOperand(p + code[p + 3]!, env, "in the right operand of the update (//) operator");
    const left = this.#updateOperand(p + code[p + 2]!, env, "in the left operand of the update (//) operator");
    return this.mergeSets(left, right);
  }

  #updateOperand(p: number, env: Environment, context: string): Attrs {
    // A chain of updates is one to the traces.
    if (this.#code[p] === Op.update) return this.#update(p, env);
    try {
      const value = this.eval(p, env);
      if (value instanceof Attrs) return value;
      throw this.error("type", `expected a set but found ${this.describe(value)}`);
    } catch (error) {
      throw this.trace(error, context, this.posOf(p));
    }
  }

  /** `left // right` */
  mergeSets(left: Attrs, right: Attrs): Attrs {
    if (left.values.length === 0) return right;
    if (right.values.length === 0) return left;
    if (isLarge(left.shape) && right.values.length * 8 < left.values.length) return this.#mergeInto(left, right);
    const { shape, plan } = this.shapes.merge(left.shape, right.shape);
    const n = plan.length;
    const values = new Array<Slot>(n);
    const a = left.values;
    const b = right.values;
    for (let i = 0; i < n; i++) {
      const from = plan[i]!;
      values[i] = from >= 0 ? b[from]! : a[-from - 1]!;
    }
    return new Attrs(shape, values, left.places === NO_PLACES && right.places === NO_PLACES ? NO_PLACES : new MergedPlaces(plan, left.places, right.places));
  }

  /** `left // right` where the left set is so large that it is copied in runs rather than name by name. */
  #mergeInto(left: Attrs, right: Attrs): Attrs {
    const a = left.values;
    const b = right.values;
    const { shape, slots } = this.shapes.insert(left.shape, right.shape);
    const result = (values: Slot[]): Attrs =>
      new Attrs(shape, values, left.places === NO_PLACES && right.places === NO_PLACES ? NO_PLACES : new PlacesByName(shape, left.shape, left.places, right.shape, right.places));
    if (shape === left.shape) {
      const values = a.slice();
      for (let j = 0; j < b.length; j++) values[slots[j]!] = b[j]!;
      return result(values);
    }
    const values = new Array<Slot>(shape.names.length);
    let i = 0;
    let k = 0;
    for (let j = 0; j < b.length; j++) {
      const slot = slots[j]!;
      for (const end = slot >= 0 ? slot : -1 - slot; i < end; ) values[k++] = a[i++]!;
      if (slot >= 0) i++;
      values[k++] = b[j]!;
    }
    while (i < a.length) values[k++] = a[i++]!;
    return result(values);
  }

  #concatenable(value: Value, p: number): NixList {
    if (Array.isArray(value)) return value;
    throw this.trace(this.#expected("a list", value, NO_POSITION), "while evaluating one of the elements to concatenate", p + 1);
  }

  #lessThan(p: number, env: Environment): boolean {
    const code = this.#code;
    this.#deeper(p + 1);
    try {
      const left = this.#operand(p + code[p + 2]!, env);
      const right = this.#operand(p + code[p + 3]!, env);
      return this.lessThan(left, right, "");
    } catch (error) {
      throw this.trace(error, "while calling the 'lessThan' builtin", p + 1);
    } finally {
      this.#depth--;
    }
  }

  #operand(p: number, env: Environment): Value {
    return this.eval(p, env);
  }

  #arithmetic(op: number, p: number, env: Environment): Value {
    const code = this.#code;
    this.#deeper(p + 1);
    try {
      if (op === Op.divide) {
        const left = this.eval(p + code[p + 2]!, env);
        const right = this.eval(p + code[p + 3]!, env);
        const divisor = this.forceNumber(right, "while evaluating the second operand of the division");
        if ((divisor instanceof NixFloat ? divisor.value : Number(divisor)) === 0) throw this.error("eval", "division by zero");
        return this.#compute(op, left, right);
      }
      return this.#compute(op, this.eval(p + code[p + 2]!, env), this.eval(p + code[p + 3]!, env));
    } catch (error) {
      throw this.trace(error, `while calling the '${op === Op.subtract ? "sub" : op === Op.multiply ? "mul" : "div"}' builtin`, p + 1);
    } finally {
      this.#depth--;
    }
  }

  #compute(op: number, left: Value, right: Value): Value {
    return calculate(this, op === Op.subtract ? "-" : op === Op.multiply ? "*" : "/", left, right);
  }

  #concatStrings(p: number, env: Environment): Value {
    const code = this.#code;
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

  // ───────── calls

  #call(p: number, env: Environment): Value {
    const code = this.#code;
    const fn = this.eval(p + code[p + 2]!, env);
    const n = code[p + 3]!;
    if (fn instanceof Closure) {
      if (n === 1) return this.#enter(fn.code, fn.env, this.#delay(p + code[p + 4]!, env), p + 1);
      return this.#callClosure(fn, p, n, env);
    }
    const args = new Array<Slot>(n);
    for (let i = 0; i < n; i++) args[i] = this.#delay(p + code[p + 4 + i]!, env);
    return this.call(fn, args, p + 1);
  }

  /** A call with several arguments; what makes only the function for the next one is passed by. */
  #callClosure(fn: Closure, p: number, n: number, env: Environment): Value {
    const code = this.#code;
    let at = fn.code;
    let up = fn.env;
    for (let i = 0; ; ) {
      const argument = this.#delay(p + code[p + 4 + i++]!, env);
      const body = at + code[at + 6]!;
      if (i < n && code[at + 4]! < 0 && code[body] === Op.lambda) {
        up = [up as unknown as Slot, argument];
        at = body;
        continue;
      }
      const result = this.#enter(at, up, argument, p + 1);
      if (i === n) return result;
      if (result instanceof Closure) {
        at = result.code;
        up = result.env;
        continue;
      }
      const rest: Slot[] = [];
      while (i < n) rest.push(this.#delay(p + code[p + 4 + i++]!, env));
      return this.call(result, rest, p + 1);
    }
  }

  call(callee: Value, args: readonly Slot[], pos: number): Value {
    let fn = callee;
    let i = 0;
    const n = args.length;
    while (i < n) {
      if (fn instanceof Closure) {
        const code = this.#code;
        let at = fn.code;
        let up = fn.env;
        while (i + 1 < n && code[at + 4]! < 0 && code[at + code[at + 6]!] === Op.lambda) {
          up = [up as unknown as Slot, args[i++]!];
          at += code[at + 6]!;
        }
        fn = this.#enter(at, up, args[i++]!, pos);
      } else if (fn instanceof Builtin || fn instanceof PartialBuiltin) {
        const builtin: Builtin = fn instanceof Builtin ? fn : fn.builtin;
        const have: readonly Slot[] = fn instanceof Builtin ? NO_ARGUMENTS : fn.args;
        const want = builtin.arity - have.length;
        if (n - i < want) return new PartialBuiltin(builtin, [...have, ...args.slice(i)]);
        const all: readonly Slot[] = have.length === 0 && i === 0 && n === want ? args : [...have, ...args.slice(i, i + want)];
        i += want;
        this.#deeper(pos);
        try {
          fn = builtin.run(all, NO_POSITION);
        } catch (error) {
          if (builtin.name !== "addErrorContext") this.trace(error, `while calling the '${builtin.name}' builtin`, pos);
          throw error;
        } finally {
          this.#depth--;
        }
      } else if (fn instanceof Attrs && this.#findSlot(fn.shape, NAMES.functor) >= 0) fn = this.#callFunctor(fn, args[i++]!, pos);
      else throw this.error("type", `attempt to call something which is not a function but ${this.describe(fn)}`, pos);
    }
    return fn;
  }

  /** The same with one argument. */
  call1(fn: Value, argument: Slot, pos: number): Value {
    return fn instanceof Closure ? this.#enter(fn.code, fn.env, argument, pos) : this.call(fn, [argument], pos);
  }

  /** The same with two. */
  call2(fn: Value, first: Slot, second: Slot, pos: number): Value {
    if (!(fn instanceof Closure)) return this.call(fn, [first, second], pos);
    const code = this.#code;
    const body = fn.code + code[fn.code + 6]!;
    if (code[fn.code + 4]! < 0 && code[body] === Op.lambda) return this.#enter(body, [fn.env as unknown as Slot, first], second, pos);
    return this.call1(this.#enter(fn.code, fn.env, first, pos), second, pos);
  }

  #callFunctor(self: Attrs, argument: Slot, pos: number): Value {
    const slot = this.#findSlot(self.shape, NAMES.functor);
    try {
      this.#deeper(pos);
      try {
        return this.call(this.force(self.values[slot]!), [self, argument], this.placeOf(self.places, slot));
      } finally {
        this.#depth--;
      }
    } catch (error) {
      throw this.trace(error, "while calling a functor (an attribute set with a '__functor' attribute)", pos);
    }
  }

  /** @throws NixError where a value is deeper than calls may be. */
  checkDepth(depth: number, slot: Slot): void {
    if (depth > this.#maxCallDepth) throw this.error("eval", "stack overflow; max-call-depth exceeded", this.ownPlace(slot));
  }

  /** Runs what may recurse without a call: as deep as calls may go, and no deeper. */
  nested<T>(pos: number, run: () => T): T {
    this.#deeper(pos);
    try {
      return run();
    } finally {
      this.#depth--;
    }
  }

  #deeper(pos: number): void {
    if (this.#depth > this.#maxCallDepth) throw this.error("eval", "stack overflow; max-call-depth exceeded", pos);
    this.#depth++;
  }

  /** Runs the lambda at `p`, made in the environment `up`. */
  #enter(p: number, up: Environment, argument: Slot, pos: number): Value {
    const code = this.#code;
    const n = code[p + 4]!;
    this.#deeper(pos);
    let entered = false;
    try {
      const env: Environment = n < 0 ? [up as unknown as Slot, argument] : this.#match(p, n, up, argument, pos);
      entered = true;
      return this.eval(p + code[p + 6]!, env);
    } catch (error) {
      if (entered && error instanceof NixError) {
        const name = code[p + 2]!;
        error.addTrace(`while calling ${name < 0 ? "anonymous lambda" : `'${this.#strings[name]!}'`}`, this.positionAt(p + 1), "verbose");
        if (pos >= 0) error.addTrace("from call site", this.positionAt(pos), "verbose");
      }
      throw error;
    } finally {
      this.#depth--;
    }
  }

  #match(p: number, n: number, up: Environment, argument: Slot, pos: number): Environment {
    const code = this.#code;
    let set: Attrs;
    try {
      set = this.forceAttrs(argument, p + 1, "while evaluating the value passed for the lambda argument");
    } catch (error) {
      if (pos >= 0) this.trace(error, "from call site", pos);
      throw error;
    }
    const hasArgument = code[p + 3]! >= 0;
    let plan: Int32Array;
    if (set.shape.id === code[p + 7]) plan = this.#formalPlans[code[p + 8]!]!;
    else {
      // Forcing may have made the array a larger one.
      const now = this.#code;
      const key = p * SHAPES + set.shape.id;
      let index = this.#formalPlanIndex.get(key);
      if (index === undefined) {
        index = this.#formalPlans.push(this.#planFormals(p, n, set, pos)) - 1;
        this.#formalPlanIndex.set(key, index);
      }
      now[p + 7] = set.shape.id;
      now[p + 8] = index;
      plan = this.#formalPlans[index]!;
    }
    const first = hasArgument ? 2 : 1;
    const env: Environment = new Array<Slot>(first + n);
    env[0] = up as unknown as Slot;
    if (hasArgument) env[1] = set;
    // Formals stand in the order in which their names were met, their slots in the same.
    for (let i = 0; i < n; i++) {
      const slot = plan[i]!;
      env[first + i] = slot >= 0 ? set.values[slot]! : this.#delay(p + code[p + FORMALS + i * FORMAL_SIZE + 2]!, env);
    }
    return env;
  }

  #planFormals(p: number, n: number, set: Attrs, pos: number): Int32Array {
    const code = this.#code;
    const plan = new Int32Array(n);
    const name = code[p + 2]! < 0 ? "anonymous lambda" : this.#strings[code[p + 2]!]!;
    let used = 0;
    let missing = -1;
    for (let i = 0; i < n; i++) {
      const name = code[p + FORMALS + i * FORMAL_SIZE]!;
      const slot = this.#findSlot(set.shape, name);
      plan[i] = slot;
      if (slot >= 0) used++;
      else if (code[p + FORMALS + i * FORMAL_SIZE + 2] === 0 && (missing < 0 || name < missing)) missing = name;
    }
    if (missing >= 0) {
      const error = this.error("type", `function '${name}' called without required argument '${this.#strings[missing]!}'`, p + 1);
      throw pos < 0 ? error : error.addTrace("from call site", this.positionAt(pos));
    }
    if (code[p + 5] === 0 && used < set.values.length) {
      const formals = new Set<ByteString>();
      for (let i = 0; i < n; i++) formals.add(this.#strings[code[p + FORMALS + i * FORMAL_SIZE]!]!);
      const names = set.shape.names;
      const unexpected = names[this.symbolOrder(set.shape).find((slot) => !formals.has(names[slot]!))!]!;
      const error = this.error("type", `function '${name}' called with unexpected argument '${formatIdentifier(unexpected)}'`, p + 1, bestMatches([...formals], unexpected));
      throw pos < 0 ? error : error.addTrace("from call site", this.positionAt(pos));
    }
    return plan;
  }

  /** `functionArgs`: names and whether they have a default. */
  formalsOf(fn: Closure): readonly { readonly name: ByteString; readonly hasDefault: boolean; readonly place: number }[] {
    const code = this.#code;
    const n = Math.max(0, code[fn.code + 4]!);
    const formals = Array.from({ length: n }, (_, i) => {
      const cell = fn.code + FORMALS + i * FORMAL_SIZE;
      return { name: this.#strings[code[cell]!]!, hasDefault: code[cell + 2] !== 0, place: cell + 1 };
    });
    return formals.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** What XML prints of a function: its place, its argument, its formals. */
  lambdaInfo(fn: Closure): { readonly place: number; readonly argument: ByteString | undefined; readonly hasFormals: boolean; readonly ellipsis: boolean; readonly name: ByteString | undefined } {
    const code = this.#code;
    const p = fn.code;
    return {
      place: p + 1,
      argument: code[p + 3]! < 0 ? undefined : this.#strings[code[p + 3]!]!,
      hasFormals: code[p + 4]! >= 0,
      ellipsis: code[p + 5] === 1,
      name: code[p + 2]! < 0 ? undefined : this.#strings[code[p + 2]!]!,
    };
  }

  // ───────── what a value must be

  describe(value: Value): string {
    return `${showType(value)}: ${formatValueForError(this, value)}`;
  }

  #expected(what: string, value: Value, pos: number): NixError {
    return this.error("type", `expected ${what} but found ${this.describe(value)}`, pos);
  }

  // Unlike the others, these two say where they stand only of a wrong type.
  forceAttrs(slot: Slot, pos: number, context: string): Attrs {
    const value = this.force(slot, pos);
    if (value instanceof Attrs) return value;
    throw this.trace(this.#expected("a set", value, NO_POSITION), context, pos);
  }

  forceList(slot: Slot, pos: number, context: string): NixList {
    const value = this.force(slot, pos);
    if (Array.isArray(value)) return value;
    throw this.trace(this.#expected("a list", value, NO_POSITION), context, pos);
  }

  forceInteger(slot: Slot, pos: number, context: string): number | bigint {
    try {
      const value = this.force(slot, pos);
      if (typeof value === "number" || typeof value === "bigint") return value;
      throw this.#expected("an integer", value, pos);
    } catch (error) {
      throw this.trace(error, context, pos);
    }
  }

  forceNumber(slot: Slot, context: string): number | bigint | NixFloat {
    try {
      const value = this.force(slot);
      if (typeof value === "number" || typeof value === "bigint" || value instanceof NixFloat) return value;
      throw this.#expected("a float", value, NO_POSITION);
    } catch (error) {
      throw this.trace(error, context);
    }
  }

  forceBool(slot: Slot, pos: number, context: string): boolean {
    try {
      const value = this.force(slot, pos);
      if (typeof value === "boolean") return value;
      throw this.#expected("a Boolean", value, pos);
    } catch (error) {
      throw this.trace(error, context, pos);
    }
  }

  forceFunction(slot: Slot, pos: number, context: string): Value {
    try {
      const value = this.force(slot, pos);
      if (value instanceof Closure || value instanceof Builtin || value instanceof PartialBuiltin || (value instanceof Attrs && this.#findSlot(value.shape, NAMES.functor) >= 0)) return value;
      throw this.#expected("a function", value, pos);
    } catch (error) {
      throw this.trace(error, context, pos);
    }
  }

  forceString(slot: Slot, pos: number, context: string): string | NixString {
    try {
      const value = this.force(slot, pos);
      if (typeof value === "string" || value instanceof NixString) return value;
      throw this.#expected("a string", value, pos);
    } catch (error) {
      throw this.trace(error, context, pos);
    }
  }

  forceStringNoContext(slot: Slot, pos: number, context: string): ByteString {
    const value = this.forceString(slot, pos, context);
    if (typeof value === "string") return value;
    if (value.context.size > 0) {
      const error = this.error("eval", `the string '${value.text}' is not allowed to refer to a store path (such as '${displayContext(value.context.values().next().value!, this.io.storeDir)}')`);
      throw this.trace(error, context, pos);
    }
    return value.text;
  }

  // ───────── coercion, order, equality

  isDerivation(value: Value): boolean {
    if (!(value instanceof Attrs)) return false;
    const type = this.#known(value, NAMES.type);
    if (type === undefined) return false;
    const text = this.force(type);
    return text === "derivation" || (text instanceof NixString && text.text === "derivation");
  }

  coerceToString(slot: Slot, pos: number, context: Set<ByteString>, errorContext: string, more: boolean, copy: boolean, canonical = true): ByteString {
    if (this.#depth > this.#maxCallDepth) this.#deeper(pos);
    const value = this.force(slot, pos);
    if (typeof value === "string") return value;
    if (value instanceof NixString) {
      for (const element of value.context) context.add(element);
      return value.text;
    }
    if (value instanceof NixPath) {
      if (!canonical && !copy) return value.path;
      if (!copy) return withoutInternalFolder(canonicalPath(value.path));
      const path = canonicalPath(value.path);
      if (this.io.fileKind(path) === undefined) {
        this.io.checkAccess(path);
        throw this.error("eval", `path '${path}' does not exist`);
      }
      const stored = this.io.copyToStore(path);
      context.add(stored);
      return `${this.io.storeDir}/${stored}`;
    }
    if (value instanceof Attrs) {
      const toString = this.#known(value, NAMES.toString);
      if (toString !== undefined) {
        this.#deeper(pos);
        try {
          return this.coerceToString(this.call1(this.force(toString, pos), value, pos), pos, context, "while evaluating the result of the `__toString` attribute", more, copy);
        } finally {
          this.#depth--;
        }
      }
      const outPath = this.#known(value, NAMES.outPath);
      if (outPath !== undefined) {
        this.#deeper(pos);
        try {
          return this.coerceToString(outPath, pos, context, errorContext, more, copy, canonical);
        } finally {
          this.#depth--;
        }
      }
    }
    if (more) {
      if (value === null || value === false) return "";
      if (value === true) return "1";
      if (typeof value === "number" || typeof value === "bigint") return String(value);
      if (value instanceof NixFloat) return coerceFloat(value.value);
      if (Array.isArray(value)) {
        let text = "";
        for (let index = 0; index < value.length; index++) {
          const element = value[index]!;
          try {
            this.#deeper(pos);
            try {
              text += this.coerceToString(element, pos, context, "while evaluating one element of the list", more, copy, canonical);
            } finally {
              this.#depth--;
            }
          } catch (error) {
            throw this.trace(error, errorContext, pos);
          }
          const forced = this.force(element);
          if (index < value.length - 1 && !(Array.isArray(forced) && forced.length === 0)) text += " ";
        }
        return text;
      }
    }
    throw this.trace(this.error("type", `cannot coerce ${showType(value)} to a string: ${formatValueForError(this, value)}`), errorContext, pos);
  }

  /** For what takes a path: an absolute path's text, whatever it came from. */
  coerceToPath(slot: Slot, pos: number, context: Set<ByteString>, errorContext: string): ByteString {
    let value: Value;
    try {
      value = this.force(slot, pos);
    } catch (error) {
      throw this.trace(error, errorContext, pos);
    }
    if (value instanceof NixPath) return canonicalPath(value.path);
    // What `__toString` makes may be a path too.
    const toString = value instanceof Attrs ? value.get("__toString") : undefined;
    if (toString !== undefined) return this.coerceToPath(this.call(this.force(toString, pos), [value], pos), pos, context, errorContext);
    const text = this.coerceToString(value, pos, context, errorContext, false, false);
    if (!text.startsWith("/")) throw this.trace(this.error("eval", `string '${text}' doesn't represent an absolute path`), errorContext, pos);
    return canonicalPath(text);
  }

  lessThan(left: Value, right: Value, context: string): boolean {
    if ((typeof left === "number" || typeof left === "bigint" || left instanceof NixFloat) && (typeof right === "number" || typeof right === "bigint" || right instanceof NixFloat)) {
      return compareNumbers(left, right);
    }
    if ((typeof left === "string" || left instanceof NixString) && (typeof right === "string" || right instanceof NixString)) return textOf(left) < textOf(right);
    if (left instanceof NixPath && right instanceof NixPath) return left.path < right.path;
    if (Array.isArray(left) && Array.isArray(right)) {
      for (let i = 0; ; i++) {
        if (i === right.length) return false;
        if (i === left.length) return true;
        if (!this.equal(left[i]!, right[i]!, NO_POSITION, context)) return this.lessThan(this.force(left[i]!), this.force(right[i]!), "while comparing two list elements");
      }
    }
    const [a, b] = [showType(left), showType(right)];
    const same = typeName(left) === typeName(right);
    throw this.trace(
      this.error("eval", same ? `cannot compare ${a} with ${b}; values of that type are incomparable (values are ${formatValueForError(this, left)} and ${formatValueForError(this, right)})` : `cannot compare ${a} with ${b}; values are ${formatValueForError(this, left)} and ${formatValueForError(this, right)}`),
      context,
    );
  }

  equal(leftSlot: Slot, rightSlot: Slot, pos: number, context: string): boolean {
    // The same slot is equal to itself without being looked into, functions included.
    if (leftSlot === rightSlot) {
      this.force(leftSlot, pos);
      return true;
    }
    return this.equalValues(this.force(leftSlot, pos), this.force(rightSlot, pos), pos, context);
  }

  /** As the operator compares: a function is equal to nothing. */
  equalValues(left: Value, right: Value, pos: number, context: string): boolean {
    if (this.#depth > this.#maxCallDepth) this.#deeper(pos);
    if (left === right && (typeof left !== "object" || left === null || left instanceof Attrs || Array.isArray(left))) return true;
    if (left instanceof NixFloat) return right instanceof NixFloat ? left.value === right.value : (typeof right === "number" || typeof right === "bigint") && left.value === Number(right);
    if (right instanceof NixFloat) return (typeof left === "number" || typeof left === "bigint") && right.value === Number(left);
    if (typeof left === "string" || left instanceof NixString) return (typeof right === "string" || right instanceof NixString) && textOf(left) === textOf(right);
    if (left instanceof NixPath) return right instanceof NixPath && left.path === right.path;
    if (Array.isArray(left)) {
      if (!Array.isArray(right) || left.length !== right.length) return false;
      this.#deeper(pos);
      try {
        for (let i = 0; i < left.length; i++) if (!this.equal(left[i]!, right[i]!, pos, context)) return false;
        return true;
      } finally {
        this.#depth--;
      }
    }
    if (left instanceof Attrs) {
      if (!(right instanceof Attrs)) return false;
      if (this.isDerivation(left) && this.isDerivation(right)) {
        const a = left.get("outPath");
        const b = right.get("outPath");
        if (a !== undefined && b !== undefined) return this.equal(a, b, pos, context);
      }
      return (left.shape === right.shape || haveSameNames(left.shape, right.shape)) && this.#equalSets(left, right, pos, context);
    }
    return false;
  }

  /** Of two sets with the same names. */
  #equalSets(left: Attrs, right: Attrs, pos: number, context: string): boolean {
    const order = this.symbolOrder(left.shape);
    this.#deeper(pos);
    try {
      for (let i = 0; i < order.length; i++) if (!this.equal(left.values[order[i]!]!, right.values[order[i]!]!, pos, context)) return false;
      return true;
    } finally {
      this.#depth--;
    }
  }

  // ───────── making values

  /** Any order of names; a later one with the same name does not replace an earlier one. */
  makeSet(entries: Iterable<readonly [ByteString, Slot]>): Attrs {
    const map = new Map<ByteString, Slot>();
    for (const [name, value] of entries) if (!map.has(name)) map.set(name, value);
    const names = this.sortedNames(map.keys());
    return new Attrs(this.shapes.of(names), names.map((name) => map.get(name)!), NO_PLACES);
  }

  /** Names of a set that is to be made, which are met in this order. */
  sortedNames(met: Iterable<ByteString>): ByteString[] {
    const names = [...met];
    for (const name of names) this.#intern(name);
    return sortNames(names);
  }

  makeString(text: ByteString, context: Context = NO_CONTEXT): string | NixString {
    return context.size === 0 ? text : new NixString(text, context);
  }

  positionValue(place: number): Value {
    const at = this.positionAt(place);
    const file = at?.file === DERIVATION_FILE ? "/derivation-internal.nix" : at?.file;
    return at === undefined || file?.startsWith("/") !== true ? null : this.makeSet([["file", file], ["line", at.line], ["column", at.column]]);
  }

  /** The place that a value itself knows: that of its function or of the set as it was written. */
  ownPlace(slot: Slot): number {
    if (slot instanceof Thunk && slot.code === CALL) return this.ownPlace((slot.x as DelayedCall)[0]);
    if (slot instanceof Thunk && slot.code === MAPPED) return this.ownPlace((slot.x as Mapping).fn);
    const value = slot instanceof Thunk ? (slot.code === DONE ? (slot.x as Value) : undefined) : slot;
    if (value instanceof Closure) return value.code + 1;
    return value instanceof Attrs && typeof value.places === "number" && value.places >= 0 ? value.places + 1 : NO_POSITION;
  }

  /** Evaluates all of a value; what refers to itself is looked into once. */
  forceDeep(slot: Slot, seen = new Set<Value>()): Value {
    const place = this.ownPlace(slot);
    this.#deeper(place);
    try {
      return this.#forceDeep(slot, place, seen);
    } finally {
      this.#depth--;
    }
  }

  #forceDeep(slot: Slot, place: number, seen: Set<Value>): Value {
    const value = this.force(slot, place);
    if (typeof value !== "object" || seen.has(value)) return value;
    if (value instanceof Attrs) {
      seen.add(value);
      for (const index of this.symbolOrder(value.shape)) {
        try {
          this.forceDeep(value.values[index]!, seen);
        } catch (error) {
          throw this.trace(error, `while evaluating the attribute '${formatIdentifier(value.shape.names[index]!)}'`, this.placeOf(value.places, index));
        }
      }
    } else if (Array.isArray(value)) {
      seen.add(value);
      value.forEach((inner, index) => {
        try {
          this.forceDeep(inner, seen);
        } catch (error) {
          throw this.trace(error, `while evaluating list element at index ${index}`);
        }
      });
    }
    return value;
  }
}

function haveSameNames(left: Shape, right: Shape): boolean {
  const [a, b] = [left.names, right.names];
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Sorts them where they stand; few names, or names that are sorted, cost no room. */
function sortNames(names: ByteString[]): ByteString[] {
  if (names.length > 16) return names.sort();
  for (let i = 1; i < names.length; i++) {
    const name = names[i]!;
    let at = i;
    for (; at > 0 && names[at - 1]! > name; at--) names[at] = names[at - 1]!;
    names[at] = name;
  }
  return names;
}
