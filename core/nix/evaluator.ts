/**
 * The interpreter: one switch over the flat tree, and the nodes that make or read sets. What it needs of values is in the
 * classes below it, each in the file of its name: code area, making sets, depth, forcing, coercion, comparison, calls,
 * operators. They are one object, because V8 keeps what one class knows of its own fields.
 */
import { hashToBase16 } from "../hash/hash.ts";
import { toByteString, type ByteString } from "../util/bytes.ts";
import { NAMES } from "./code-area.ts";
import { compileNix, type Scope } from "./compile.ts";
import { formatIdentifier } from "./format-literal.ts";
import { NixError } from "./nix-error.ts";
import type { NixIo } from "./nix-io.ts";
import type { NixSettings } from "./nix-settings.ts";
import * as Op from "./opcode.ts";
import { BINDINGS, BINDING_SIZE, BOUND_FROM, BOUND_OUTSIDE, RECURSIVE } from "./opcode.ts";
import { Operators } from "./operators.ts";
import { parseNix } from "./parse.ts";
import type { CompiledFiles, ParsedFiles } from "./parsed-files.ts";
import { createLazySource, DERIVATION_FILE } from "./source.ts";
import { Attrs, Closure, DONE, Environment, NO_POSITION, Thunk, type NixList, type Shape, type Slot, type Value } from "./value.ts";

export type EvaluatorOptions = {
  readonly io: NixIo;
  readonly settings?: NixSettings | undefined;
  /** Used with an `io` that has `readSource`. */
  readonly parsedFiles?: ParsedFiles | undefined;
  readonly compiledFiles?: CompiledFiles | undefined;
  /** Makes room for at least so many words of code, all 0. */
  readonly makeWords?: ((words: number) => Int32Array) | undefined;
};

const NO_ENVIRONMENT = new Environment(undefined, undefined);
const NOWHERE = toByteString("«none»");

export class Evaluator extends Operators {
  protected globalNames: ReadonlySet<ByteString> | undefined;
  protected readonly parsedFiles: ParsedFiles | undefined;
  protected readonly compiledFiles: CompiledFiles | undefined;
  protected circumstances: ByteString | undefined;

  constructor(options: EvaluatorOptions) {
    super(options.io, options.settings ?? {});
    this.parsedFiles = options.parsedFiles;
    this.compiledFiles = options.compiledFiles;
    if (options.makeWords !== undefined) this.makeWords = options.makeWords;
  }

  /** Parses, compiles and adds a text; the result is the thunk of its value. `path`: the file that it is all of. */
  load(text: ByteString, file: ByteString, basePath: ByteString, scope?: { readonly names: readonly ByteString[]; readonly values: readonly Slot[] }, path?: ByteString): Thunk {
    let warned = false;
    const warn = (warning: ByteString): void => {
      warned = true;
      this.io.log(warning);
    };
    const parsed = parseNix(text, file, { basePath, home: this.io.home, settings: this.settings, warn });
    this.globalNames ??= new Set(this.globals.keys());
    const staticScope: Scope | undefined = scope === undefined ? undefined : { up: undefined, kind: "slots", slots: new Map(scope.names.map((name, index) => [name, index])) };
    const root = this.link(compileNix(parsed, this.globalNames, staticScope), parsed.source, path, warned);
    return new Thunk(root, scope === undefined ? NO_ENVIRONMENT : new Environment(undefined, scope.values));
  }

  /** The same for the file at `path`, known as `file`, which may have been parsed before. */
  loadFile(path: ByteString, file: ByteString, basePath: ByteString): Thunk {
    this.globalNames ??= new Set(this.globals.keys());
    const known = this.compiledFiles?.(path, basePath, this.globalNames);
    if (known !== undefined) return new Thunk(this.link(known, createLazySource(file, () => this.io.readFile(path)), path), NO_ENVIRONMENT);
    const parsed = this.parsedFiles;
    const read = parsed === undefined ? undefined : this.io.readSource?.(path);
    if (parsed === undefined || read === undefined) return this.load(this.io.readFile(path), file, basePath, undefined, path);
    // Whatever parsing and compiling depend on.
    this.circumstances ??= JSON.stringify([this.settings, this.io.home ?? null, [...this.globalNames].sort()]);
    const key = hashToBase16("sha256", `${read.hash}\0${basePath}\0${this.circumstances}`);
    let compiled = parsed.find(key);
    let warned = false;
    if (compiled === undefined) {
      const syntax = parseNix(read.text(), file, {
        basePath,
        home: this.io.home,
        settings: this.settings,
        warn: (warning) => {
          warned = true;
          this.io.log(warning);
        },
      });
      compiled = compileNix(syntax, this.globalNames);
      // What was warned of is to be warned of again.
      if (!warned) parsed.add(key, compiled);
    }
    return new Thunk(this.link(compiled, createLazySource(file, () => read.text()), path, warned), NO_ENVIRONMENT);
  }

