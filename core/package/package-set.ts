import { createPackage } from "./create-package.ts";
import { isHelperDefinition, type HelperContext, type HelperDefinition } from "./define-helper.ts";
import { isPackageDefinition, type PackageDefinition } from "./define-package.ts";
import type { EvaluationRegistry } from "./evaluation-registry.ts";
import type { Packages } from "./packages.ts";
import { TsosError } from "../error/tsos-error.ts";
import { findNearestName } from "../util/suggest.ts";

export type PackageSetEntry = PackageDefinition | HelperDefinition<unknown>;

/**
 * Changes a package set: `prev` is the set without this overlay, `final` the finished one. What it returns
 * replaces or adds names: packages, definitions by `definePackage`, or helpers.
 *
 * @example
 * (final, prev) => ({ hello: prev.hello.overrideAttrs(() => ({ doCheck: true })) })
 */
export type Overlay = (final: Packages, prev: Packages) => Readonly<Record<string, unknown>>;

export type PackageSetInit = {
  readonly registry: EvaluationRegistry;
  readonly entries: Readonly<Record<string, PackageSetEntry>>;
  /** Laid over one another in this order. */
  readonly overlays?: readonly Overlay[] | undefined;
  /** Default: `x86_64-linux`. */
  readonly system?: string | undefined;
};

// What JavaScript itself asks of any object: absent here, not unknown packages.
const LANGUAGE_NAMES = new Set(["then", "toJSON", "toString", "valueOf", "constructor", "__proto__", "kind", "type", "$$typeof", "asymmetricMatch", "nodeType"]);

/** A package set: each name is computed when it is first asked for, from the finished set. */
export function createPackageSet(init: PackageSetInit): Packages {
  return new PackageSet(init).final;
}

type Layer = { readonly names: ReadonlySet<string>; get(name: string): unknown };

class PackageSet {
  readonly #registry: EvaluationRegistry;
  readonly #system: string;
  readonly #layers: Layer[] = [];
  readonly #memo: Map<string, unknown>[] = [];
  readonly #placeholders = new WeakMap<object, () => unknown>();
  #complete = false;
  readonly final: Packages;

  constructor(init: PackageSetInit) {
    this.#registry = init.registry;
    this.#system = init.system ?? "x86_64-linux";
    this.final = this.#view(undefined);
    const { entries } = init;
    this.#push({
      names: new Set([...Object.keys(entries), "callPackage"]),
      get: (name) => (name === "callPackage" ? this.#callPackage : entries[name]),
    });
    for (const [index, overlay] of (init.overlays ?? []).entries()) {
      const changes: unknown = overlay(this.final, this.#view(index));
      if (typeof changes !== "object" || changes === null || changes instanceof Promise) {
        throw new TsosError({
          code: "package.bad-overlay",
          message: `overlay ${index + 1} returned ${changes instanceof Promise ? "a Promise" : `"${String(changes)}"`}, expected an object of packages`,
        });
      }
      this.#push({ names: new Set(Object.keys(changes)), get: (name) => Reflect.get(changes, name) });
    }
    this.#complete = true;
  }

