import * as z from "zod/mini";
import type { ZodMiniType } from "zod/mini";
import type { ConfigOf, DefinitionsOf } from "../config-types.ts";
import { createModule, isModule } from "../module.ts";
import type { Module, ModuleInput } from "../module.ts";
import type { AnyModified, Definable } from "../modifier.ts";
import { isOption } from "../option.ts";
import type { OptionTree } from "../option.ts";
import { createOptionType } from "../option-type.ts";
import type { OptionType } from "../option-type.ts";
import type { CommonArguments, ModuleArguments } from "../registry.ts";
import type { OptionsOf } from "../options-view.ts";
import { isSetLike } from "./set-like.ts";

/** What the `config` of a submodule's declaration is given. */
export interface OwnArguments<T> extends CommonArguments {
  /** The name under which the value stands in its `attrsOf`; in a list the position, as `[0]`. */
  readonly name: string;
  /** The submodule's own value. */
  readonly config: ConfigOf<T>;
  readonly options: OptionsOf<T>;
}

/** What a function that defines a submodule's value is given. */
export interface SubmoduleArguments<T> extends OwnArguments<T> {
  /** The whole configuration. A declaration does not see it: its type would depend on itself. */
  readonly root: ModuleArguments["config"];
}

export type SubmoduleDefinition<T> = DefinitionsOf<T> | ((args: SubmoduleArguments<T>) => Definable<DefinitionsOf<T>>);

/** The same with further names, of which the definitions are `FreeDef`. An alias, so that what is inferred keeps a name. */
export type OpenSubmoduleDefinition<T, FreeDef = never> = (SubmoduleDefinition<T> & FreeDefinition<FreeDef>) | SubmoduleFunction<T>;

type FreeValue<F> = [F] extends [never] ? unknown : { readonly [name: string]: F };
// What stands here of all names counts for the declared ones too: were it `Modified<F>`, `lib.mkForce(…)` of one of those
// would be taken for one of an `F`. So of what is modified under another name, the type is left to the evaluation.
type FreeDefinition<F> = [F] extends [never] ? unknown : { readonly [name: string]: F | AnyModified | undefined };

export type SubmoduleParts<T extends OptionTree, Free, FreeDef> = {
  readonly options: T;
  readonly imports?: readonly ModuleInput[];
  /** What the submodule defines of itself; a plain definition of the user conflicts with it unless it is `lib.mkDefault`. */
  readonly config?: (args: OwnArguments<T>) => Definable<DefinitionsOf<T>>;
  /** The type of names that are not declared. */
  readonly freeformType?: OptionType<{ readonly [name: string]: Free }, { readonly [name: string]: Definable<FreeDef> | undefined }>;
};

/**
 * A value with options of its own.
 * @example
 * types.attrsOf(types.submodule({ options: { root: option(types.path), port: option(types.port, { default: 80 }) } }))
 * // a module writes virtualHosts: { "a.example": { root: "/srv/a" } }
 */
export function submodule<const T extends OptionTree, Free = never, FreeDef = never>(
  module: SubmoduleParts<T, Free, FreeDef>,
): OptionType<ConfigOf<T> & FreeValue<Free>, OpenSubmoduleDefinition<T, FreeDef>> {
  return submoduleOf({
    modules: [createModule(module, new Error("submodule"), "submodule")],
    specialArgs: {},
    shorthandOnlyDefinesConfig: true,
    description: undefined,
  });
}

type SubmoduleFunction<T> = (args: SubmoduleArguments<T>) => Definable<DefinitionsOf<T>>;

/** A submodule of whole modules, with arguments of its own. `options` is the tree that the types are made of. */
export function submoduleWith<const T extends OptionTree = Record<never, never>>(init: {
  readonly modules: readonly ModuleInput[];
  readonly options?: T;
  readonly specialArgs?: Readonly<Record<string, unknown>>;
  /** A plain object is a definition even if it has a property `config` or `options`. Default true. */
  readonly shorthandOnlyDefinesConfig?: boolean;
  readonly description?: string;
}): OptionType<ConfigOf<T>, SubmoduleDefinition<T> | Module> {
  const origin = new Error("submoduleWith");
  return submoduleOf({
    modules: [createModule({ imports: init.modules, ...(init.options === undefined ? {} : { options: init.options }) }, origin, "submoduleWith")],
    specialArgs: init.specialArgs ?? {},
    shorthandOnlyDefinesConfig: init.shorthandOnlyDefinesConfig ?? true,
    description: init.description,
  });
}