  eval(p: number, env: Environment): Value {
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
      case Op.argument0:
        return this.force(env.x as Slot, p + 1);
      case Op.argument1:
        return this.force(env.up!.x as Slot, p + 1);
      case Op.argument: {
        let e = env;
        for (let level = code[p + 2]!; level > 0; level--) e = e.up!;
        return this.force(e.x as Slot, p + 1);
      }
      case Op.variable0:
        return this.force((env.x as Slot[])[code[p + 2]!]!, p + 1);
      case Op.variable1:
        return this.force((env.up!.x as Slot[])[code[p + 2]!]!, p + 1);
      case Op.variable: {
        let e = env;
        for (let level = code[p + 2]!; level > 0; level--) e = e.up!;
        return this.force((e.x as Slot[])[code[p + 3]!]!, p + 1);
      }
      case Op.global:
        return this.force(this.global(code[p + 2]!), p + 1);
      case Op.withVariable:
        return this.withVariable(p, env);
      case Op.select:
        return this.select(p, env);
      case Op.has:
        return this.has(p, env);
      case Op.attributes:
        return this.attributes(p, env);
      case Op.let:
        return this.eval(p + code[p + 3]!, this.bind(p, env));
      case Op.list: {
        const n = code[p + 2]!;
        const list: NixList = new Array<Slot>(n);
        for (let i = 0; i < n; i++) list[i] = this.delay(p + code[p + 3 + i]!, env);
        return list;
      }
      case Op.lambda:
        return new Closure(p, env);
      case Op.call:
        return this.evalCall(p, env);
      case Op.with:
        // The set itself is forced only when a name is looked up in it.
        return this.eval(p + code[p + 3]!, new Environment(env, [this.delay(p + code[p + 2]!, env), p + 1]));
      case Op.if:
        return this.eval(p + (this.condition(p + code[p + 2]!, env, p + 1, "while evaluating a branch condition") ? code[p + 3]! : code[p + 4]!), env);
      case Op.assert:
        return this.assert(p, env);
      case Op.not:
        return !this.condition(p + code[p + 2]!, env, p + 1, "in the argument of the not operator");
      case Op.equal:
        return this.evalEqual(p, env);
      case Op.notEqual:
        return !this.evalEqual(p, env, "while testing two values for inequality");
      case Op.and:
        return this.condition(p + code[p + 2]!, env, p + 1, "in the left operand of the AND (&&) operator") && this.condition(p + code[p + 3]!, env, p + 1, "in the right operand of the AND (&&) operator");
      case Op.or:
        return this.condition(p + code[p + 2]!, env, p + 1, "in the left operand of the OR (||) operator") || this.condition(p + code[p + 3]!, env, p + 1, "in the right operand of the OR (||) operator");
      case Op.implies:
        return !this.condition(p + code[p + 2]!, env, p + 1, "in the left operand of the IMPL (->) operator") || this.condition(p + code[p + 3]!, env, p + 1, "in the right operand of the IMPL (->) operator");
      case Op.update:
        return this.update(p, env);
      case Op.concatLists: {
        const left = this.eval(p + code[p + 2]!, env);
        const right = this.eval(p + code[p + 3]!, env);
        const a = this.concatenable(left, p);
        const b = this.concatenable(right, p);
        return a.length === 0 ? b : b.length === 0 ? a : a.concat(b);
      }
      case Op.lessThan:
        return this.evalLessThan(p, env);
      case Op.subtract:
      case Op.multiply:
      case Op.divide:
        return this.arithmetic(code[p]!, p, env);
      case Op.concatStrings:
        return this.concatStrings(p, env);
      case Op.currentPosition:
        return this.positionValue(p + 1);
      default:
        throw new TypeError(`no such node: ${code[p]} at ${p}`);
    }
  }

  protected withVariable(p: number, env: Environment): Value {
    const code = this.code;
    const name = code[p + 2]!;
    const n = code[p + 3]!;
    let e = env;
    let level = 0;
    for (let i = 0, cell = p + 4; i < n; i++, cell += 3) {
      const target = code[cell]!;
      for (; level < target; level++) e = e.up!;
      const held = e.x as readonly [set: Slot, place: number];
      const set = this.forceAttrs(held[0], held[1], "while evaluating the first subexpression of a with expression");
      const slot = this.seenSlot(set.shape, cell + 1, name);
      if (slot >= 0) return this.force(set.at(slot), p + 1);
    }
    throw this.error("undefined", `undefined variable '${this.strings[name]!}'`, p + 1);
  }

  protected nameAt(p: number, cell: number, env: Environment): ByteString {
    const index = this.code[cell]!;
    if (index >= 0) return this.strings[index]!;
    const name = p + this.code[cell + 1]!;
    return this.forceStringNoContext(this.eval(name, env), this.posOf(name), "while evaluating an attribute name");
  }

  protected pathText(p: number, cell: number, n: number, env: Environment): string {
    const names: string[] = [];
    for (let i = 0; i < n; i++) {
      try {
        names.push(formatIdentifier(this.nameAt(p, cell + i * 3, env)));
      } catch {
        names.push(`"\${${this.strings[this.code[cell + i * 3 + 2]!]!}}"`);
      }
    }
    return names.join(".");
  }

  protected select(p: number, env: Environment): Value {
    const code = this.code;
    let value = this.eval(p + code[p + 2]!, env);
    const fallback = code[p + 3]!;
    const n = code[p + 4]!;
    /** The attribute that was found last, for its place. */
    let found: Attrs | undefined;
    let slot = -1;
    try {
      for (let i = 0, cell = p + 5; i < n; i++, cell += 3) {
        const isStatic = code[cell]! >= 0;
        const computed = isStatic ? "" : this.nameAt(p, cell, env);
        if (!(value instanceof Attrs)) {
          if (fallback !== 0) return this.eval(p + fallback, env);
          this.forceAttrs(value, p + 1, "while selecting an attribute");
          throw new TypeError("forceAttrs returned");
        }
        const set: Attrs = value;
        const index = isStatic ? this.seenSlot(set.shape, cell + 1, code[cell]!) : set.shape.slotOf(computed);
        if (index < 0) {
          if (fallback !== 0) return this.eval(p + fallback, env);
          throw this.missing(isStatic ? this.strings[code[cell]!]! : computed, set, p + 1);
        }
        found = set;
        slot = index;
        const stored = set.at(slot);
        if (!(stored instanceof Thunk)) value = stored;
        else if (stored.code === DONE) value = stored.x as Value;
        else {
          // What a node computes asks for no place.
          const place = i < n - 1 || stored.code >= 0 ? NO_POSITION : this.placeOf(set.places, slot);
          value = this.forceThunk(stored, place >= 0 ? place : p + 1);
        }
      }
      return value;
    } catch (error) {
      if (found !== undefined && error instanceof NixError) {
        const position = this.positionAt(this.placeOf(found.places, slot));
        if (position !== undefined && position.file !== DERIVATION_FILE) error.addTrace(`while evaluating the attribute '${this.pathText(p, p + 5, n, env)}'`, position);
      }
      throw error;
    }
  }

  protected has(p: number, env: Environment): boolean {
    const code = this.code;
    let value = this.eval(p + code[p + 2]!, env);
    const n = code[p + 3]!;
    for (let i = 0, cell = p + 4; i < n; i++, cell += 3) {
      const isStatic = code[cell]! >= 0;
      const computed = isStatic ? "" : this.nameAt(p, cell, env);
      if (!(value instanceof Attrs)) return false;
      const slot = isStatic ? this.seenSlot(value.shape, cell + 1, code[cell]!) : value.shape.slotOf(computed);
      if (slot < 0) return false;
      // The last one need not be evaluated to be there.
      if (i < n - 1) value = this.force(value.at(slot), p + 1);
    }
    return true;
  }

  /** The environment of a `let` or a recursive set; `late`: its slots may still change, so none may be looked into yet. */
  protected bind(p: number, env: Environment, late = false): Environment {
    const code = this.code;
    const n = code[p + 4]!;
    const slots = new Array<Slot>(n);
    const inner = new Environment(env, slots);
    const from = this.fromEnvironment(p, n, inner);
    for (let i = 0, cell = p + BINDINGS; i < n; i++, cell += BINDING_SIZE) {
      const kind = code[cell + 2]!;
      const child = p + code[cell + 3]!;
      slots[i] = late && kind !== BOUND_OUTSIDE ? new Thunk(child, kind === BOUND_FROM ? from! : inner) : this.delay(child, kind === BOUND_OUTSIDE ? env : kind === BOUND_FROM ? from! : inner);
    }
    return inner;
  }

  protected fromEnvironment(p: number, n: number, inner: Environment): Environment | undefined {
    const count = this.code[p + 5]!;
    if (count === 0) return undefined;
    const slots = new Array<Slot>(count);
    const cell = p + BINDINGS + n * BINDING_SIZE;
    for (let i = 0; i < count; i++) {
      const child = p + this.code[cell + i]!;
      slots[i] = new Thunk(child, inner);
    }
    return new Environment(inner, slots);
  }

  protected attributes(p: number, env: Environment): Attrs {
    const code = this.code;
    const n = code[p + 4]!;
    const dynamic = code[p + 6]!;
    let shape: Shape;
    if (code[p + 3]! >= 0) shape = this.shapes.remembered(code[p + 3]!);
    else {
      const names: ByteString[] = [];
      for (let i = 0; i < n; i++) names.push(this.strings[code[p + BINDINGS + i * BINDING_SIZE]!]!);
      shape = this.shapes.of(names);
      code[p + 3] = this.shapes.remember(shape);
    }
    let values: Slot[];
    let inner = env;
    if ((code[p + 2]! & RECURSIVE) !== 0) {
      const overrides = this.findSlot(shape, NAMES.overrides);
      inner = this.bind(p, env, overrides >= 0);
      const slots = inner.x as Slot[];
      values = slots.slice();
      if (overrides >= 0) {
        const set = this.forceAttrs(values[overrides]!, NO_POSITION, "while evaluating the `__overrides` attribute");
        // No closures here: what they hold would be made anew for each set.
        for (let index = 0; index < set.stored.length; index++) {
          const slot = shape.slotOf(set.shape.names[index]!);
          if (slot >= 0) slots[slot] = set.at(index);
        }
        const base = new Attrs(shape, slots.slice(), p);
        const merged = this.mergeSets(base, set);
        return dynamic === 0 ? merged : this.dynamic(p, n, dynamic, inner, merged);
      }
    } else {
      const from = this.fromEnvironment(p, n, env);
      values = new Array<Slot>(n);
      for (let i = 0, cell = p + BINDINGS; i < n; i++, cell += BINDING_SIZE) {
        values[i] = this.delay(p + code[cell + 3]!, code[cell + 2]! === BOUND_FROM ? from! : env);
      }
    }
    const set = new Attrs(shape, values, p);
    return dynamic === 0 ? set : this.dynamic(p, n, dynamic, inner, set);
  }

  protected dynamic(p: number, n: number, count: number, env: Environment, set: Attrs): Attrs {
    const names: ByteString[] = [];
    const slots: Slot[] = [];
    const places: number[] = [];
    let cell = p + BINDINGS + n * BINDING_SIZE + this.code[p + 5]!;
    for (let i = 0; i < count; i++, cell += 3) {
      const nameNode = p + this.code[cell + 1]!;
      const name = this.eval(nameNode, env);
      // `${null} = …` is no attribute at all.
      if (name === null) continue;
      const text = this.forceStringNoContext(name, cell, "while evaluating the name of a dynamic attribute");
      this.intern(text);
      const fixed = set.shape.slotOf(text);
      const before = fixed >= 0 ? this.placeOf(set.places, fixed) : (places[names.indexOf(text)] ?? NO_POSITION);
      if (fixed >= 0 || names.includes(text)) {
        const at = this.positionAt(before);
        throw this.error("eval", `dynamic attribute '${formatIdentifier(text)}' already defined at ${at === undefined ? NOWHERE : `${at.file}:${at.line}:${at.column}`}`, cell);
      }
      const value = p + this.code[cell + 2]!;
      // A function is known by the name it was given last.
      for (let at = value; this.code[at] === Op.lambda; at += this.code[at + 6]!) this.code[at + 2] = this.intern(text);
      names.push(text);
      slots.push(this.delay(value, env));
      places.push(cell);
    }
    if (names.length === 0) return set;
    if (names.length === 1) {
      const added = new Attrs(this.shapes.one(names[0]!), slots, places);
      return set.stored.length === 0 ? added : this.mergeSets(set, added);
    }
    return this.mergeSets(set, this.setOf(names, slots, places));
  }

  protected evalCall(p: number, env: Environment): Value {
    const code = this.code;
    const fn = this.eval(p + code[p + 2]!, env);
    const n = code[p + 3]!;
    if (fn instanceof Closure) {
      if (n === 1) return this.enter(fn.code, fn.env, this.delay(p + code[p + 4]!, env), p + 1);
      return this.callClosure(fn, p, n, env);
    }
    const args = new Array<Slot>(n);
    for (let i = 0; i < n; i++) args[i] = this.delay(p + code[p + 4 + i]!, env);
    return this.call(fn, args, p + 1);
  }

  /** A call with several arguments; what makes only the function for the next one is passed by. */
  protected callClosure(fn: Closure, p: number, n: number, env: Environment): Value {
    const code = this.code;
    let at = fn.code;
    let up = fn.env;
    for (let i = 0; ; ) {
      const argument = this.delay(p + code[p + 4 + i++]!, env);
      const body = at + code[at + 6]!;
      if (i < n && code[at + 4]! < 0 && code[body] === Op.lambda) {
        up = new Environment(up, argument);
        at = body;
        continue;
      }
      const result = this.enter(at, up, argument, p + 1);
      if (i === n) return result;
      if (result instanceof Closure) {
        at = result.code;
        up = result.env;
        continue;
      }
      const rest: Slot[] = [];
      while (i < n) rest.push(this.delay(p + code[p + 4 + i++]!, env));
      return this.call(result, rest, p + 1);
    }
  }
}
