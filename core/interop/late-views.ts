import { TsosError } from "../error/tsos-error.ts";
import type { Evaluator } from "../nix/evaluator.ts";
import { NixError } from "../nix/nix-error.ts";
import { bestMatches } from "../nix/suggestions.ts";
import { Attrs, Builtin, Closure, NixFloat, NixPath, NixString, NO_POSITION, PartialBuiltin, type Slot, type Value } from "../nix/value.ts";
import { fromByteString, toByteString } from "../util/bytes.ts";
import { findNearestName } from "../util/suggest.ts";
import { LateSignal } from "./late-signal.ts";

/** What late views need of the bridge. */
export type LateBridge = {
  readonly evaluator: Evaluator;
  toTypeScript(slot: Slot): unknown;
  toNix(value: unknown): Slot;
  /** A text that stands for `slot` until it is known. */
  token(slot: Slot, before: Oracle): string;
  /** `view` goes back to the language as `slot`; `before` is what it was in the round before. */
  adopt(view: object, slot: Slot, before: Oracle): void;
  /** Calls a function with all of its arguments; of wrong ones the error says what it takes. */
  call(fn: Value, args: readonly Slot[]): Value;
  /** Remembers which line of TypeScript stands behind an error. */
  askedBy(error: NixError, asker: Error): void;
};

/** Something that a module looked at while it ran, and what it saw. */
export type LateRead = { readonly path: string; readonly slot: Slot; readonly seen: string; readonly reader: Error };

/** One call of a function of TypeScript by the module system. */
export type LateCall = {
  isRunning: boolean;
  readonly reads: LateRead[];
  /** Nothing of what these modules define is known yet: a name that is not there may be one that they bring. */
  readonly isFirst: boolean;
};

/** What was seen where nothing could be: it is never what is there, so the modules are called again. */
const UNKNOWN = "unknown";

/** What was there in the round before, at the same place; undefined: nothing to look at. */
export type Oracle = (() => Slot | undefined) | undefined;

const OUTPUTS: ReadonlySet<string> = new Set(["out", "bin", "dev", "lib", "man", "doc", "override", "overrideAttrs"]);
const PROBES: ReadonlySet<string> = new Set(["then", "constructor", "nodeType", "asymmetricMatch", "$$typeof", "kind", "type"]);
/** Names among packages that are none, so that they must be looked at. */
const NO_PACKAGES: ReadonlySet<string> = new Set(["system", "path", "config", "lib"]);

/** How much is known of a view without looking: the package set, a package or function in it, nothing. */
type Depth = "packages" | "package" | "any";

/**
 * What a module of TypeScript is called with while the modules are still being collected: nothing of the
 * configuration is known then. Sets, packages and functions are views that are evaluated later; a plain value (and the
 * names in a set, and the items of a list) is what it was in the round before, noted so that it can be compared.
 */
