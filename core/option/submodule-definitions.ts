import type { PlacedDefinition } from "./definition.ts";
import type { MergePlace, SubmoduleInstance } from "./merge-place.ts";
import { PRIORITY } from "./modifier.ts";
import { isModuleLike, moduleOf } from "./module-like.ts";
import { createModule, isModule, isModuleList } from "./module.ts";
import type { ModuleInput } from "./module.ts";
import type { UnitInit } from "./unit.ts";

/** The definitions of a submodule's value, by what they are in its evaluation. */
export type SubmoduleDefinitions = {
  readonly functions: readonly UnitInit[];
  readonly plain: readonly UnitInit[];
  /** Those that are modules. */
  readonly imports: readonly ModuleInput[];
};

/**
 * The order in which the reference merges them, where a definition that is not plain is a module that imports it, and
 * so is what an option's type declares: functions and modules, the declaration, plain definitions, of each the later
 * first. The declaration of an alternative is no import, so it comes last.
 */
export function sortDefinitions(place: MergePlace, instance: SubmoduleInstance, definitions: readonly PlacedDefinition[]): SubmoduleDefinitions {
  const functions: UnitInit[] = [];
  const plain: UnitInit[] = [];
  const imports: ModuleInput[] = [];
  const isOwnModule = (value: unknown): boolean => isModule(value) || isModuleList(value) || (!instance.shorthandOnlyDefinesConfig && isModuleLike(value));
  // Beside modules, functions are modules too: so each has its place among them.
  const hasModules = place.isAlternative !== true && definitions.some(({ value }) => isOwnModule(value));
  for (const { value, site } of definitions) {
    const unit = { module: site.module, path: site.path, body: value, priority: PRIORITY.plain };
    if (isModule(value) || isModuleList(value)) imports.push(value);
    else if (hasModules && !isOwnModule(value) && (typeof value === "function" || !instance.shorthandOnlyDefinesConfig)) imports.push(createModule({ config: value as object }, { stack: site.module.stack, site }));
    else if (typeof value === "function") functions.unshift(unit);
    else if (instance.shorthandOnlyDefinesConfig) plain.unshift(unit);
    else if (isModuleLike(value)) imports.push(moduleOf(value, site));
    else functions.unshift(unit);
  }
  return { functions, plain, imports };
}
