import * as z from "zod/mini";
import { createModule } from "./module.ts";
import { defineOptions, option } from "./option.ts";
import { createOptionType } from "./option-type.ts";
import { types } from "./types.ts";
import { mergeEqual } from "./types/merge-equal.ts";
import { isSetLike } from "./types/set-like.ts";

/** Something that must hold of the configuration, and what is said when it does not. */
export type Assertion = { readonly assertion: boolean; readonly message: string };

const assertionType = createOptionType<Assertion>({
  name: "assertion",
  description: "assertion",
  check: (value) => isSetLike(value) && typeof value.assertion === "boolean" && typeof value.message === "string",
  merge: mergeEqual,
  schema: () => z.object({ assertion: z.boolean(), message: z.string() }),
  printType: "{ readonly assertion: boolean; readonly message: string }",
});

// What every evaluation has, a submodule's too.
const moduleOptions = defineOptions({
  _module: {
    /** Further arguments of all modules, by name. */
    args: option(types.lazyAttrsOf(types.raw), { default: {}, internal: true, description: "Further arguments of all modules, by name." }),
    /** Whether a definition without an option is an error. */
    check: option(types.bool, { default: true, internal: true, description: "Whether a definition without an option is an error." }),
  },
});

const baseOptions = defineOptions({
  /** What must hold; every one that does not is shown, and nothing is built. */
  assertions: option(types.listOf(assertionType), {
    default: [],
    internal: true,
    description: "What must hold of the configuration; every assertion that does not is shown, and nothing is built.",
    example: [{ assertion: false, message: "one of two options must be set" }],
  }),
  /** What the user should know, shown whenever the configuration is evaluated. */
  warnings: option(types.listOf(types.str), {
    default: [],
    internal: true,
    description: "What the user should know, shown whenever the configuration is evaluated.",
  }),
  /** What people and tools want to know of the modules: maintainers, documentation. */
  meta: option(types.attrsOf(types.anything), { default: {}, internal: true, description: "What people and tools want to know of the modules." }),
});

declare module "./registry.ts" {
  interface OptionModules {
    "tsos/module": typeof moduleOptions;
    "tsos/base": typeof baseOptions;
  }
  interface ShellOptionModules {
    "tsos/module": typeof moduleOptions;
    "tsos/base": typeof baseOptions;
  }
}

/** Declares what every evaluation has, a submodule's too. */
export const moduleModule = createModule({ key: "tsos/module", options: moduleOptions }, undefined);

/** Declares what a whole configuration has. */
export const baseModule = createModule({ key: "tsos/base", options: baseOptions }, undefined);
