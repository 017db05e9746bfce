import type { Definitions } from "./config-types.ts";
import type { Definable } from "./modifier.ts";
import type { Module, ModuleList } from "./module.ts";
import type { OptionType } from "./option-type.ts";
import type { ModuleArguments } from "./registry.ts";
import { deferredModule } from "./types/deferred-module.ts";

/** A configuration of a machine as a value: definitions, a function of the configuration, or a module. */
export type VariantDefinition = Definitions | ((args: ModuleArguments) => Definable<Definitions>) | Module | ModuleList;

/** The type of an option that holds a part of a configuration, which another evaluation of it takes in. */
// `deferredModule`, with what may be written in it named: its own type knows no options.
export const variantType = deferredModule as OptionType<Module, VariantDefinition>;
