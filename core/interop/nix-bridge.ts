import { previewValue } from "../option/preview-value.ts";
import { TsosError } from "../error/tsos-error.ts";
import type { Evaluator } from "../nix/evaluator.ts";
import { NixError } from "../nix/nix-error.ts";
import { Attrs, Builtin, Closure, NixFloat, NixPath, NixString, NO_POSITION, PartialBuiltin, type Context, type Slot, type Value } from "../nix/value.ts";
import type { EvaluationRegistry } from "../package/evaluation-registry.ts";
import { isPackage, type Package } from "../package/package.ts";
import { isSecret } from "../package/secret.ts";
import { fromByteString, toByteString, type ByteString } from "../util/bytes.ts";
import { findNearestName } from "../util/suggest.ts";
import { findModifier, type Modifier } from "../option/modifier.ts";
import { isNixFile } from "../package/nix-file.ts";
import { unreachable } from "../util/unreachable.ts";
import { callFromTypeScript, refuseText } from "./call-from-typescript.ts";
import { LateSignal } from "./late-signal.ts";
import { callableTarget, type LateBridge, type Oracle } from "./late-views.ts";
import { ModuleCalls } from "./module-calls.ts";
import { isTooDeep, NixFailures } from "./nix-failures.ts";
import { parameterNames } from "./parameter-names.ts";
import { derivationField, isDerivationField } from "./nix-package.ts";

/** Asked of anything by the language and its libraries; where a set lacks them, that is no mistake. */
const PROBES: ReadonlySet<string> = new Set(["then", "kind", "constructor", "nodeType", "asymmetricMatch", "length", "$$typeof"]);

/** Outputs that a package of any kind may have. */
const LATE_OUTPUTS: ReadonlySet<string> = new Set(["out", "bin", "dev", "lib", "man", "doc"]);

/** How deep arguments of a call are looked through for what a module cannot know yet. */
const MOST_NESTED = 8;

/** A file or folder that an expression names; in a string it is its copy in the store. */
export type NixPathValue = { readonly kind: "nix-path"; readonly path: string; toString(): string };

/**
 * Values of the Nix language as TypeScript sees them, and the other way round.
 *
 * Both ways lazy: a set is a view whose attributes are evaluated when they are read, a list likewise, a function is a
 * function (`f(a, b)` for `f a b`), a derivation is a `Package`. Numbers are numbers (whole ones beyond 2^53 bigints),
 * strings are text; a string's dependencies are the store paths in it, in both directions. The same value is the same
 * object, and what came from the language goes back as itself.
 */
export class NixBridge {
  readonly #evaluator: Evaluator;
  readonly #registry: EvaluationRegistry;
  readonly #views = new WeakMap<object, object>();
  readonly #origins = new WeakMap<object, Slot>();
  /** Texts that stand for what is not known yet, by the hash in them. */
  readonly #tokens = new Map<string, { readonly slot: Slot; readonly before: Oracle }>();
  /** What views of a running module were in the round before. */
  readonly #befores = new WeakMap<object, NonNullable<Oracle>>();
  readonly failures = new NixFailures();
  /** How many functions of TypeScript the language is calling right now. */
  #running = 0;
  /** What modules written in TypeScript looked at, of every evaluation of modules. */
  readonly modules: ModuleCalls;

  constructor(evaluator: Evaluator, registry: EvaluationRegistry) {
    this.#evaluator = evaluator;
    this.#registry = registry;
    const late: LateBridge = {
      evaluator,
      toTypeScript: (slot) => this.toTypeScript(slot),
      toNix: (value) => this.toNix(value),
      token: (slot, before) => this.#token(slot, before),
      adopt: (view, slot, before) => {
        this.#origins.set(view, slot);
        if (before !== undefined) this.#befores.set(view, before);
      },
      askedBy: (error, asker) => void this.failures.askedBy(error, asker),
    };
    this.modules = new ModuleCalls(late);
  }

  /** @throws TsosError `nix.evaluation` with the trace of the expression */
  toTypeScript(slot: Slot, before?: () => Slot | undefined): unknown {
    return this.#unlessLate(slot, () => this.failures.run(() => this.#show(this.#evaluator.force(slot))), before);
  }

