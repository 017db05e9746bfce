import { TsosError } from "../error/tsos-error.ts";
import { collectModules } from "./collect-modules.ts";
import { definingModule } from "./defining-module.ts";
import { PRIORITY } from "./modifier.ts";
import type { Module, ModuleInput } from "./module.ts";
import { declareOptions } from "./option-node.ts";
import type { OptionNode } from "./option-node.ts";
import type { OptionType } from "./option-type.ts";
import type { UnitInit } from "./unit.ts";

/** Modules whose options are known: what all evaluations of them share. */
export type CompiledModules = {
  readonly modules: readonly Module[];
  readonly root: OptionNode;
  readonly freeformType: OptionType | undefined;
  readonly units: readonly UnitInit[];
  /** What every function is given besides: what was given, and what configurations among the modules give. */
  readonly specialArgs: Readonly<Record<string, unknown>>;
};

/** @throws TsosError when modules or their declarations do not go together. */
export function compileModules(inputs: readonly ModuleInput[], given: Readonly<Record<string, unknown>> = {}): CompiledModules {
  const { modules, specialArgs } = collectModules(inputs, given);
  const root = declareOptions(modules);
  return { modules, root, freeformType: findFreeformType(modules), units: modules.flatMap((module) => unitsOf(module, root)), specialArgs };
}

function findFreeformType(modules: readonly Module[]): OptionType | undefined {
  let found: OptionType | undefined;
  for (const { freeformType } of modules) {
    if (freeformType === undefined || freeformType === found) continue;
    const merged = found === undefined ? freeformType : found.mergeType(freeformType);
    if (merged === undefined) {
      throw new TsosError({
        code: "option.declared-twice",
        message: `two modules give different types to undeclared options: ${found?.description} and ${freeformType.description}`,
      });
    }
    found = merged;
  }
  return found;
}

/** What of a module is run. */
export function unitsOf(module: Module, root: OptionNode): readonly UnitInit[] {
  const units: UnitInit[] = [];
  const origin = definingModule(module);
  const path = module.origin?.site?.path ?? [];
  if (module.meta !== undefined && root.children?.has("meta") === true) {
    units.push({ module: origin, path: [...path, "meta"], body: { meta: module.meta }, priority: PRIORITY.plain });
  }
  if (module.defaults !== undefined) units.push({ module: origin, path, body: module.defaults, priority: PRIORITY.moduleDefault });
  if (module.config !== undefined) units.push({ module: origin, path, body: module.config, priority: PRIORITY.plain });
  return units;
}
