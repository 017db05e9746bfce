import { TsosError } from "../error/tsos-error.ts";
import { Attrs, NixPath, NO_POSITION, type Builtin, type Closure, type PartialBuiltin, type Slot } from "../nix/value.ts";
import type { Package } from "../package/package.ts";
import { fromByteString, toByteString } from "../util/bytes.ts";
import { findNearestName } from "../util/suggest.ts";
import { readOnly, type Border } from "./border.ts";
import { callFromTypeScript, refuseText } from "./call-from-typescript.ts";
import { callBefore } from "./calls-before.ts";
import { callableTarget } from "./late-views.ts";
import { derivationField, isDerivationField } from "./nix-package.ts";

/** Asked of anything by the language and its libraries; where a set lacks them, that is no mistake. */
const PROBES: ReadonlySet<string> = new Set(["then", "kind", "constructor", "nodeType", "asymmetricMatch", "length", "$$typeof"]);

/** A file or folder that an expression names; in a string it is its copy in the store. */
export type NixPathValue = { readonly kind: "nix-path"; readonly path: string; toString(): string };

/** What TypeScript sees of a value that is no plain one. */
export function createNixView(border: Border, value: Attrs | NixPath | Slot[] | Closure | Builtin | PartialBuiltin): object {
  if (value instanceof Attrs) return attrsView(border, value);
  if (value instanceof NixPath) return pathView(border, value);
  if (Array.isArray(value)) return listView(border, value);
  return functionView(border, value);
}

function pathView({ evaluator: e, failures }: Border, value: NixPath): NixPathValue {
  const text = (): string => failures.run(() => fromByteString(e.coerceToString(value, NO_POSITION, new Set(), "", false, true)));
  return Object.freeze({ kind: "nix-path" as const, path: fromByteString(value.path), toString: text, toJSON: text });
}

function functionView(border: Border, value: Closure | Builtin | PartialBuiltin): object {
  const { evaluator: e, failures } = border;
  const call = (...args: readonly unknown[]): unknown => {
    const slots = args.length === 0 ? [e.makeSet([])] : args.map((arg) => border.lazily(arg));
    return border.toTypeScript(
      e.lazy(() => callFromTypeScript(e, failures, value, slots)),
      () => callBefore(border, value, args),
    );
  };
  const refuse = (): never => {
    throw refuseText(e, value);
  };
  Object.defineProperties(call, { toString: { value: refuse }, [Symbol.toPrimitive]: { value: refuse } });
  return Object.freeze(call);
}

function listView(border: Border, list: readonly Slot[]): object {
  const shown = new Array<unknown>(list.length);
  const read = (index: number): unknown => {
    if (!(index in shown)) shown[index] = border.toTypeScript(list[index]!);
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
    ...readOnly("a list"),
  });
}

function attrsView(border: Border, set: Attrs): object {
  const { evaluator: e, failures } = border;
  const shown = new Map<string, unknown>();
  const isDerivation = (): boolean => failures.run(() => e.isDerivation(set));
  const isCallable = set.get("__functor") !== undefined;
  const attribute = (name: string): unknown => {
    const slot = set.get(toByteString(name));
    if (slot === undefined) return undefined;
    if (shown.has(name)) return shown.get(name);
    return border.unlessRecursive(
      () => {
        const value = border.toTypeScript(slot);
        shown.set(name, value);
        return value;
      },
      () => border.pending(slot),
    );
  };
  const has = (name: string): boolean => set.get(toByteString(name)) !== undefined;
  const names = (): string[] => set.shape.names.map(fromByteString);
  const toText = (): string => failures.run(() => fromByteString(e.coerceToString(set, NO_POSITION, new Set(), "while a set is used as a text", false, true)));
  const toPlain = (): unknown => (isDerivation() ? toText() : Object.fromEntries(names().map((name) => [name, attribute(name)])));

  const read = (key: string | symbol): unknown => {
    if (key === Symbol.toPrimitive) return toText;
    if (typeof key === "symbol") return undefined;
    if (isDerivationField(key) && isDerivation()) return derivationField(key, { attribute, has, names, self: () => view as Package, run: (body) => failures.run(body), call: callView });
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
    apply: (_, __, args: readonly unknown[]) => failures.run(() => border.show(callFromTypeScript(e, failures, set, args.map((arg) => border.lazily(arg))))),
    ...readOnly("a set"),
  };
  const view: object = new Proxy(isCallable ? callableTarget() : (Object.create(null) as object), handler);
  return view;
}

function callView(fn: unknown, args: readonly unknown[]): unknown {
  if (typeof fn !== "function") throw new TsosError({ code: "nix.not-a-function", message: "this attribute is no function" });
  return (fn as (...args: readonly unknown[]) => unknown)(...args);
}

function missing(name: string, names: readonly string[]): TsosError {
  const near = findNearestName(name, names);
  return new TsosError({ code: "nix.missing-attribute", message: `there is no attribute "${name}"`, hint: near === undefined ? undefined : `did you mean "${near}"?`, data: { attribute: name } });
}
