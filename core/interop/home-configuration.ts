import { TsosError } from "../error/tsos-error.ts";
import type { Evaluator } from "../nix/evaluator.ts";
import { Attrs, NixPath, NO_POSITION, type Slot } from "../nix/value.ts";
import { toByteString } from "../util/bytes.ts";
import type { NixBridge } from "./nix-bridge.ts";
import { tooOld } from "./too-old.ts";
import { settleModules, type ModuleEvaluation, type ModulesOfInput, type SettledModules } from "./settle-modules.ts";

export type HomeConfigurationOptions = ModulesOfInput & {
  /** The store path of home-manager's tree. */
  readonly homeManager: string;
  readonly extraSpecialArgs: Readonly<Record<string, unknown>>;
};

/** Of whom nothing is known yet: what modules see of a home in the first round, and never longer. */
const NOBODY = { _file: "tsos", config: { home: { username: "nobody", homeDirectory: "/homeless", stateVersion: "26.05" } } };

/**
 * home-manager's own modules with definitions of TypeScript among them, as its `homeManagerConfiguration` evaluates them.
 *
 * @throws TsosError `nix.evaluation`, `nix.unsettled`
 */
export function evaluateHomeConfiguration(evaluator: Evaluator, bridge: NixBridge, options: HomeConfigurationOptions, holdOutput: ModuleEvaluation["holdOutput"]): SettledModules {
  const e = evaluator;
  const importFile = (path: string): Slot => e.lazy(() => e.call(e.force(e.globals.get("import")!), [new NixPath(toByteString(path))], NO_POSITION));
  const packages = e.lazy(() => e.call(e.force(importFile(options.nixpkgs)), [bridge.toNix({ system: options.system, config: options.config ?? {}, overlays: options.overlays ?? [] })], NO_POSITION));
  const callHome = e.lazy(() => e.call(e.force(e.load(toByteString("home: pkgs: args: (home { inherit (pkgs) lib; }).homeManagerConfiguration (args // { inherit pkgs; })"), toByteString("«configuration»"), "/")), [importFile(`${options.homeManager}/lib`), packages], NO_POSITION));
  const { extraSpecialArgs } = options;
  const evaluate = (modules: readonly unknown[]): Attrs =>
    e.forceAttrs(e.lazy(() => e.call(e.force(callHome), [bridge.toNix({ modules, ...(Object.keys(extraSpecialArgs).length === 0 ? {} : { extraSpecialArgs }) })], NO_POSITION)), NO_POSITION, "while evaluating a home");
  let base: Attrs | undefined;
  const nobody = (): Attrs => (base ??= evaluate([NOBODY]));
  return settleModules(e, bridge, {
    evaluate: () => evaluate(options.modules),
    base: () => ({ config: nobody().get("config")!, options: nobody().get("options")!, packages }),
    toplevel: ["home", "activationPackage"],
    holdOutput,
    noModules: (name) => new TsosError({ code: "nix.no-home-manager", message: `the "homeManagerConfiguration" of the tree that defineHome is given as homeManager gives no "${name}"`, hint: 'name a tree of home-manager: github("nix-community/home-manager", "release-26.05")' }),
    tooOld: () => tooOld(e, options.nixpkgs),
  });
}
