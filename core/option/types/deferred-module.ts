import * as z from "zod/mini";
import { createModule, isModule, isModuleList } from "../module.ts";
import type { ConfigFunction, Module, ModuleInput } from "../module.ts";
import { createOptionType } from "../option-type.ts";
import { isSetLike } from "./set-like.ts";

/** A module that is a value: what is defined is imported where the value is used, not merged here. */
export const deferredModule = createOptionType<Module, ModuleInput | Readonly<Record<string, unknown>>>({
  name: "deferredModule",
  description: "module",
  check: (value) => isModule(value) || isModuleList(value) || typeof value === "function" || isSetLike(value),
  merge: (_place, definitions) => {
    const imports = definitions.map(({ value, site }): ModuleInput => {
      if (isModule(value) || isModuleList(value)) return value;
      // `check` is the proof: a function, or a plain object of definitions.
      const config = value as ConfigFunction | object;
      return createModule({ config }, { stack: site.module.stack, site });
    });
    return createModule({ imports }, undefined);
  },
  schema: () => z.custom(isModule),
  printType: "Module",
});
