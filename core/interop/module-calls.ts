import { TsosError } from "../error/tsos-error.ts";
import { NixError } from "../nix/nix-error.ts";
import { Attrs, NO_POSITION, textOf, type Slot } from "../nix/value.ts";
import { fromByteString, toByteString } from "../util/bytes.ts";
import { askedHere } from "./nix-failures.ts";
import { createLateView, fingerprint, type LateBridge, type LateCall, type LateRead } from "./late-views.ts";

/** One evaluation of a set of modules that modules of TypeScript belong to: the system, or a variant of it. */
type ModuleSystem = {
  readonly config: Slot;
  readonly options: Slot;
  /** Where it stands in the configuration, and which one there it is; the same in each round. */
  readonly key: string;
  /**
   * What it was in the round before; of a variant at first the system itself, which has settled by then. Of the modules
   * in an option's value nothing at first.
   */
  readonly before: ModuleSystem | undefined;
  /** The modules are those of an option's value, such as a user's home. */
  readonly isPart: boolean;
  readonly reads: LateRead[];
  readonly failures: unknown[];
};

/** A call of a function as a module: what the module system gives it. */
type ModuleArguments = { readonly set: Attrs; readonly system: ModuleSystem | undefined };

/** What a module looked at, before and now. */
export type ChangedRead = { readonly path: string; readonly before: string; readonly now: string; readonly reader: Error };

/** Nix: lib/modules.nix, what `evalModules` gives every module. */
const NEEDED = ["config", "options", "lib", "_prefix"];
/** Those depend on the configuration itself; the others of `evalModules` are there from the beginning. */
const LATE = new Set(["config", "options"]);

/**
 * Modules written as functions in TypeScript, called by nixpkgs' module system.
 *
 * The language is lazy, a function of TypeScript is not: it reads `config` while the modules are still being collected.
 * So it is given what the round before saw, at first the system without it, and every look is noted. Where the finished
 * system gives another answer, the modules are evaluated again with that, until nothing changes.
 */
export class ModuleCalls {
  readonly #bridge: LateBridge;
  /** In the order in which they were met, which is the same in each round. */
  #systems: ModuleSystem[] = [];
  #before: readonly ModuleSystem[] = [];
  /** Modules of the system itself; where a variant of it is evaluated, they are called again under another prefix. */
  readonly #own = new WeakSet<object>();
  #base: (() => { readonly config: Slot; readonly options: Slot; readonly packages: Slot }) | undefined;

  #tooOld: (() => TsosError) | undefined;

  constructor(bridge: LateBridge) {
    this.#bridge = bridge;
  }

  /**
   * Begins the first round. `base` is the system that has none of these modules, looked at only where one asks; `tooOld`
   * is told where the module system does not give what is needed.
   */
  begin(base: () => { readonly config: Slot; readonly options: Slot; readonly packages: Slot }, tooOld: () => TsosError): void {
    this.#base = base;
    this.#tooOld = tooOld;
    this.#systems = [];
    this.#before = [];
  }

  nextRound(): void {
    this.#before = this.#systems;
    this.#systems = [];
  }

  /** What modules saw and is not so; of the systems that have been evaluated so far. */
  changes(): readonly ChangedRead[] {
    const e = this.#bridge.evaluator;
    const changed: ChangedRead[] = [];
    for (const { reads } of this.#systems) {
      for (const { path, slot, seen, reader } of reads) {
        let now: string;
        try {
          now = fingerprint(e, slot);
        } catch (error) {
          if (!(error instanceof NixError)) throw error;
          now = error.kind === "missing" ? "nothing" : `an error: ${error.message}`;
        }
        if (now !== seen && !(seen === "false" && now === "nothing")) changed.push({ path, before: seen, now, reader });
      }
    }
    return changed;
  }

  /** What modules threw in this round. */
  failures(): readonly unknown[] {
    return this.#systems.flatMap(({ failures }) => failures);
  }

