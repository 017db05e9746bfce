import type { Evaluator } from "../nix/evaluator.ts";
import { Attrs, NixPath, NO_POSITION, type Slot } from "../nix/value.ts";
import { toByteString } from "../util/bytes.ts";
import type { NixBridge } from "./nix-bridge.ts";
import { unsettled } from "./module-calls.ts";

export type NixosSystemOptions = {
  /** The store path of nixpkgs' tree. */
  readonly nixpkgs: string;
  readonly modules: readonly unknown[];
  readonly specialArgs: Readonly<Record<string, unknown>>;
  /** nixpkgs' own `config`, and overlays. */
  readonly config: Readonly<Record<string, unknown>> | undefined;
  readonly overlays: readonly unknown[] | undefined;
  readonly system: string;
};

/** A NixOS system, evaluated as far as it is looked at. */
export type NixosSystem = {
  readonly config: Readonly<Record<string, unknown>>;
  readonly options: Readonly<Record<string, unknown>>;
  readonly pkgs: Readonly<Record<string, unknown>>;
  /**
   * The toplevel's derivation, when what all modules read is settled: of variants that is known only when they
   * were evaluated for it.
   */
  readonly toplevel: unknown;
};

const MOST_ROUNDS = 30;

/**
 * NixOS' own modules with definitions of TypeScript among them. Nix: nixos/lib/eval-config.nix.
 *
 * @throws TsosError `nix.evaluation`, `nix.unsettled`
 */
export function evaluateNixosSystem(evaluator: Evaluator, bridge: NixBridge, options: NixosSystemOptions): NixosSystem {
  const e = evaluator;
  const importFile = (path: string): Slot => e.lazy(() => e.call(e.force(e.globals.get("import")!), [new NixPath(toByteString(`${options.nixpkgs}${path}`))], NO_POSITION));
  const evalConfig = importFile("/nixos/lib/eval-config.nix");
  const own = {
    ...(options.config === undefined ? {} : { config: options.config }),
    ...(options.overlays === undefined || options.overlays.length === 0 ? {} : { overlays: options.overlays }),
  };
  const ownModules = Object.keys(own).length === 0 ? [] : [{ _file: "the options of the input", config: { nixpkgs: own } }];
  // The reference finds the file that lists the modules, and puts each below one of that name, which decides the order
  // of definitions; an object of TypeScript has no such place. Before 22.05 there is no such argument.
  const callEvalConfig = e.lazy(() => e.call(e.force(e.load(toByteString(`evalConfig: location: args: evalConfig (args // (if (builtins.functionArgs evalConfig) ? modulesLocation then { modulesLocation = location; } else { }))`), toByteString("«configuration»"), "/")), [evalConfig, toByteString("the configuration")], NO_POSITION));
  const evaluate = (modules: readonly unknown[]): Attrs =>
    e.forceAttrs(e.lazy(() => e.call(e.force(callEvalConfig), [bridge.toNix({ system: options.system, modules, ...(Object.keys(options.specialArgs).length === 0 ? {} : { specialArgs: options.specialArgs }) })], NO_POSITION)), NO_POSITION, "while evaluating a NixOS system");
  const select = (system: Attrs, name: string): Slot => system.get(name)!;
  const base = once(() => evaluate([...ownModules, { _file: "tsos", config: {} }]));
  const packages = e.lazy(() => e.call(e.force(importFile("/")), [bridge.toNix({ system: options.system, config: options.config ?? {}, overlays: options.overlays ?? [] })], NO_POSITION));
  bridge.modules.begin(() => ({ config: select(base(), "config"), options: select(base(), "options"), packages }));

  let system = evaluate([...ownModules, ...options.modules]);
  let rounds = 1;
  /** Evaluates again until what was read so far is so. */
  const settle = (): boolean => {
    let again = false;
    for (; ; rounds++) {
      // Enough to call every module.
      bridge.run(() => e.force(select(system, "options")));
      const changes = bridge.modules.changes();
      if (changes.length === 0) break;
      if (rounds >= MOST_ROUNDS) throw unsettled(changes);
      again = true;
      bridge.modules.nextRound();
      system = evaluate([...ownModules, ...options.modules]);
    }
    const [failure] = bridge.modules.failures();
    if (failure !== undefined) throw failure;
    return again;
  };
  settle();
  const view = (name: string): Readonly<Record<string, unknown>> => bridge.toTypeScript(select(system, name)) as Readonly<Record<string, unknown>>;
  return {
    get config() {
      return view("config");
    },
    get options() {
      return view("options");
    },
    get pkgs() {
      return view("pkgs");
    },
    get toplevel() {
      for (;;) {
        const { system: part } = view("config") as { readonly system: { readonly build: { readonly toplevel: { readonly drvPath: string } } } };
        const { toplevel } = part.build;
        void toplevel.drvPath;
        if (!settle()) return toplevel;
      }
    },
  };
}

function once<T>(compute: () => T): () => T {
  let found: { readonly value: T } | undefined;
  return () => (found ??= { value: compute() }).value;
}

