import { TsosError } from "../error/tsos-error.ts";
import type { Evaluator } from "../nix/evaluator.ts";
import type { NixError } from "../nix/nix-error.ts";
import { NixFloat, NixString, type Slot, type Value } from "../nix/value.ts";
import type { EvaluationRegistry } from "../package/evaluation-registry.ts";
import { fromByteString } from "../util/bytes.ts";
import type { Border } from "./border.ts";
import { callFromTypeScript } from "./call-from-typescript.ts";
import { LateSignal } from "./late-signal.ts";
import { LateTexts } from "./late-texts.ts";
import { ModuleCalls } from "./module-calls.ts";
import { NixFailures } from "./nix-failures.ts";
import { createNixView } from "./nix-views.ts";
import { functionToNix, noValue, objectToNix } from "./objects-to-nix.ts";
import { createPendingView } from "./pending-view.ts";

/**
 * Values of the Nix language as TypeScript sees them, and the other way round.
 *
 * Both ways lazy: a set is a view whose attributes are evaluated when they are read, a list likewise, a function is a
 * function (`f(a, b)` for `f a b`), a derivation is a `Package`. Numbers are numbers (whole ones beyond 2^53 bigints),
 * strings are text; a string's dependencies are the store paths in it, in both directions. The same value is the same
 * object, and what came from the language goes back as itself.
 */
export class NixBridge {
  readonly failures = new NixFailures();
  readonly modules: ModuleCalls;
  readonly #evaluator: Evaluator;
  readonly #border: Border;
  readonly #views = new WeakMap<object, object>();
  /** How many functions of TypeScript the language is calling right now. */
  #running = 0;

  constructor(evaluator: Evaluator, registry: EvaluationRegistry) {
    this.#evaluator = evaluator;
    const askedBy = (error: NixError, asker: Error): void => void this.failures.askedBy(error, asker);
    const texts = new LateTexts(evaluator, registry, askedBy);
    const origins: Border["origins"] = new WeakMap();
    const befores: Border["befores"] = new WeakMap();
    this.modules = new ModuleCalls({
      evaluator,
      toTypeScript: (slot) => this.toTypeScript(slot),
      toNix: (value) => this.toNix(value),
      token: (slot, before) => texts.token(slot, before),
      adopt: (view, slot, before) => {
        origins.set(view, slot);
        if (before !== undefined) befores.set(view, before);
      },
      call: (fn, args) => callFromTypeScript(evaluator, this.failures, fn, args),
      askedBy,
    });
    const border: Border = {
      evaluator,
      failures: this.failures,
      texts,
      modules: this.modules,
      origins,
      befores,
      toTypeScript: (slot, before) => this.toTypeScript(slot, before),
      show: (value) => this.#show(value),
      toNix: (value) => this.toNix(value),
      lazily: (value) => this.#lazily(value),
      pending: (slot) => createPendingView(border, slot),
      callBack: (body) => this.#callBack(body),
      unlessRecursive: (body, otherwise) => this.#unlessRecursive(body, otherwise),
    };
    this.#border = border;
  }

  /**
   * What depends on something that a running module cannot know yet is a view of it, or what it was `before`.
   *
   * @throws TsosError `nix.evaluation` with the trace of the expression
   */
  toTypeScript(slot: Slot, before?: () => Slot | undefined): unknown {
    try {
      return this.failures.run(() => this.#show(this.#evaluator.force(slot)));
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
    this.#border.origins.set(exact, slot);
    return exact;
  }

  /**
   * Objects and lists are looked into only when the language does.
   *
   * @throws TsosError `nix.not-a-value` for what the language cannot have
   */
  toNix(value: unknown): Slot {
    const { origins, texts } = this.#border;
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
        return texts.toNix(value);
      case "function":
        return origins.get(value) ?? functionToNix(this.#border, value as (...args: readonly unknown[]) => unknown);
      case "object":
        return value === null ? null : (origins.get(value) ?? objectToNix(this.#border, value));
      default:
        throw noValue(typeof value, "null, a boolean, number, string, list, object or function");
    }
  }

  /** At the border the language's error becomes one that carries its trace, and is placed at the TypeScript that asked. */
  run<T>(body: () => T): T {
    return this.failures.run(body);
  }

  #show(value: Value): unknown {
    if (value === null || typeof value === "boolean" || typeof value === "number" || typeof value === "bigint") return value;
    if (typeof value === "string") return fromByteString(value);
    // What is built before it can be known has no place in a text of TypeScript yet: its paths are issued by now.
    if (value instanceof NixString) return fromByteString(value.text);
    if (value instanceof NixFloat) return value.value;
    const known = this.#views.get(value);
    if (known !== undefined) return known;
    const view = createNixView(this.#border, value);
    this.#views.set(value, view);
    this.#border.origins.set(view, value);
    return view;
  }

  #lazily(value: unknown): Slot {
    const isLazy = (typeof value === "object" && value !== null) || typeof value === "function";
    return isLazy ? this.#evaluator.lazy(() => this.#evaluator.force(this.failures.call(() => this.toNix(value)))) : this.toNix(value);
  }

  #unlessRecursive<T>(body: () => T, otherwise: (error: TsosError) => T): T {
    try {
      return body();
    } catch (error) {
      // Where no function of TypeScript is being called by the language, the language itself goes round in a circle.
      if (this.#running > 0 && error instanceof TsosError && this.failures.origin(error)?.kind === "recursion") return otherwise(error);
      throw error;
    }
  }

  #callBack(body: () => unknown): Slot {
    this.#running++;
    try {
      return this.failures.call(() => this.toNix(body()));
    } finally {
      this.#running--;
    }
  }
}