export function createLateView(bridge: LateBridge, call: LateCall, slot: Slot, oracle: Oracle, path: string, depth: Depth = "any"): object {
  const e = bridge.evaluator;
  const isOfPackages = path === "pkgs" || path.startsWith("pkgs.");
  // What a function of the language makes of packages is passed on, mostly: to know it would take another package set.
  const later = (inner: Slot, innerBefore?: () => Slot | undefined): unknown => {
    const known = isOfPackages ? undefined : innerBefore?.();
    if (known !== undefined) return look(inner, () => known, `f(${path})`);
    if (call.isFirst && !isOfPackages) note(`f(${path})`, inner, UNKNOWN);
    return createLateView(bridge, call, inner, undefined, path);
  };
  const guarded = e.lazy(() => {
    if (call.isRunning) throw new LateSignal(later);
    return e.force(slot);
  });
  const real = (): unknown => bridge.toTypeScript(slot);
  const realObject = (): object => {
    const value = real();
    return (typeof value === "object" && value !== null) || typeof value === "function" ? value : (Object(value) as object);
  };
  const before = (): Value => {
    const found = oracle?.();
    if (found === undefined) {
      throw new TsosError({
        code: "nix.late-value",
        message: `"${path}" is not known yet while the module runs, so it cannot be looked at`,
        hint: "compute what depends on it when it is asked for: { get name() { return … } }",
        data: { path },
      });
    }
    return e.force(found);
  };
  const note = (at: string, noted: Slot, seen: string): void => {
    call.reads.push({ path: at, slot: noted, seen, reader: new Error(at) });
  };
  const select = (name: string): Slot =>
    laterAsked(bridge, () => e.force(attributeOf(e, guarded, name, path)));
  const selectBefore = (name: string): Oracle => (oracle === undefined ? undefined : () => {
    const set = before();
    return set instanceof Attrs ? set.get(toByteString(name)) : undefined;
  });

  /** A plain value as it was, all else as a view. */
  const look = (inner: Slot, innerOracle: Oracle, at: string): unknown => {
    const found = innerOracle?.();
    try {
      note(at, inner, fingerprint(e, found));
    } catch (error) {
      // An option without a value, say: it is an error only where somebody needs it, as in the language itself.
      if (!(error instanceof NixError)) throw error;
      note(at, inner, `an error: ${error.message}`);
      return createUnknownView(bridge, call, inner, at, error);
    }
    if (found === undefined) return undefined;
    const value = e.force(found);
    if (value instanceof Attrs || value instanceof NixPath || isFunction(value)) return createLateView(bridge, call, inner, innerOracle, at);
    if (!Array.isArray(value)) return bridge.toTypeScript(value);
    const items = value.map((item, index) => look(e.lazy(() => e.force(e.forceList(inner, NO_POSITION, "while reading a list for TypeScript")[index]!)), () => item, `${at}.${index}`));
    Object.freeze(items);
    bridge.adopt(items, inner, innerOracle);
    return items;
  };
  const child = (name: string): unknown => {
    const at = `${path}.${name}`;
    if (depth === "packages" && !NO_PACKAGES.has(name)) return createLateView(bridge, call, select(name), selectBefore(name), at, "package");
    if (depth === "package" && OUTPUTS.has(name)) return createLateView(bridge, call, select(name), selectBefore(name), at, "package");
    if (depth === "package" && PROBES.has(name)) return undefined;
    // A package that is not there may come from an overlay of these modules; if it does not, whoever needs it is told.
    if (oracle !== undefined && oracle() === undefined && (call.isFirst || depth === "package")) {
      note(at, select(name), call.isFirst ? UNKNOWN : "nothing");
      return createUnknownView(bridge, call, select(name), at, undefined);
    }
    const set = before();
    const found = set instanceof Attrs ? set.get(toByteString(name)) : undefined;
    if (found !== undefined) return look(select(name), () => found, at);
    if (PROBES.has(name)) return undefined;
    if (call.isFirst) {
      note(at, select(name), UNKNOWN);
      return createUnknownView(bridge, call, select(name), at, undefined);
    }
    note(`${at}?`, e.lazy(() => namesOf(e, guarded, name)), "false");
    const near = set instanceof Attrs ? findNearestName(name, set.shape.names.map(fromByteString)) : undefined;
    throw new TsosError({ code: "nix.missing-attribute", message: `there is no "${name}" in "${path}"`, hint: near === undefined ? undefined : `did you mean "${near}"?`, data: { attribute: name, path } });
  };
  /** Of the modules in an option's value nothing is known in the first round; who looks is asked again. */
  const isUnknown = (): boolean => {
    if (oracle === undefined || !call.isFirst || oracle() !== undefined) return false;
    note(path, slot, UNKNOWN);
    return true;
  };
  const names = (): string[] => {
    if (isUnknown()) return [];
    const set = before();
    if (!(set instanceof Attrs)) return [];
    const found = set.shape.names.map(fromByteString);
    note(`names of ${path}`, e.lazy(() => e.forceAttrs(guarded, NO_POSITION, "while reading names for TypeScript").shape.names.join("\0")), JSON.stringify(set.shape.names.join("\0")));
    return found;
  };
  const token = (): string => bridge.token(guarded, oracle);

  const view: object = new Proxy(callableTarget(), {
    get(_, key): unknown {
      if (key === "then") return undefined;
      if (!call.isRunning) {
        if (key === Symbol.toPrimitive) return () => {
          const value = real();
          return typeof value === "object" || typeof value === "function" ? String(value) : value;
        };
        return Reflect.get(realObject(), key);
      }
      if (key === Symbol.toPrimitive || key === "toString" || key === "toJSON" || key === "valueOf") return token;
      return typeof key === "symbol" ? undefined : child(key);
    },
    has(_, key) {
      if (!call.isRunning) return Reflect.has(realObject(), key);
      // Whether something is a package is asked of everything.
      if (typeof key === "symbol" || (depth === "package" && (OUTPUTS.has(key) || PROBES.has(key))) || isUnknown()) return false;
      const set = before();
      const has = set instanceof Attrs && set.get(toByteString(key)) !== undefined;
      note(`${path}.${key}?`, e.lazy(() => namesOf(e, guarded, key)), String(has));
      return has;
    },
    ownKeys: () => (call.isRunning ? names() : Reflect.ownKeys(realObject()).filter((key) => key !== "length")),
    getOwnPropertyDescriptor(_, key) {
      if (!call.isRunning) return descriptorOf(realObject(), key);
      if (typeof key === "symbol" || !names().includes(key)) return undefined;
      return { configurable: true, enumerable: true, writable: false, value: child(key) };
    },
    apply(_, __, args: readonly unknown[]) {
      if (!call.isRunning) return (realObject() as (...args: readonly unknown[]) => unknown)(...args);
      return createLateView(bridge, call, callLater(bridge, guarded, args), undefined, `${path}(…)`, "package");
    },
    ...UNCHANGEABLE,
  });
  bridge.adopt(view, guarded, oracle);
  return view;
}

