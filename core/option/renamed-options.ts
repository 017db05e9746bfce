import type { AliasTree, Config, DeclaringModule, IntersectionOf, OptionRemoved, SingleTree } from "./config-types.ts";
import { createModule } from "./module.ts";
import type { Module } from "./module.ts";
import { PRIORITY, mkForwarded, mkMerge, mkOrder, mkOverride } from "./modifier.ts";
import { OPTION } from "./option.ts";
import type { Option, OptionTree } from "./option.ts";
import { formatOptionPath } from "./option-path.ts";
import type { OptionView, OptionsView } from "./options-view.ts";
import { setProperty } from "./plain-object.ts";
import { unspecified } from "./types/anything.ts";

type Path = readonly string[];

/** `{ a: { b: value } }` of `["a", "b"]`. */
function nest<T>(path: Path, value: T): T | { readonly [name: string]: T } {
  return path.reduceRight<unknown>((inner, name) => {
    const outer: Record<string, unknown> = {};
    setProperty(outer, name, inner);
    return outer;
  }, value) as T | { readonly [name: string]: T };
}

function findOption(options: OptionsView, path: Path): OptionView | undefined {
  let node: OptionsView | OptionView | undefined = options;
  for (const name of path) {
    if (node === undefined || isView(node)) return undefined;
    node = node[name];
  }
  return node !== undefined && isView(node) ? node : undefined;
}

function isView(node: OptionsView | OptionView): node is OptionView {
  return (node as OptionView).kind === "option";
}


type Arguments = { readonly config: unknown; readonly options: OptionsView };

// What counts of `from` goes to `to` with its priority, its order and the place where it was written.
function forward(from: OptionView): unknown {
  const priority = from.highestPrio;
  return mkMerge<unknown>(from.placedDefinitions.map(({ value, order, site }) => mkOverride(priority, mkOrder(order, mkForwarded(site, value)))));
}

function writers(view: OptionView): string {
  return [...new Set(view.placedDefinitions.map(({ site }) => site.module.label))].join(", ");
}

function alias<From extends Path, To extends Path>(from: From, to: To, how: { readonly visible: boolean; readonly warn: boolean }, origin: Error): DeclaringModule<AliasTree<From, To>> {
  return declaring(createModule(
    {
      aliases: [{ from, to, visible: how.visible }],
      config: ({ options }: Arguments) => {
        const view = findOption(options, from);
        if (view === undefined || !view.isDefined) return {};
        const warning = `the option "${formatOptionPath(from)}" (${writers(view)}) has been renamed to "${formatOptionPath(to)}"`;
        const forwarded = nest(to, forward(view));
        return how.warn ? mkMerge<unknown>([forwarded, { warnings: [warning] }]) : forwarded;
      },
    },
    origin,
  ));
}

// What it declares is known to the type checker alone.
function declaring<Tree>(module: Module): DeclaringModule<Tree> {
  return module as DeclaringModule<Tree>;
}

/**
 * `from` is the old name of `to`: definitions go on, readers get the new one's value, and there is a warning.
 * @example
 * const renamed = lib.mkRenamedOptionModule(["services", "sshd"], ["services", "openssh"]);
 * declare module "tsos" { interface OptionModules { "mine/renamed": typeof renamed } }
 * export default defineModule({ imports: [renamed] });
 */
export function mkRenamedOptionModule<const From extends Path, const To extends Path>(from: From, to: To): DeclaringModule<AliasTree<From, To>> {
  return alias(from, to, { visible: false, warn: true }, new Error("mkRenamedOptionModule"));
}

/** `from` is another name of `to`, for good: as `mkRenamedOptionModule` without the warning. */
export function mkAliasOptionModule<const From extends Path, const To extends Path>(from: From, to: To): DeclaringModule<AliasTree<From, To>> {
  return alias(from, to, { visible: true, warn: false }, new Error("mkAliasOptionModule"));
}

function hiddenOption(description: string, attributes: { readonly default?: null } = {}): Option {
  return { [OPTION]: true, type: unspecified, attributes: { visible: false, description, ...attributes } } as unknown as Option;
}

/** `from` is gone: a definition of it fails, and `replacement` says what to do. */
export function mkRemovedOptionModule<const From extends Path, const Replacement extends string>(
  from: From,
  replacement: Replacement,
): DeclaringModule<SingleTree<From, Option<never, OptionRemoved<Replacement>>>> {
  const name = formatOptionPath(from);
  return declaring(createModule(
    {
      options: nest<Option>(from, {
        ...hiddenOption(`${name} has been removed. ${replacement}`),
      }) as OptionTree,
      config: ({ options }: Arguments) => {
        const view = findOption(options, from);
        if (view === undefined || !view.isDefined) return {};
        return {
          assertions: [{ assertion: false, message: `the option "${name}" (${writers(view)}) has been removed: ${replacement}` }],
        };
      },
    },
    new Error("mkRemovedOptionModule"),
  ));
}

/** `from` became `to`, which means something else: `change` computes its value of the configuration. */
export function mkChangedOptionModule<const From extends Path>(from: From, to: Path, change: ConfigReader): DeclaringModule<SingleTree<From, Option>> {
  return merged([from], to, change, new Error("mkChangedOptionModule"));
}

/**
 * Several options became one: `merge` computes its value of the configuration if any of them is defined. In it,
 * those that are not read as null.
 */
export function mkMergedOptionModule<const From extends readonly Path[]>(
  from: From,
  to: Path,
  merge: ConfigReader,
): DeclaringModule<IntersectionOf<{ readonly [I in keyof From]: SingleTree<From[I], Option> }[number]>> {
  return merged(from, to, merge, new Error("mkMergedOptionModule"));
}

/** Computes a definition; the type checker does not look what it returns, as that would depend on what is declared here. */
type ConfigReader = (config: Config) => void;

function merged<Tree>(from: readonly Path[], to: Path, merge: ConfigReader, origin: Error): DeclaringModule<Tree> {
  const toName = formatOptionPath(to);
  return declaring(createModule(
    {
      imports: from.map((path) =>
        // Those of several that nobody defines are read as null.
        createModule({ options: nest<Option>(path, hiddenOption(`Became ${toName}.`, { default: null })) as OptionTree }, origin)),
      config: ({ config, options }: Arguments) => {
        const defined = from.flatMap((path) => {
          const view = findOption(options, path);
          return view !== undefined && view.highestPrio < PRIORITY.optionDefault ? [{ path, view }] : [];
        });
        if (defined.length === 0) return {};
        const warnings = defined.map(({ path, view }) =>
          `the option "${formatOptionPath(path)}" (${writers(view)}) has been changed to "${toName}", which has another type; see its documentation`);
        // The functions are written against the typed configuration; what they return is the definition.
        return mkMerge<unknown>([nest<unknown>(to, (merge as (config: unknown) => unknown)(config)), { warnings }]);
      },
    },
    origin,
  ));
}