  #push(layer: Layer): void {
    this.#layers.push(layer);
    this.#memo.push(new Map());
  }

  readonly #callPackage = (definition: PackageDefinition, changes?: Readonly<Record<string, unknown>>) =>
    definition.call(this.#registry, this.final, changes);

  /** The set as it is up to and with layer `top`; undefined means whole. */
  #view(top: number | undefined): Packages {
    const view: object = new Proxy(Object.create(null) as object, {
      get: (_, key) => this.#get(key, top),
      has: (_, key) => typeof key === "string" && this.#layerOf(key, top) !== undefined,
      ownKeys: () => this.#names(top),
      getOwnPropertyDescriptor: (_, key) =>
        typeof key === "string" && this.#layerOf(key, top) !== undefined
          ? { get: () => this.#get(key, top), enumerable: true, configurable: true }
          : undefined,
      preventExtensions: () => false,
      set: (_, key) => {
        throw new TsosError({
          code: "package.read-only",
          message: `the package set cannot be assigned to, got a new "${String(key)}"`,
          hint: "add or change packages in an overlay",
        });
      },
    });
    // The proxy answers every name that `Packages` declares, since both are made of the same list.
    return view as Packages;
  }

  #names(top: number | undefined): string[] {
    const names = new Set<string>();
    for (const layer of this.#layers.slice(0, top === undefined ? undefined : top + 1)) for (const name of layer.names) names.add(name);
    return [...names].sort();
  }

  #layerOf(name: string, top: number | undefined): number | undefined {
    for (let index = top ?? this.#layers.length - 1; index >= 0; index--) if (this.#layers[index]?.names.has(name)) return index;
    return undefined;
  }

  #get(key: string | symbol, top: number | undefined): unknown {
    if (typeof key === "symbol") return undefined;
    // An overlay may mention the finished set before it is finished: what it gets stands for the later value.
    if (top === undefined && !this.#complete) return this.#placeholder(() => this.#get(key, undefined), key);
    const index = this.#layerOf(key, top);
    if (index === undefined) {
      if (LANGUAGE_NAMES.has(key)) return undefined;
      throw this.#unknown(key, top);
    }
    const memo = this.#memo[index];
    if (memo?.has(key)) return memo.get(key);
    const value = this.#resolve(this.#layers[index]?.get(key));
    memo?.set(key, value);
    return value;
  }

  #resolve(entry: unknown): unknown {
    if (isPackageDefinition(entry)) return entry.call(this.#registry, this.final);
    if (isHelperDefinition(entry)) return entry.call(this.#context);
    const force = typeof entry === "function" ? this.#placeholders.get(entry) : undefined;
    return force === undefined ? entry : this.#resolve(force());
  }

  /**
   * Stands for a value of the finished set while overlays are still being laid: its properties and the results
   * of calling it stand for later values too. Once the set is finished it behaves as the value itself.
   */
  #placeholder(force: () => unknown, name: string): unknown {
    let forced: { readonly value: object } | undefined;
    const value = (): object => {
      if (!this.#complete) {
        throw new TsosError({
          code: "package.overlay-too-early",
          message: `an overlay needs the value of "${name}" of the finished set before the set is finished`,
          hint: `read it when the package is asked for: write the overlay's property as a getter, get ${name.replace(/\W/g, "_")}() { … }, or use prev`,
          data: { name },
        });
      }
      forced ??= { value: Object(force()) as object };
      return forced.value;
    };
    const bound = (key: string | symbol): unknown => {
      const property: unknown = Reflect.get(value(), key);
      return typeof property === "function" ? property.bind(value()) : property;
    };
    const proxy: object = new Proxy(function placeholder() {}, {
      get: (_, key) => (this.#complete || typeof key === "symbol" ? bound(key) : this.#placeholder(() => bound(key), `${name}.${key}`)),
      apply: (_, thisValue, args) => {
        const call = (): unknown => Reflect.apply(value() as () => unknown, thisValue, args);
        return this.#complete ? call() : this.#placeholder(call, name);
      },
      has: (_, key) => Reflect.has(value(), key),
    });
    this.#placeholders.set(proxy, () => value());
    return proxy;
  }

  get #context(): HelperContext {
    const registry = this.#registry;
    return {
      pkgs: this.final,
      registry,
      system: this.#system,
      createPackage: (attributes, compile) => createPackage(registry, attributes, compile),
      toFile: (name, contents) => registry.addText(name, contents),
    };
  }

  #unknown(name: string, top: number | undefined): TsosError {
    const nearest = findNearestName(name, this.#names(top));
    return new TsosError({
      code: "package.unknown",
      message: `there is no package "${name}"`,
      hint: nearest === undefined ? "`tsos pkg search` lists what there is" : `did you mean "${nearest}"?`,
      data: { name, nearest },
    });
  }
}
