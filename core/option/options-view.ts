import type { DefinitionSite } from "./definition.ts";
import type { OptionType } from "./option-type.ts";

/** One declared option, as `options` shows it to modules and tools. */
export interface OptionView {
  readonly kind: "option";
  readonly path: readonly string[];
  readonly type: OptionType;
  /** Whether a module defines it, or it has a default. */
  readonly isDefined: boolean;
  /** The lowest number among its definitions' priorities. */
  readonly highestPriority: number;
  /** What counts, strongest priority only, in order. */
  readonly definitions: readonly { readonly value: unknown; readonly priority: number; readonly order: number; readonly site: DefinitionSite }[];
  /** Every definition whose condition holds, also those that a stronger one replaces. */
  readonly allDefinitions: readonly { readonly value: unknown; readonly priority: number; readonly order: number; readonly site: DefinitionSite }[];
  readonly declarations: readonly DefinitionSite[];
  readonly attributes: {
    readonly description: string | undefined;
    readonly default: unknown;
    readonly defaultText: string | undefined;
    readonly example: unknown;
    readonly internal: boolean;
    readonly visible: boolean | "shallow";
    readonly readOnly: boolean;
    readonly relatedPackages: readonly string[];
  };
  /** @throws TsosError as reading it of `config` does. */
  readonly value: unknown;
  /** The options of the submodule whose value stands at `path` (from the root of the tree) inside this option's value. */
  submodule(path: readonly string[]): OptionsView | undefined;
}

/** The tree of declared options; an undeclared name is undefined. */
export interface OptionsView {
  readonly [name: string]: OptionsView | OptionView | undefined;
}
