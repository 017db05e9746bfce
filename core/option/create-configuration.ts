import { TsosError } from "../error/tsos-error.ts";
import { freezeDefinitions } from "./freeze-definitions.ts";
import { createModule } from "./module.ts";
import type { ConfigFunction, Module, ModuleList } from "./module.ts";
import { isPlainObject } from "./plain-object.ts";
import { previewValue } from "./preview-value.ts";

/** What functions are given by these names cannot be anything else. */
const GIVEN: ReadonlySet<string> = new Set(["config", "options", "lib", "pkgs", "inputs", "root", "name", "extendModules"]);

type Configuration<Kind extends ModuleList["kind"]> = {
  readonly kind: Kind;
  readonly modules: readonly Module[];
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly specialArgs: Readonly<Record<string, unknown>>;
};

/**
 * A configuration of what `defineSystem` or `defineShell` was given, a function or parts.
 * @throws TsosError `option.bad-module`
 */
export function createConfiguration<const Kind extends ModuleList["kind"]>(kind: Kind, given: object, origin: Error, what: string): Configuration<Kind> {
  // Its parts are what the parameters' types ask for; what has none is refused below.
  const { inputs = {}, specialArgs = {}, ...parts } = (isPlainObject(given) ? given : {}) as Partial<Module> & Partial<Configuration<Kind>>;
  checkSpecialArgs(specialArgs, what);
  freezeDefinitions(specialArgs);
  const module = createModule(typeof given === "function" ? { config: given as ConfigFunction } : isPlainObject(given) ? parts : given, origin, what);
  return { kind, modules: [module], inputs, specialArgs };
}

function checkSpecialArgs(specialArgs: unknown, what: string): void {
  if (!isPlainObject(specialArgs)) {
    throw new TsosError({ code: "option.bad-module", message: `"specialArgs" of ${what} must be an object of arguments by name, got ${previewValue(specialArgs)}`, data: { key: "specialArgs" } });
  }
  const taken = Object.keys(specialArgs).find((name) => GIVEN.has(name));
  if (taken === undefined) return;
  const hint = taken === "pkgs" ? "overlays change the package set: overlays: [(final, prev) => ({ … })]" : taken === "inputs" ? "inputs of the configuration are a part of their own: inputs: { … }" : "give it another name";
  throw new TsosError({ code: "option.bad-module", message: `"specialArgs" of ${what} gives "${taken}", which every function is given already`, hint, data: { key: "specialArgs", name: taken } });
}
