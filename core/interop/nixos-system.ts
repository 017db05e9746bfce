import { TsosError } from "../error/tsos-error.ts";
import type { Evaluator } from "../nix/evaluator.ts";
import { Attrs, NixPath, NO_POSITION, type Slot } from "../nix/value.ts";
import { toByteString } from "../util/bytes.ts";
import type { NixBridge } from "./nix-bridge.ts";
import { tooOld } from "./too-old.ts";
import { settleModules, type ModuleEvaluation, type ModulesOfInput, type SettledModules } from "./settle-modules.ts";

export type NixosSystemOptions = ModulesOfInput & { readonly specialArgs: Readonly<Record<string, unknown>> };

/**
 * NixOS' own modules with definitions of TypeScript among them. Nix: nixos/lib/eval-config.nix.
 *
 * @throws TsosError `nix.evaluation`, `nix.unsettled`
 */
export function evaluateNixosSystem(evaluator: Evaluator, bridge: NixBridge, options: NixosSystemOptions, holdOutput: ModuleEvaluation["holdOutput"]): SettledModules {
  const e = evaluator;
  if (e.io.fileKind(toByteString(`${options.nixpkgs}/nixos/lib/eval-config.nix`)) === undefined) {
    throw new TsosError({ code: "nix.no-nixos", message: `the tree that defineNixosSystem is given as nixpkgs has no "nixos/lib/eval-config.nix"`, hint: 'name a tree of nixpkgs: github("NixOS/nixpkgs", "nixos-26.05")' });
  }
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
  const base = once(() => evaluate([...ownModules, { _file: "tsos", config: {} }]));
  const packages = e.lazy(() => e.call(e.force(importFile("/")), [bridge.toNix({ system: options.system, config: options.config ?? {}, overlays: options.overlays ?? [] })], NO_POSITION));
  return settleModules(e, bridge, {
    evaluate: () => evaluate([...ownModules, ...options.modules]),
    base: () => ({ config: base().get("config")!, options: base().get("options")!, packages }),
    toplevel: ["system", "build", "toplevel"],
    holdOutput,
    tooOld: () => tooOld(e, options.nixpkgs),
  });
}

function once<T>(compute: () => T): () => T {
  let found: { readonly value: T } | undefined;
  return () => (found ??= { value: compute() }).value;
}