type SubmoduleInit = {
  readonly modules: readonly Module[];
  readonly specialArgs: Readonly<Record<string, unknown>>;
  readonly shorthandOnlyDefinesConfig: boolean;
  readonly description: string | undefined;
};

function submoduleOf<Value, Definition>(init: SubmoduleInit): OptionType<Value, Definition> {
  return createOptionType<Value, Definition>({
    name: "submodule",
    payload: init,
    description: () => init.description ?? describeSubmodule(init.modules),
    check: (value) => isSetLike(value) || typeof value === "function" || isModule(value),
    merge: (place, definitions) => place.context.evaluateSubmodule(place, init, definitions),
    schema: () => schemaOf(init.modules),
    printType: () => printModules(init.modules),
    emptyValue: (place) => place.context.evaluateSubmodule(place, init, []),
    subModules: () => init.modules,
    withSubModules: (modules) => submoduleOf({ ...init, modules }),
    mergeType: (other) => {
      // Types of this name carry this payload.
      const more = other.payload as SubmoduleInit;
      return submoduleOf({
        modules: [...init.modules, ...more.modules],
        specialArgs: { ...init.specialArgs, ...more.specialArgs },
        shorthandOnlyDefinesConfig: init.shorthandOnlyDefinesConfig && more.shorthandOnlyDefinesConfig,
        description: init.description ?? more.description,
      });
    },
  });
}

function describeSubmodule(modules: readonly Module[]): string {
  const free = modules.find((module) => module.freeformType !== undefined)?.freeformType;
  return free === undefined ? "submodule" : `open submodule of ${free.description}`;
}

/** The trees of options that modules and what they import declare, without evaluating anything. */
export function declaredTrees(modules: readonly ModuleInput[], seen = new Set<ModuleInput>()): OptionTree[] {
  const trees: OptionTree[] = [];
  for (const module of modules) {
    if (!isModule(module) || seen.has(module)) continue;
    seen.add(module);
    if (module.options !== undefined) trees.push(module.options);
    // What a function imports is known where the submodule is evaluated.
    if (typeof module.imports !== "function") trees.push(...declaredTrees(module.imports, seen));
  }
  return trees;
}

function schemaOf(modules: readonly Module[]): ZodMiniType {
  const shape = treeShape(declaredTrees(modules));
  return modules.some((module) => module.freeformType !== undefined) ? z.looseObject(shape) : z.strictObject(shape);
}

function treeShape(trees: readonly OptionTree[]): Record<string, ZodMiniType> {
  const shape: Record<string, ZodMiniType> = {};
  for (const [name, parts] of groupTrees(trees)) {
    const declared = parts.find(isOption);
    shape[name] = declared === undefined ? z.strictObject(treeShape(parts.filter(isTree))) : z.optional(declared.type.schema());
  }
  return shape;
}

function printModules(modules: readonly Module[]): string {
  return printTrees(declaredTrees(modules));
}

function printTrees(trees: readonly OptionTree[]): string {
  const members = [...groupTrees(trees)].map(([name, parts]) => {
    const declared = parts.find(isOption);
    const printed = declared === undefined ? printTrees(parts.filter(isTree)) : declared.type.printType();
    return `readonly ${/^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name)}: ${printed}`;
  });
  return members.length === 0 ? "{}" : `{ ${members.join("; ")} }`;
}

function isTree(part: OptionTree[string]): part is OptionTree {
  return !isOption(part);
}

function groupTrees(trees: readonly OptionTree[]): ReadonlyMap<string, OptionTree[string][]> {
  const groups = new Map<string, OptionTree[string][]>();
  for (const tree of trees) {
    for (const name of Object.keys(tree)) groups.set(name, [...(groups.get(name) ?? []), tree[name]!]);
  }
  return groups;
}