/**
 * What a module gets for an option that nobody has declared yet, perhaps itself, or for one whose value is an error. It
 * can be passed on and put into texts like any other view. Looked into, the first is empty, since the module is called
 * again when more is known; the second throws its error.
 */
function createUnknownView(bridge: LateBridge, call: LateCall, slot: Slot, path: string, error: NixError | undefined): object {
  const e = bridge.evaluator;
  const guarded = e.lazy(() => {
    if (call.isRunning) {
      throw new LateSignal((inner) => {
        if (error === undefined) call.reads.push({ path: `f(${path})`, slot: inner, seen: UNKNOWN, reader: new Error(path) });
        return createUnknownView(bridge, call, inner, path, error);
      });
    }
    return e.force(slot);
  });
  const realObject = (): object => {
    const value = bridge.toTypeScript(slot);
    return (typeof value === "object" && value !== null) || typeof value === "function" ? value : (Object(value) as object);
  };
  const nothing = <T>(value: T): T => {
    if (error !== undefined) bridge.toTypeScript(slot);
    return value;
  };
  const view: object = new Proxy(callableTarget(), {
    get(_, key): unknown {
      if (key === "then") return undefined;
      if (!call.isRunning && key !== Symbol.toPrimitive) return Reflect.get(realObject(), key);
      if (key === Symbol.toPrimitive || key === "toString" || key === "toJSON" || key === "valueOf") return () => (call.isRunning ? bridge.token(guarded, undefined) : String(bridge.toTypeScript(slot)));
      if (key === Symbol.iterator) return nothing([][Symbol.iterator].bind([]));
      if (typeof key === "symbol") return undefined;
      if (key === "length") return nothing(0);
      const inner = laterAsked(bridge, () => e.force(attributeOf(e, guarded, key, path)));
      return createUnknownView(bridge, call, inner, `${path}.${key}`, error);
    },
    has: (_, key) => (call.isRunning ? nothing(false) : Reflect.has(realObject(), key)),
    ownKeys: () => (call.isRunning ? nothing([]) : Reflect.ownKeys(realObject()).filter((key) => key !== "length")),
    getOwnPropertyDescriptor: (_, key) => (call.isRunning ? undefined : descriptorOf(realObject(), key)),
    apply(_, __, args: readonly unknown[]) {
      if (!call.isRunning) return (realObject() as (...args: readonly unknown[]) => unknown)(...args);
      return createUnknownView(bridge, call, callLater(bridge, guarded, args), `${path}(…)`, error);
    },
    ...UNCHANGEABLE,
  });
  bridge.adopt(view, guarded, undefined);
  return view;
}

