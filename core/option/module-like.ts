import type { DefinitionSite } from "./definition.ts";
import { childSite } from "./merge-definitions.ts";
import type { Module } from "./module.ts";
import { isPlainObject } from "./plain-object.ts";

/** Whether a submodule's definition is a module by its parts, rather than values of options. */
export function isModuleLike(value: unknown): boolean {
  return isPlainObject(value) && ["imports", "options", "config", "freeformType"].some((name) => Object.hasOwn(value, name));
}

/** The module of such parts. */
export function moduleOf(value: unknown, site: DefinitionSite): Module {
  // `isModuleLike` has seen that it has a module's parts.
  const parts = value as Partial<Module>;
  return {
    kind: "module",
    key: undefined,
    file: undefined,
    origin: { stack: site.module.stack, site: childSite(site, "config") },
    imports: parts.imports ?? [],
    disabledModules: parts.disabledModules ?? [],
    options: parts.options,
    aliases: [],
    freeformType: parts.freeformType,
    overlays: [],
    defaults: parts.defaults,
    config: parts.config,
    meta: undefined,
  };
}
