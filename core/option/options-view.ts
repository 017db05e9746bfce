import type { DefinitionSite } from "./definition.ts";
import type { Option } from "./option.ts";
import type { OptionType } from "./option-type.ts";

/** A definition as tools see it: what was written, with what counts for merging, and where. */
export type PlacedValue<Definition = unknown> = { readonly value: Definition; readonly priority: number; readonly order: number; readonly site: DefinitionSite };

/**
 * One declared option, as `options` shows it to modules and tools. What is read of it is noted like a read of `config`, and
 * apart from it: who asks whether an option is defined runs again when its definitions change.
 */
export interface OptionView<out Value = unknown, out Definition = Value> {
  readonly kind: "option";
  readonly path: readonly string[];
  readonly type: OptionType;
  /** Whether a module defines it, or it has a default. */
  readonly isDefined: boolean;
  /** The lowest number among its definitions' priorities: 1500 where there is only the default. */
  readonly highestPrio: number;
  /** What counts, strongest priority only, in order. */
  readonly definitions: readonly Definition[];
  /** The same, with the modules that they are of. */
  readonly definitionsWithLocations: readonly { readonly file: string; readonly value: Definition }[];
  /** The modules that define it. */
  readonly files: readonly string[];
  /** The modules that declare it. */
  readonly declarations: readonly string[];
  readonly description: string | undefined;
  /** What was declared: a computed default is its function. */
  readonly default: unknown;
  readonly defaultText: string | undefined;
  readonly example: unknown;
  readonly internal: boolean;
  readonly visible: boolean | "shallow";
  readonly readOnly: boolean;
  readonly relatedPackages: readonly string[];
  /** @throws TsosError as reading it of `config` does. */
  readonly value: Value;
  /** `definitions` with priority, order and place. */
  readonly placedDefinitions: readonly PlacedValue<Definition>[];
  /** Every definition whose condition holds, also those that a stronger one replaces. */
  readonly allDefinitions: readonly PlacedValue<Definition>[];
  readonly declarationSites: readonly DefinitionSite[];
  /** The options of the submodule whose value stands at `path` (from the root of the tree) inside this option's value. */
  submodule(path: readonly string[]): OptionsView | undefined;
}

/** The tree of declared options; an undeclared name is undefined. */
export interface OptionsView {
  readonly [name: string]: OptionsView | OptionView | undefined;
}

/** The same of a tree that the type checker knows. */
export type OptionsOf<T> = {
  readonly [K in keyof T]: T[K] extends Option<infer Value, infer Definition> ? OptionView<Value, Definition> : OptionsOf<T[K]>;
};