  /** Whether a function is being called as a module, and of what. */
  find(fn: object, argument: Slot): ModuleArguments | undefined {
    const e = this.#bridge.evaluator;
    let set: unknown;
    try {
      set = e.force(argument);
    } catch (error) {
      if (error instanceof NixError) return undefined;
      throw error;
    }
    if (!(set instanceof Attrs)) return undefined;
    const missing = NEEDED.filter((name) => set.get(name) === undefined);
    // Without it a module of a submodule looks like one of the system.
    if (missing.length === 1 && missing[0] === "_prefix" && this.#base !== undefined && set.get("specialArgs") !== undefined) throw this.#tooOld!();
    if (missing.length > 0) return undefined;
    const prefix = e.forceList(set.get("_prefix")!, NO_POSITION, "while reading the prefix of a module");
    if (prefix.length === 0) this.#own.add(fn);
    if (this.#base === undefined) return { set, system: undefined };
    const place = prefix.map((part) => textOf(e.forceString(part, NO_POSITION, "while reading the prefix of a module"))).join("\0");
    return { set, system: this.#systemOf(set.get("config")!, set.get("options")!, place, this.#own.has(fn)) };
  }

  #systemOf(config: Slot, options: Slot, place: string, isOwn: boolean): ModuleSystem {
    const known = this.#systems.find((one) => one.options === options || one.config === config);
    if (known !== undefined) return known;
    const key = `${place}\n${this.#systems.filter((one) => one.key.startsWith(`${place}\n`)).length}`;
    const before = this.#before.find((one) => one.key === key) ?? (isOwn ? this.#systems[0] : undefined);
    const system: ModuleSystem = { config, options, key, before, isPart: !isOwn, reads: [], failures: [] };
    this.#systems.push(system);
    return system;
  }

  call(fn: (argument: never) => unknown, { set, system }: ModuleArguments): unknown {
    const bridge = this.#bridge;
    const e = bridge.evaluator;
    const call: LateCall = { isRunning: true, reads: system?.reads ?? [], isFirst: system !== undefined && system.before === undefined };
    const config = set.get("config")!;
    const argumentOf = (from: Slot, name: string): Slot =>
      e.lazy(() => {
        const found = ["_module", "args", name].reduce<Slot | undefined>((at, part) => (at === undefined ? undefined : e.forceAttrs(at, NO_POSITION, "while reading a module's arguments").get(toByteString(part))), from);
        if (found === undefined) throw e.error("missing", toByteString(`there is no module argument '${name}'`));
        return e.force(found);
      });
    const before = (name: string) => (system === undefined ? undefined : (): Slot | undefined => this.#lookBefore(system, name, argumentOf));
    const given = new Map<string, unknown>();
    const read = (name: string): unknown => {
      if (given.has(name)) return given.get(name);
      const slot = set.get(toByteString(name));
      const value = slot !== undefined && !LATE.has(name) && !this.#isArgument(set, name) ? bridge.toTypeScript(slot) : createLateView(bridge, call, slot ?? argumentOf(config, name), before(name), name, name === "pkgs" ? "packages" : "any");
      given.set(name, value);
      return value;
    };
    const names = (): string[] => set.shape.names.map(fromByteString);
    const argument = new Proxy(Object.create(null) as object, {
      get: (_, key) => (typeof key === "symbol" || key === "then" ? undefined : read(key)),
      has: (_, key) => typeof key === "string" && names().includes(key),
      ownKeys: names,
      getOwnPropertyDescriptor: (_, key) => (typeof key === "string" && names().includes(key) ? { configurable: true, enumerable: true, writable: false, value: read(key) } : undefined),
    });
    const readsBefore = call.reads.length;
    try {
      return fn(argument as never);
    } catch (error) {
      // What was looked at may be another when the others have been heard; if it is not, this is the error.
      if (system === undefined || call.reads.length === readsBefore) throw error;
      system.failures.push(error);
      return {};
    } finally {
      call.isRunning = false;
    }
  }

  /** Those that the configuration gives are evaluated from it, the others stand in the set already. */
  #isArgument(set: Attrs, name: string): boolean {
    if (["lib", "specialArgs", "_class", "_prefix"].includes(name)) return false;
    const special = set.get("specialArgs");
    if (special === undefined) return false;
    return this.#bridge.evaluator.forceAttrs(special, NO_POSITION, "while reading specialArgs").get(toByteString(name)) === undefined;
  }

  #lookBefore(system: ModuleSystem, name: string, argumentOf: (config: Slot, name: string) => Slot): Slot | undefined {
    const { before } = system;
    if (before === undefined && system.isPart) return undefined;
    const base = before ?? this.#base!();
    if (name === "config") return base.config;
    if (name === "options") return base.options;
    if (name === "pkgs" && before === undefined) return this.#base!().packages;
    return argumentOf(base.config, name);
  }
}

/** @throws TsosError `nix.unsettled` naming what flips */
export function unsettled(changes: readonly ChangedRead[]): TsosError {
  const shown = changes.slice(0, 5).map(({ path, before, now }) => `  ${path}: ${before}, then ${now}`);
  const made = new TsosError({
    code: "nix.unsettled",
    message: `the modules do not settle: what they read changes with what they define\n${shown.join("\n")}`,
    hint: "an infinite recursion: let the definition not depend on what it changes",
    related: changes.slice(1, 5).flatMap(({ reader }) => askedHere(reader.stack ?? "", "also read here")),
    data: { reads: changes.map(({ path }) => path) },
  });
  // It stands where the module looks at what flips.
  if (changes[0] !== undefined) made.stack = changes[0].reader.stack ?? "";
  return made;
}