/** Traps of a view that stands for a value of the Nix language. */
const UNCHANGEABLE = { getPrototypeOf: () => null, set: refuse, defineProperty: refuse, deleteProperty: refuse, setPrototypeOf: refuse, preventExtensions: refuse } as const;

/** A property of what a view turned out to be: the proxy's target has none of its own, so none may be said to be fixed. */
function descriptorOf(real: object, key: PropertyKey): PropertyDescriptor | undefined {
  const found = Reflect.getOwnPropertyDescriptor(real, key);
  return found === undefined ? undefined : { ...found, configurable: true };
}

/** What a call of the language gives: a call without any argument passes an empty set. */
function callLater(bridge: LateBridge, callee: Slot, args: readonly unknown[]): Slot {
  const e = bridge.evaluator;
  const slots = args.length === 0 ? [e.makeSet([])] : args.map((arg) => e.lazy(() => e.force(bridge.toNix(arg))));
  return laterAsked(bridge, () => bridge.call(e.force(callee), slots));
}

function attributeOf(e: Evaluator, set: Slot, name: string, path: string): Slot {
  const attrs = e.forceAttrs(set, NO_POSITION, `while reading '${name}' for TypeScript`);
  const found = attrs.get(toByteString(name));
  if (found === undefined) throw e.error("missing", toByteString(`attribute '${name}' missing in '${path}'`), NO_POSITION, bestMatches(attrs.shape.names, toByteString(name)));
  return found;
}

/** What is evaluated when the language wants it; where it fails, the line of TypeScript that asked is told. */
function laterAsked(bridge: LateBridge, body: () => Value): Slot {
  const asker = new Error("asked");
  return bridge.evaluator.lazy(() => {
    try {
      return body();
    } catch (error) {
      if (error instanceof NixError) bridge.askedBy(error, asker);
      throw error;
    }
  });
}

function refuse(): never {
  throw new TsosError({ code: "nix.read-only", message: "a value of a Nix expression cannot be changed", hint: "make a new value: { ...set, name: value }" });
}

function isFunction(value: Value): boolean {
  return value instanceof Closure || value instanceof Builtin || value instanceof PartialBuiltin;
}

function namesOf(e: Evaluator, slot: Slot, name: string): boolean {
  const set = e.force(slot);
  return set instanceof Attrs && set.get(toByteString(name)) !== undefined;
}

/** What can be told of a value by looking at it and no further. */
export function fingerprint(e: Evaluator, slot: Slot | undefined): string {
  if (slot === undefined) return "nothing";
  const value = e.force(slot);
  if (value instanceof Attrs) return "a set";
  if (value instanceof NixPath) return "a path";
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (isFunction(value)) return "a function";
  if (value instanceof NixString) return JSON.stringify(value.text);
  if (value instanceof NixFloat) return String(value.value);
  return typeof value === "bigint" ? String(value) : JSON.stringify(value);
}

/** What a proxy must stand for to be called; strict functions of this kind have no own properties that may not be hidden. */
export function callableTarget(): object {
  const target = (): undefined => undefined;
  Reflect.deleteProperty(target, "name");
  Reflect.deleteProperty(target, "length");
  return target;
}
