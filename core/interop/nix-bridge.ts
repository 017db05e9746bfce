import { TsosError } from "../error/tsos-error.ts";
import { NO_POSITION, type Evaluator } from "../nix/evaluator.ts";
import { formatNixError, NixError } from "../nix/nix-error.ts";
import { Attrs, Builtin, Closure, NixFloat, NixPath, NixString, PartialBuiltin, type Context, type Slot, type Value } from "../nix/value.ts";
import type { EvaluationRegistry } from "../package/evaluation-registry.ts";
import { isPackage, type Package } from "../package/package.ts";
import { isSecret } from "../package/secret.ts";
import { fromByteString, toByteString, type ByteString } from "../util/bytes.ts";
import { findNearestName } from "../util/suggest.ts";
import { derivationField, isDerivationField } from "./nix-package.ts";

/** Asked of anything by the language and its libraries; where a set lacks them, that is no mistake. */
const PROBES: ReadonlySet<string> = new Set(["then", "kind", "constructor", "nodeType", "asymmetricMatch", "length", "$$typeof"]);

/** Outputs that a package of any kind may have. */
const LATE_OUTPUTS: ReadonlySet<string> = new Set(["out", "bin", "dev", "lib", "man", "doc"]);

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

  constructor(evaluator: Evaluator, registry: EvaluationRegistry) {
    this.#evaluator = evaluator;
    this.#registry = registry;
  }

  /** @throws TsosError `nix.evaluation` with the trace of the expression */
  toTypeScript(slot: Slot): unknown {
    return this.#run(() => this.#show(this.#evaluator.force(slot)));
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
    if (!bytes.includes(`${this.#registry.storeDir}/`)) return bytes;
    const context = new Set<ByteString>();
    this.#registry.scan(bytes, { derivation: "a Nix expression", attribute: "a string" }, (issued) => {
      context.add(issued.kind === "output" ? `!${issued.output}!${issued.derivation}` : issued.kind === "derivation" ? `=${issued.path}` : issued.path);
    });
    return this.#evaluator.makeString(bytes, context);
  }

  #functionToNix(fn: (...args: readonly unknown[]) => unknown): Builtin {
    // `({ lib, stdenv }) => …` has one parameter; `(final, prev) => …` is called as `final: prev: …` is.
    const arity = Math.max(1, fn.length);
    return new Builtin(fn.name === "" ? "anonymous" : toByteString(fn.name), arity, (args) => this.#evaluator.force(this.#call(() => this.toNix(fn(...args.map((arg) => this.#argument(arg)))))));
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
      if (error instanceof NixError) return this.#lateView(slot);
      throw error;
    }
    return this.#show(value);
  }

  /** What to do instead where something depends on what is being evaluated right now; all else is an error. */
  #unlessRecursive<T>(body: () => T, otherwise: () => T): T {
    try {
      return body();
    } catch (error) {
      if (error instanceof TsosError && error.code === "nix.evaluation" && error.data["kind"] === "recursion") return otherwise();
      throw error;
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
          () => {
            // Of a package that is not known yet these can be told beforehand: they give packages.
            const select = (): Value => e.call(e.force(e.load(toByteString(`x: x.${String(key)}`), toByteString("«configuration»"), "/")), [slot], NO_POSITION);
            if (typeof key === "string" && LATE_OUTPUTS.has(key)) return this.#lateView(e.lazy(select));
            if (key === "override" || key === "overrideAttrs") return (change: unknown): unknown => this.#lateView(e.lazy(() => e.call(select(), [this.#lazily(change)], NO_POSITION)));
            throw new TsosError({
              code: "nix.late-value",
              message: `"${String(key)}" of a value that is being evaluated right now cannot be looked at`,
              hint: "in an overlay, compute it when it is asked for: { get name() { return … } }",
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

  /** What TypeScript throws passes through the language as it is; what the language threw stays its own error. */
  #call<T>(body: () => T): T {
    try {
      return body();
    } catch (error) {
      throw error instanceof TsosError && error.code === "nix.evaluation" && error.cause instanceof NixError ? error.cause : error;
    }
  }

  #objectToNix(value: object): Slot {
    const e = this.#evaluator;
    if (Array.isArray(value)) return value.map((item: unknown) => this.#lazily(item));
    if (isPackage(value)) return this.#packageToNix(value);
    if (isSecret(value)) throw noValue("a secret", "something that may be read: a secret's contents never enter the store");
    if ("kind" in value && value.kind === "source") return this.#stringToNix(String(value));
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype !== null && Object.getPrototypeOf(prototype) !== null) throw noValue(`an object of ${describeClass(value)}`, "a plain object");
    return e.makeSet(
      Object.entries(Object.getOwnPropertyDescriptors(value)).flatMap(([name, property]): [ByteString, Slot][] => {
        if (property.enumerable !== true || (property.get === undefined && property.value === undefined)) return [];
        // A getter is asked when the language wants the attribute, as it is lazy itself.
        const slot = property.get === undefined ? this.#lazily(property.value) : e.lazy(() => e.force(this.#call(() => this.toNix(Reflect.get(value, name)))));
        return [[toByteString(name), slot]];
      }),
    );
  }

  #lazily(value: unknown): Slot {
    return (typeof value === "object" && value !== null) || typeof value === "function" ? this.#evaluator.lazy(() => this.#evaluator.force(this.#call(() => this.toNix(value)))) : this.toNix(value);
  }

  /** A package of tsos as a derivation's set. */
  #packageToNix(value: Package): Slot {
    const e = this.#evaluator;
    const field = (compute: () => unknown): Slot => e.lazy(() => e.force(this.#call(() => this.toNix(compute()))));
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
    const text = (): string => this.#run(() => fromByteString(this.#evaluator.coerceToString(value, NO_POSITION, new Set(), "", false, true)));
    return Object.freeze({ kind: "nix-path" as const, path: fromByteString(value.path), toString: text, toJSON: text });
  }

  #functionView(value: Closure | Builtin | PartialBuiltin): object {
    const call = (...args: readonly unknown[]): unknown => this.#run(() => this.#show(this.#evaluator.call(value, args.length === 0 ? [this.#evaluator.makeSet([])] : args.map((arg) => this.#lazily(arg)), NO_POSITION)));
    return Object.freeze(call);
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
    const isDerivation = (): boolean => this.#run(() => e.isDerivation(set));
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
    const toText = (): string => this.#run(() => fromByteString(e.coerceToString(set, NO_POSITION, new Set(), "while a set is used as a text", false, true)));
    const toPlain = (): unknown => (isDerivation() ? toText() : Object.fromEntries(names().map((name) => [name, attribute(name)])));

    const read = (key: string | symbol): unknown => {
      if (key === Symbol.toPrimitive) return toText;
      if (typeof key === "symbol") return undefined;
      if (isDerivationField(key) && isDerivation()) {
        return derivationField(key, { attribute, has, names, self: () => view as Package, run: (body) => this.#run(body), call: (fn, args) => this.#callView(fn, args) });
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
      apply: (_, __, args: readonly unknown[]) => this.#run(() => this.#show(e.call(set, args.map((arg) => this.#lazily(arg)), NO_POSITION))),
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
  #run<T>(body: () => T): T {
    try {
      return body();
    } catch (error) {
      if (error instanceof NixError) {
        throw new TsosError({ code: "nix.evaluation", message: formatNixError(error, { showTrace: false }).replace(/^error:\s*/, ""), hint: error.traces.length > 0 ? "this is Nix's own trace, the innermost cause last" : undefined, data: { kind: error.kind }, cause: error });
      }
      if (error instanceof RangeError && error.message.includes("call stack")) {
        throw new TsosError({ code: "nix.stack-overflow", message: "the Nix expression calls itself too deeply", hint: "look for a recursion without an end, also one that goes through TypeScript and back", cause: error });
      }
      throw error;
    }
  }
}

/** What a proxy must stand for to be called; strict functions of this kind have no own properties that may not be hidden. */
function callableTarget(): object {
  const target = (): undefined => undefined;
  Reflect.deleteProperty(target, "name");
  Reflect.deleteProperty(target, "length");
  return target;
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
