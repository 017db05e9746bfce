import type { CommonArguments } from "./registry.ts";
import { describeNoType } from "./describe-no-type.ts";
import { isOptionType } from "./option-type.ts";
import type { DefinitionOf, OptionType, ValueOf } from "./option-type.ts";

/** Marks an option in a tree of declarations. */
export const OPTION: unique symbol = Symbol("tsos.option");

declare const VALUE: unique symbol;
declare const DEFINITION: unique symbol;

/** A declared option: `Value` is what `config` reads, `Definition` what a module may write. */
export interface Option<out Value = unknown, out Definition = Value> {
  readonly [OPTION]: true;
  /** For the type checker alone, as the next. */
  readonly [VALUE]: Value;
  readonly [DEFINITION]: Definition;
  readonly type: OptionType;
  readonly attributes: AnyOptionAttributes;
}

export type OptionValue<O extends Option> = O[typeof VALUE];
export type OptionDefinition<O extends Option> = O[typeof DEFINITION];

/** A tree of declared options, as `defineOptions` takes it. */
export interface OptionTree {
  readonly [name: string]: Option | OptionTree;
}

/** What a computed default is given; `name` is that of the submodule's value, where the option is in one. */
export interface DefaultArguments extends CommonArguments {
  readonly name: string;
}

/** Of a definition, what is not a function: a function is always a computed default. */
export type PlainDefinition<Definition> = Definition extends (...args: never) => unknown ? never : Definition;

export type OptionAttributes<Definition> = {
  /**
   * The value unless a module defines one; merged with what has the same weak priority 1500. A function is
   * called, with `pkgs` and `lib`. What depends on `config` is a `defaults` function of the module.
   */
  readonly default?: PlainDefinition<Definition> | ((args: DefaultArguments) => Definition);
  /** What the documentation shows for the default, when it is computed. */
  readonly defaultText?: string;
  readonly example?: unknown;
  /** Markdown. */
  readonly description?: string;
  /** Not in the documentation, for the modules' own use. */
  readonly internal?: boolean;
  /** In the documentation or not; `shallow`: without what is inside. */
  readonly visible?: boolean | "shallow";
  /** At most one definition, the default included. */
  readonly readOnly?: boolean;
  /** Names of packages that the documentation mentions. */
  readonly relatedPackages?: readonly string[];
};

export type AnyOptionAttributes = Omit<OptionAttributes<unknown>, "default"> & {
  readonly default?: unknown;
  readonly apply?: (value: never) => unknown;
};

/**
 * Declares an option.
 *
 * @example
 * port: option(types.port, { default: 8080, description: "The port that it listens on." })
 * // config.services.hello.port is a number; a module may write `services: { hello: { port: 80 } }`
 */
export function option<T extends OptionType, Applied>(
  type: T,
  attributes: OptionAttributes<DefinitionOf<T>> & {
    /** What is read instead of the merged value. */
    readonly apply: (value: ValueOf<T>) => Applied;
  },
): Option<Applied, DefinitionOf<T>>;
export function option<T extends OptionType>(
  type: T,
  attributes?: OptionAttributes<DefinitionOf<T>>,
): Option<ValueOf<T>, DefinitionOf<T>>;
export function option(type: OptionType, attributes: AnyOptionAttributes = {}): Option {
  if (!isOptionType(type)) throw new TypeError(`an option's first argument is its type, such as types.str, got ${describeNoType(type)}`);
  // The other properties of the interface are phantoms.
  return { [OPTION]: true, type, attributes } as unknown as Option;
}

const EXCLUSIVE = ["default", "example", "description", "apply"] as const;

/** The attribute that two declarations of one option may not both have, and both have. */
export function findExclusive(one: AnyOptionAttributes, other: AnyOptionAttributes): string | undefined {
  return EXCLUSIVE.find((name) => one[name] !== undefined && other[name] !== undefined);
}

/** The option that two declarations make together, or undefined when they do not go together. */
export function joinOptions(one: Option, other: Option): Option | undefined {
  const type = one.type.mergeType(other.type);
  if (type === undefined || findExclusive(one.attributes, other.attributes) !== undefined) return undefined;
  return option(type, { ...other.attributes, ...one.attributes } as object);
}

export function isOption(value: unknown): value is Option {
  return typeof value === "object" && value !== null && (value as Partial<Option>)[OPTION] === true;
}

/**
 * The options that a module declares, in a constant of their own, so that the types of `config` can be made of
 * them: see `OptionModules`.
 */
export function defineOptions<const T extends OptionTree>(options: T): T {
  return options;
}
