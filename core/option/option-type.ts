import type { ZodMiniType } from "zod/mini";
import { describeNoType } from "./describe-no-type.ts";
import type { PlacedDefinition } from "./definition.ts";
import type { MergePlace } from "./merge-place.ts";
import type { Module } from "./module.ts";

/** Marks a type; a plain object cannot be taken for one. */
export const OPTION_TYPE: unique symbol = Symbol("tsos.option-type");

declare const VALUE: unique symbol;
declare const DEFINITION: unique symbol;

/**
 * What values an option may have: how definitions are checked and merged, how a value is described to people,
 * as a zod schema and as TypeScript. `Value` is what is read, `Definition` what may be written.
 */
export interface OptionType<out Value = unknown, out Definition = Value> {
  readonly [OPTION_TYPE]: true;
  /** For the type checker alone, as the next. */
  readonly [VALUE]: Value;
  readonly [DEFINITION]: Definition;
  /** The name that NixOS gives it: `listOf`. */
  readonly name: string;
  /** For people: `list of 16 bit unsigned integer; between 0 and 65535 (both inclusive)`. */
  readonly description: string;
  /** Whether the description needs brackets where it is a part of another. */
  readonly descriptionClass: "noun" | "nonRestrictiveClause" | "conjunction" | "composite";
  /** Whether one definition is of this type, its outermost layer only: what is inside is checked as it is merged. */
  check(value: unknown): boolean;
  /** Definitions that passed `check`, none of them modified in its outermost layer, in their order: one value. */
  merge(place: MergePlace, definitions: readonly PlacedDefinition[]): unknown;
  /**
   * The schema of a merged value, made when it is asked for.
   * @internal A user's program would load all of zod's types for it.
   */
  schema(): ZodMiniType;
  /** As TypeScript. */
  printType(): string;
  /**
   * What an option of the type reads as that nothing defines, and a name of a `lazyAttrsOf` whose definitions all
   * have a false condition; without it, reading such an option is an error. Nix: lib/types.nix, emptyValue
   */
  readonly emptyValue: ((place: MergePlace) => unknown) | undefined;
  /** The types that it is made of. */
  readonly nested: readonly OptionType[];
  /** The modules of a submodule, also inside a list or attributes. */
  readonly subModules: readonly Module[] | undefined;
  /** The same type with other modules inside; only where there are `subModules`. */
  withSubModules(modules: readonly Module[]): OptionType;
  /** What else it was made of, for the `mergeType` of its own kind. */
  readonly payload: unknown;
  /** The type of an option that is declared with this and with `other`, or undefined when they do not go together. */
  mergeType(other: OptionType): OptionType | undefined;
}

export type ValueOf<T extends OptionType> = T[typeof VALUE];
export type DefinitionOf<T extends OptionType> = T[typeof DEFINITION];

/**
 * The type that `make` makes of `element`, made once: trees of options have the same few lists and sets a thousand
 * times. What it is made of must say all that it is.
 */
export function madeOnce<Value, Definition>(name: string, element: OptionType, make: () => OptionType<Value, Definition>): OptionType<Value, Definition> {
  if (!(element instanceof PlainOptionType)) return make();
  const known = element.made.get(name);
  // What is kept under a name was made by the same function.
  if (known !== undefined) return known as OptionType<Value, Definition>;
  const made = make();
  element.made.set(name, made);
  return made;
}

export type OptionTypeInit = {
  readonly name: string;
  readonly description: string | (() => string);
  readonly descriptionClass?: OptionType["descriptionClass"];
  /** Without it, `check` asks the schema. */
  readonly check?: (value: unknown) => boolean;
  readonly merge: OptionType["merge"];
  /** @internal As `OptionType.schema`. */
  readonly schema: () => ZodMiniType;
  readonly printType: string | (() => string);
  readonly emptyValue?: OptionType["emptyValue"];
  readonly nested?: readonly OptionType[];
  readonly payload?: unknown;
  readonly subModules?: () => readonly Module[] | undefined;
  readonly withSubModules?: (modules: readonly Module[]) => OptionType;
  /** Called only with a type of the same name. Without it, types of the same name are the same type. */
  readonly mergeType?: (other: OptionType) => OptionType | undefined;
};

/** An option type from its parts; what is not given is what a type without parts of its own does. */
export function createOptionType<Value, Definition = Value>(init: OptionTypeInit): OptionType<Value, Definition> {
  return new PlainOptionType(init) as unknown as OptionType<Value, Definition>;
}

// A class, so that twenty thousand options share one hidden shape and no closure is made for a type that no one asks.
class PlainOptionType {
  readonly [OPTION_TYPE] = true;
  readonly name: string;
  readonly descriptionClass: OptionType["descriptionClass"];
  readonly emptyValue: OptionType["emptyValue"];
  readonly nested: readonly OptionType[];
  readonly check: (value: unknown) => boolean;
  readonly merge: OptionType["merge"];
  readonly payload: unknown;
  readonly #init: OptionTypeInit;
  #made: Map<string, OptionType> | undefined;
  #schema: ZodMiniType | undefined;

  constructor(init: OptionTypeInit) {
    for (const part of init.nested ?? []) {
      if (!isOptionType(part)) throw new TypeError(`types.${init.name} is made of another type, such as types.str, got ${describeNoType(part)}`);
    }
    this.#init = init;
    this.name = init.name;
    this.descriptionClass = init.descriptionClass ?? "noun";
    this.emptyValue = init.emptyValue;
    this.nested = init.nested ?? [];
    this.merge = init.merge;
    this.payload = init.payload;
    this.check = init.check ?? ((value) => this.schema().safeParse(value).success);
  }

  /** Types that were made of this one, by the name of what makes them. */
  get made(): Map<string, OptionType> {
    return (this.#made ??= new Map<string, OptionType>());
  }

  get description(): string {
    const { description } = this.#init;
    return typeof description === "string" ? description : description();
  }

  schema(): ZodMiniType {
    return (this.#schema ??= this.#init.schema());
  }

  printType(): string {
    const { printType } = this.#init;
    return typeof printType === "string" ? printType : printType();
  }

  get subModules(): readonly Module[] | undefined {
    return this.#init.subModules?.();
  }

  withSubModules(modules: readonly Module[]): OptionType {
    if (this.#init.withSubModules === undefined) throw new Error(`assertion failed: ${this.name} has no submodules`);
    return this.#init.withSubModules(modules);
  }

  mergeType(other: OptionType): OptionType | undefined {
    if (other.name !== this.name) return undefined;
    return this.#init.mergeType === undefined ? (this as unknown as OptionType) : this.#init.mergeType(other);
  }
}

export function isOptionType(value: unknown): value is OptionType {
  return typeof value === "object" && value !== null && (value as Partial<OptionType>)[OPTION_TYPE] === true;
}

/** A part's description where it follows other words: in brackets unless it is one noun. Nix: lib/types.nix */
export function describePart(type: OptionType, canBe: readonly OptionType["descriptionClass"][]): string {
  return canBe.includes(type.descriptionClass) ? type.description : `(${type.description})`;
}