  /** What depends on something that a running module cannot know yet is a view of it. */
  #unlessLate(slot: Slot, body: () => unknown, before: (() => Slot | undefined) | undefined): unknown {
    try {
      return body();
    } catch (error) {
      if (error instanceof LateSignal) return error.later(slot, before);
      throw error;
    }
  }

  /**
   * The same, of an expression that is written in TypeScript: a float that is whole stays one, as an object of
   * `Number`, where a number would come back as an integer.
   */
  toTypeScriptExactly(slot: Slot): unknown {
    const shown = this.toTypeScript(slot);
    if (typeof shown !== "number" || !Number.isInteger(shown) || !(this.#evaluator.force(slot) instanceof NixFloat)) return shown;
    const exact: object = Object.freeze(Object(shown) as object);
    this.#origins.set(exact, slot);
    return exact;
  }

  /** Looks like a store path, so that code that puts paths together works; where it gets past this bridge it is refused as one that was never issued. */
  #token(slot: Slot, before: Oracle): string {
    const hash = String(this.#tokens.size).padStart(32, "z");
    this.#tokens.set(hash, { slot, before });
    return `${this.#registry.storeDir}/${hash}-late`;
  }

  /**
   * Objects and lists are looked into only when the language does.
   *
   * @throws TsosError `nix.not-a-value` for what the language cannot have
   */
  toNix(value: unknown): Slot {
    switch (typeof value) {
      case "boolean":
        return value;
      case "number":
        if (Number.isSafeInteger(value)) return value + 0;
        if (!Number.isFinite(value)) throw noValue(String(value), "a number that is finite");
        return new NixFloat(value);
      case "bigint":
        if (BigInt.asIntN(64, value) !== value) throw noValue(`${value}n`, "a whole number of 64 bits");
        return Number.isSafeInteger(Number(value)) ? Number(value) : value;
      case "string":
        return this.#stringToNix(value);
      case "function":
        return this.#origins.get(value) ?? this.#functionToNix(value as (...args: readonly unknown[]) => unknown);
      case "object":
        return value === null ? null : (this.#origins.get(value) ?? this.#objectToNix(value));
      default:
        throw noValue(typeof value, "null, a boolean, number, string, list, object or function");
    }
  }

  #stringToNix(text: string): Slot {
    const bytes = toByteString(text);
    const { storeDir } = this.#registry;
    if (!bytes.includes(`${storeDir}/`)) return bytes;
    if (this.#tokens.size > 0 && bytes.includes(`${storeDir}/z`)) return this.#evaluator.lazy(() => this.#evaluator.force(this.#resolveTokens(bytes)));
    const context = new Set<ByteString>();
    this.#scan(bytes, context);
    return this.#evaluator.makeString(bytes, context);
  }

  #resolveTokens(bytes: ByteString, select = ({ slot }: { readonly slot: Slot; readonly before: Oracle }): Slot => slot): Slot {
    const e = this.#evaluator;
    const context = new Set<ByteString>();
    const prefix = `${this.#registry.storeDir}/`;
    let rest = "";
    let resolved = "";
    for (let at = 0; at < bytes.length; ) {
      const found = bytes.indexOf(`${prefix}z`, at);
      const hash = found < 0 ? "" : bytes.slice(found + prefix.length, found + prefix.length + 32);
      const token = this.#tokens.get(hash);
      const slot = token === undefined ? undefined : select(token);
      const end = found < 0 ? bytes.length : found + (slot === undefined ? prefix.length : prefix.length + 32);
      const plain = bytes.slice(at, slot === undefined ? end : found);
      rest += plain;
      resolved += plain;
      if (slot !== undefined) {
        const value = e.force(slot);
        const isPlain = value === null || typeof value === "boolean" || typeof value === "number" || typeof value === "bigint";
        // As a template of TypeScript writes it.
        resolved += isPlain ? String(value) : e.coerceToString(slot, NO_POSITION, context, "while a value is put into a text of TypeScript", false, true);
        at = end + "-late".length;
      } else at = end;
    }
    this.#scan(rest, context);
    return e.makeString(resolved, context);
  }

  #scan(bytes: ByteString, context: Set<ByteString>): void {
    this.#registry.scan(bytes, { derivation: "a Nix expression", attribute: "a string" }, (issued) => {
      context.add(issued.kind === "output" ? `!${issued.output}!${issued.derivation}` : issued.kind === "derivation" ? `=${issued.path}` : issued.path);
    });
  }

  #functionToNix(fn: (...args: readonly unknown[]) => unknown): Builtin {
    // `({ lib, stdenv }) => …` has one parameter; `(final, prev) => …` is called as `final: prev: …` is.
    const arity = Math.max(1, fn.length);
    const e = this.#evaluator;
    const formals = parameterNames(fn).map(({ name, hasDefault }) => ({ name: toByteString(name), hasDefault }));
    const run = (args: readonly Slot[]): Value => {
      const module = args.length === 1 ? this.modules.find(fn, args[0]!) : undefined;
      return e.force(this.#callBack(() => (module === undefined ? fn(...args.map((arg) => this.#argument(arg))) : this.modules.call(fn, module))));
    };
    return new Builtin(fn.name === "" ? "function of TypeScript" : toByteString(fn.name), arity, run, formals);
  }

  /**
   * What a function of TypeScript is called with. What cannot be evaluated yet (the `final` of an overlay, while the
   * overlay is being applied) or at all (an argument that fails, and that the function may ignore) is a view that is
   * evaluated when it is used.
   */
  #argument(slot: Slot): unknown {
    let value: Value;
    try {
      value = this.#evaluator.force(slot);
    } catch (error) {
      // Calls that have no end would begin anew at each level.
      if (error instanceof NixError && !isTooDeep(error)) return this.#lateView(slot);
      throw error;
    }
    return this.#show(value);
  }

  /** What to do instead where something depends on what is being evaluated right now; all else is an error. */
  #unlessRecursive<T>(body: () => T, otherwise: (error: TsosError) => T): T {
    try {
      return body();
    } catch (error) {
      // Where no function of TypeScript is being called by the language, the language itself goes round in a circle.
      if (this.#running > 0 && error instanceof TsosError && this.failures.origin(error)?.kind === "recursion") return otherwise(error);
      throw error;
    }
  }

  /** The user's own code, called by the language. */
  #callBack(body: () => unknown): Slot {
    this.#running++;
    try {
      return this.failures.call(() => this.toNix(body()));
    } finally {
      this.#running--;
    }
  }

  #lateView(slot: Slot): object {
    const e = this.#evaluator;
    const real = (): object => {
      const value = this.toTypeScript(slot);
      if ((typeof value === "object" && value !== null) || typeof value === "function") return value;
      throw new TsosError({ code: "nix.late-value", message: `a ${value === null ? "null" : typeof value} that depends on this function's own result cannot be looked at here`, hint: "only sets and lists can be passed on before they are known" });
    };
    const view: object = new Proxy(Object.create(null) as object, {
      get: (_, key) => {
        if (key === "then") return undefined;
        return this.#unlessRecursive(
          () => Reflect.get(real(), key) as unknown,
          (error) => {
            // Of a package that is not known yet these can be told beforehand: they give packages.
            const select = (): Value => e.call(e.force(e.load(toByteString(`x: x.${String(key)}`), toByteString("«configuration»"), "/")), [slot], NO_POSITION);
            if (typeof key === "string" && LATE_OUTPUTS.has(key)) return this.#lateView(e.lazy(select));
            if (key === "override" || key === "overrideAttrs") return (change: unknown): unknown => this.#lateView(e.lazy(() => e.call(select(), [this.#lazily(change)], NO_POSITION)));
            throw new TsosError({
              code: "nix.late-value",
              message: `infinite recursion: ${typeof key === "symbol" || key === "toString" ? "a text is made of" : `"${key}" is looked up in`} a value that is being evaluated right now`,
              hint: "compute it when it is asked for, as in an overlay: { get name() { return … } }",
              related: error.related,
              data: { trace: error.data["trace"] },
            });
          },
        );
      },
      has: (_, key) => Reflect.has(real(), key),
      ownKeys: () => Reflect.ownKeys(real()).filter((key) => key !== "length"),
      getOwnPropertyDescriptor: (_, key) => {
        const found = Reflect.getOwnPropertyDescriptor(real(), key);
        return found === undefined ? undefined : { ...found, configurable: true };
      },
      getPrototypeOf: () => null,
      ...this.#readOnly("a value"),
    });
    this.#origins.set(view, slot);
    return view;
  }

  #objectToNix(value: object): Slot {
    const e = this.#evaluator;
    if (Array.isArray(value)) return value.map((item: unknown) => this.#lazily(item));
    if (isPackage(value)) return this.#packageToNix(value);
    if (isSecret(value)) throw noValue("a secret", "something that may be read: a secret's contents never enter the store");
    if ("kind" in value && value.kind === "source") return this.#stringToNix(String(value));
    if (isNixFile(value)) return new NixPath(toByteString(value.path));
    const modifier = findModifier(value);
    if (modifier !== undefined) return this.#modifierToNix(modifier);
    if (!isPlain(value)) throw noValue(`an object of ${describeClass(value)}`, "a plain object");
    return e.makeSet(
      Object.entries(Object.getOwnPropertyDescriptors(value)).flatMap(([name, property]): [ByteString, Slot][] => {
        if (property.enumerable !== true || (property.get === undefined && property.value === undefined)) return [];
        if (this.#tokens.size > 0 && name.includes(`${this.#registry.storeDir}/z`)) throw noValue("a name that depends on a package or value that is not known yet", "a name that is known while the module runs");
        // A getter is asked when the language wants the attribute, as it is lazy itself.
        const slot = property.get === undefined ? this.#lazily(property.value) : e.lazy(() => e.force(this.#callBack(() => Reflect.get(value, name))));
        return [[toByteString(name), slot]];
      }),
    );
  }

  /** What tsos's own `lib` makes, as nixpkgs' module system knows it. Nix: lib/modules.nix */
  #modifierToNix(modifier: Modifier): Slot {
    const e = this.#evaluator;
    const tagged = (type: string, entries: readonly (readonly [string, Slot])[]): Slot => e.makeSet([["_type", type], ...entries]);
    switch (modifier.kind) {
      case "if":
        return tagged("if", [["condition", modifier.condition], ["content", this.#lazily(modifier.content)]]);
      case "merge":
        return tagged("merge", [["contents", modifier.contents.map((content) => this.#lazily(content))]]);
      case "override":
        return tagged("override", [["priority", modifier.priority], ["content", this.#lazily(modifier.content)]]);
      case "order":
        return tagged("order", [["priority", modifier.order], ["content", this.#lazily(modifier.content)]]);
      case "assert":
        return tagged("if", [
          ["condition", e.lazy(() => {
            if (!modifier.condition) throw e.error("throw", toByteString(`\nFailed assertion: ${modifier.message}`));
            return true;
          })],
          ["content", this.#lazily(modifier.content)],
        ]);
      case "forward":
        return this.#lazily(modifier.content);
      case "wrong":
        return e.lazy(() => {
          throw e.error("throw", toByteString(`${modifier.expected}, got ${previewValue(modifier.got)}`));
        });
      default:
        return unreachable(modifier);
    }
  }

  #lazily(value: unknown): Slot {
    return (typeof value === "object" && value !== null) || typeof value === "function" ? this.#evaluator.lazy(() => this.#evaluator.force(this.failures.call(() => this.toNix(value)))) : this.toNix(value);
  }

  /** A package of tsos as a derivation's set. */
  #packageToNix(value: Package): Slot {
    const e = this.#evaluator;
    const field = (compute: () => unknown): Slot => e.lazy(() => e.force(this.failures.call(() => this.toNix(compute()))));
    const outputs = value.outputs.map((name): [ByteString, Slot] => [toByteString(name), field(() => value.output(name))]);
    return e.makeSet([
      ...outputs,
      ["type", "derivation"],
      ["name", toByteString(value.name)],
      ["pname", toByteString(value.pname)],
      ["version", toByteString(value.version)],
      ["outputs", value.outputs.map(toByteString)],
      ["outputName", toByteString(value.outputName)],
      ["outPath", field(() => value.outPath)],
      ["drvPath", field(() => value.drvPath)],
      ["meta", field(() => value.meta)],
    ]);
  }

  #show(value: Value): unknown {
    if (value === null || typeof value === "boolean" || typeof value === "number" || typeof value === "bigint") return value;
    if (typeof value === "string") return this.#text(value);
    if (value instanceof NixString) return this.#text(value.text, value.context);
    if (value instanceof NixFloat) return value.value;
    const known = this.#views.get(value);
    if (known !== undefined) return known;
    const view = this.#view(value);
    this.#views.set(value, view);
    this.#origins.set(view, value);
    return view;
  }

  #text(bytes: ByteString, context?: Context): string {
    // What is built before it can be known has no place in a text of TypeScript yet: its paths are issued by now.
    void context;
    return fromByteString(bytes);
  }

  #view(value: Attrs | NixPath | Slot[] | Closure | Builtin | PartialBuiltin): object {
    if (value instanceof Attrs) return this.#attrsView(value);
    if (value instanceof NixPath) return this.#pathView(value);
    if (Array.isArray(value)) return this.#listView(value);
    return this.#functionView(value);
  }

  #pathView(value: NixPath): NixPathValue {
    const text = (): string => this.failures.run(() => fromByteString(this.#evaluator.coerceToString(value, NO_POSITION, new Set(), "", false, true)));
    return Object.freeze({ kind: "nix-path" as const, path: fromByteString(value.path), toString: text, toJSON: text });
  }

  #functionView(value: Closure | Builtin | PartialBuiltin): object {
    const e = this.#evaluator;
    const call = (...args: readonly unknown[]): unknown => {
      const slots = args.length === 0 ? [e.makeSet([])] : args.map((arg) => this.#lazily(arg));
      return this.toTypeScript(
        e.lazy(() => callFromTypeScript(e, this.failures, value, slots)),
        () => this.#callBefore(value, args),
      );
    };
    const refuse = (): never => {
      throw refuseText(e, value);
    };
    Object.defineProperties(call, { toString: { value: refuse }, [Symbol.toPrimitive]: { value: refuse } });
    return Object.freeze(call);
  }

  /** What a function would have given for what its arguments were in the round before; undefined where that is not known. */
  #callBefore(fn: Value, args: readonly unknown[]): Slot | undefined {
    const e = this.#evaluator;
    const slots = args.map((arg) => this.#slotBefore(arg, 0));
    return slots.every((slot) => slot !== undefined) ? e.lazy(() => e.call(fn, slots, NO_POSITION)) : undefined;
  }

  #slotBefore(value: unknown, depth: number): Slot | undefined {
    const e = this.#evaluator;
    if (typeof value === "string" && this.#tokens.size > 0 && value.includes(`${this.#registry.storeDir}/z`)) {
      return e.lazy(() => e.force(this.#resolveTokens(toByteString(value), ({ before }) => before?.() ?? e.lazy(() => { throw e.error("eval", "a value that is not known yet"); }))));
    }
    if (((typeof value !== "object" || value === null) && typeof value !== "function") || depth > MOST_NESTED) return this.#lazily(value);
    const known = this.#befores.get(value);
    if (known !== undefined) return known();
    if (this.#origins.has(value) || typeof value === "function" || isPackage(value) || findModifier(value) !== undefined) return this.#lazily(value);
    const items = Array.isArray(value) ? value.map((item) => this.#slotBefore(item, depth + 1)) : undefined;
    if (items !== undefined) return items.every((item) => item !== undefined) ? items : undefined;
    const properties = Object.entries(Object.getOwnPropertyDescriptors(value));
    if (!isPlain(value) || properties.some(([, { get }]) => get !== undefined)) return this.#lazily(value);
    const entries = properties.filter((entry) => entry[1].enumerable === true && entry[1].value !== undefined).map(([name, property]) => [toByteString(name), this.#slotBefore(property.value, depth + 1)] as const);
    return entries.every((entry): entry is readonly [ByteString, Slot] => entry[1] !== undefined) ? e.makeSet(entries) : undefined;
  }

  #listView(list: readonly Slot[]): object {
    const shown = new Array<unknown>(list.length);
    const read = (index: number): unknown => {
      if (!(index in shown)) shown[index] = this.toTypeScript(list[index]!);
      return shown[index];
    };
    const indexOf = (key: string | symbol): number => (typeof key === "string" && /^(0|[1-9]\d*)$/.test(key) && Number(key) < list.length ? Number(key) : -1);
    return new Proxy<unknown[]>(shown, {
      get: (target, key): unknown => {
        const index = indexOf(key);
        return index >= 0 ? read(index) : Reflect.get(target, key);
      },
      has: (target, key) => indexOf(key) >= 0 || Reflect.has(target, key),
      ownKeys: () => [...list.keys().map(String), "length"],
      getOwnPropertyDescriptor: (target, key) => {
        const index = indexOf(key);
        if (index >= 0) read(index);
        return Reflect.getOwnPropertyDescriptor(target, key);
      },
      ...this.#readOnly("a list"),
    });
  }

  #attrsView(set: Attrs): object {
    const e = this.#evaluator;
    const shown = new Map<string, unknown>();
    const isDerivation = (): boolean => this.failures.run(() => e.isDerivation(set));
    const isCallable = set.get("__functor") !== undefined;
    const attribute = (name: string): unknown => {
      const slot = set.get(toByteString(name));
      if (slot === undefined) return undefined;
      if (shown.has(name)) return shown.get(name);
      return this.#unlessRecursive(
        () => {
          const value = this.toTypeScript(slot);
          shown.set(name, value);
          return value;
        },
        () => this.#lateView(slot),
      );
    };
    const has = (name: string): boolean => set.get(toByteString(name)) !== undefined;
    const names = (): string[] => set.shape.names.map(fromByteString);
    const toText = (): string => this.failures.run(() => fromByteString(e.coerceToString(set, NO_POSITION, new Set(), "while a set is used as a text", false, true)));
    const toPlain = (): unknown => (isDerivation() ? toText() : Object.fromEntries(names().map((name) => [name, attribute(name)])));

    const read = (key: string | symbol): unknown => {
      if (key === Symbol.toPrimitive) return toText;
      if (typeof key === "symbol") return undefined;
      if (isDerivationField(key) && isDerivation()) {
        return derivationField(key, { attribute, has, names, self: () => view as Package, run: (body) => this.failures.run(body), call: (fn, args) => this.#callView(fn, args) });
      }
      if (has(key)) return attribute(key);
      if (key === "toString") return toText;
      if (key === "toJSON") return toPlain;
      if (PROBES.has(key)) return undefined;
      throw missing(key, names());
    };
    const handler: ProxyHandler<object> = {
      get: (_, key) => read(key),
      has: (_, key) => typeof key === "string" && (has(key) || (isDerivationField(key) && isDerivation())),
      ownKeys: () => names(),
      getOwnPropertyDescriptor: (_, key) => (typeof key === "string" && has(key) ? { configurable: true, enumerable: true, writable: false, value: attribute(key) } : undefined),
      getPrototypeOf: () => null,
      apply: (_, __, args: readonly unknown[]) => this.failures.run(() => this.#show(callFromTypeScript(e, this.failures, set, args.map((arg) => this.#lazily(arg))))),
      ...this.#readOnly("a set"),
    };
    const view: object = new Proxy(isCallable ? callableTarget() : Object.create(null) as object, handler);
    return view;
  }

  #callView(fn: unknown, args: readonly unknown[]): unknown {
    if (typeof fn !== "function") throw new TsosError({ code: "nix.not-a-function", message: "this attribute is no function" });
    return (fn as (...args: readonly unknown[]) => unknown)(...args);
  }

  #readOnly(what: string): Pick<ProxyHandler<object>, "set" | "defineProperty" | "deleteProperty" | "setPrototypeOf" | "preventExtensions"> {
    const refuse = (): never => {
      throw new TsosError({ code: "nix.read-only", message: `${what} of a Nix expression cannot be changed`, hint: "make a new value: { ...set, name: value }" });
    };
    return { set: refuse, defineProperty: refuse, deleteProperty: refuse, setPrototypeOf: refuse, preventExtensions: () => false };
  }

  /** At the border the language's error becomes one that carries its trace, and is placed at the TypeScript that asked. */
  run<T>(body: () => T): T {
    return this.failures.run(body);
  }
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function missing(name: string, names: readonly string[]): TsosError {
  const near = findNearestName(name, names);
  return new TsosError({ code: "nix.missing-attribute", message: `there is no attribute "${name}"`, hint: near === undefined ? undefined : `did you mean "${near}"?`, data: { attribute: name } });
}

function noValue(what: string, expected: string): TsosError {
  return new TsosError({ code: "nix.not-a-value", message: `${what} cannot be given to a Nix expression, expected ${expected}`, hint: "convert it first" });
}

function describeClass(value: object): string {
  const { constructor } = value as { readonly constructor?: unknown };
  return typeof constructor === "function" && constructor.name !== "" ? `the class ${constructor.name}` : "a class";
}
