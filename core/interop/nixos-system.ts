import { TsosError } from "../error/tsos-error.ts";
import type { Evaluator } from "../nix/evaluator.ts";
import { Attrs, NixPath, NO_POSITION, type Slot } from "../nix/value.ts";
import { toByteString } from "../util/bytes.ts";
import type { NixBridge } from "./nix-bridge.ts";
import { tooOld } from "./too-old.ts";
import { settleModules, type ModuleEvaluation, type ModulesOfInput, type SettledModules } from "./settle-modules.ts";

export type NixosSystemOptions = ModulesOfInput & {
  readonly specialArgs: Readonly<Record<string, unknown>>;
  /** Where the tree is one commit: what a flake knows of itself. */
  readonly commit?: TreeCommit | undefined;
};

/** A locked tree. */
export type TreeCommit = {
  /** A text that depends on the tree. */
  readonly outPath: string;
  readonly rev: string;
  readonly shortRev: string;
  /** Seconds since 1970. */
  readonly lastModified: number;
  readonly narHash: string;
};

/**
 * A system as the tree's own flake makes it, which puts the commit into its version and the tree into its registry; of a
 * tree that is no commit, or whose flake has no such function, as `eval-config.nix` makes it.
 */
const MAKE_SYSTEM = `tree: source: location: args:
let
  evalConfig = import (tree + "/nixos/lib/eval-config.nix");
  located = args // (if (builtins.functionArgs evalConfig) ? modulesLocation then { modulesLocation = location; } else { });
  flake = import (tree + "/flake.nix");
  self = flake.outputs { inherit self; } // source;
  isAlone = removeAttrs (builtins.functionArgs flake.outputs) [ "self" ] == { };
in if source != null && builtins.pathExists (tree + "/flake.nix") && isAlone && (self.lib or { }) ? nixosSystem then self.lib.nixosSystem located else evalConfig located`;

/**
 * NixOS' own modules with definitions of TypeScript among them. Nix: nixos/lib/eval-config.nix, flake.nix of nixpkgs.
 *
 * @throws TsosError `nix.evaluation`, `nix.unsettled`
 */
export function evaluateNixosSystem(evaluator: Evaluator, bridge: NixBridge, options: NixosSystemOptions, holdOutput: ModuleEvaluation["holdOutput"]): SettledModules {
  const e = evaluator;
  if (e.io.fileKind(toByteString(`${options.nixpkgs}/nixos/lib/eval-config.nix`)) === undefined) {
    throw noNixos(`the tree that defineNixosSystem is given as nixpkgs has no "nixos/lib/eval-config.nix"`);
  }
  const importFile = (path: string): Slot => e.lazy(() => e.call(e.force(e.globals.get("import")!), [new NixPath(toByteString(`${options.nixpkgs}${path}`))], NO_POSITION));
  const own = {
    ...(options.config === undefined ? {} : { config: options.config }),
    ...(options.overlays === undefined || options.overlays.length === 0 ? {} : { overlays: options.overlays }),
  };
  const ownModules = Object.keys(own).length === 0 ? [] : [{ _file: "the options of the input", config: { nixpkgs: own } }];
  // The reference finds the file that lists the modules, and puts each below one of that name, which decides the order
  // of definitions; an object of TypeScript has no such place. Before 22.05 there is no such argument.
  const makeSystem = e.lazy(() => e.call(e.force(e.load(toByteString(MAKE_SYSTEM), toByteString("«configuration»"), "/")), [new NixPath(toByteString(options.nixpkgs)), bridge.toNix(options.commit === undefined ? null : describeCommit(options.commit)), toByteString("the configuration")], NO_POSITION));
  const evaluate = (modules: readonly unknown[]): Attrs =>
    e.forceAttrs(e.lazy(() => e.call(e.force(makeSystem), [bridge.toNix({ system: options.system, modules, ...(Object.keys(options.specialArgs).length === 0 ? {} : { specialArgs: options.specialArgs }) })], NO_POSITION)), NO_POSITION, "while evaluating a NixOS system");
  const base = once(() => evaluate([...ownModules, { _file: "tsos", config: {} }]));
  const packages = e.lazy(() => e.call(e.force(importFile("/")), [bridge.toNix({ system: options.system, config: options.config ?? {}, overlays: options.overlays ?? [] })], NO_POSITION));
  return settleModules(e, bridge, {
    evaluate: () => evaluate([...ownModules, ...options.modules]),
    base: () => ({ config: base().get("config")!, options: base().get("options")!, packages }),
    toplevel: ["system", "build", "toplevel"],
    holdOutput,
    noModules: (name) => noNixos(`the "nixos/lib/eval-config.nix" of the tree that defineNixosSystem is given as nixpkgs gives no "${name}"`),
    tooOld: () => tooOld(e, options.nixpkgs),
  });
}

function noNixos(message: string): TsosError {
  return new TsosError({ code: "nix.no-nixos", message, hint: 'name a tree of nixpkgs: github("NixOS/nixpkgs", "nixos-26.05")' });
}

/** As a flake's `self` has it. */
function describeCommit({ outPath, rev, shortRev, lastModified, narHash }: TreeCommit): Readonly<Record<string, unknown>> {
  const date = new Date(lastModified * 1000).toISOString().slice(0, 19).replace(/[^0-9]/g, "");
  return { outPath, rev, shortRev, lastModified, lastModifiedDate: date, narHash };
}

function once<T>(compute: () => T): () => T {
  let found: { readonly value: T } | undefined;
  return () => (found ??= { value: compute() }).value;
}
