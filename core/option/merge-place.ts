import type { DefinitionSite, PlacedDefinition, RawDefinition } from "./definition.ts";
import type { Module } from "./module.ts";
import type { AnyOptionAttributes } from "./option.ts";
import type { OptionType } from "./option-type.ts";

/** What a type is given while it merges: where, and how a submodule is evaluated. */
export type MergePlace = {
  /** The option's path, and inside its value the names: `services.nginx.virtualHosts.x`. */
  readonly path: readonly string[];
  /** Where the option is declared, for errors. */
  readonly declarations: readonly DefinitionSite[];
  readonly context: MergeContext;
  /** Whether the type that merges stands inside an `either` or an `attrTag`. */
  readonly isAlternative?: boolean;
};

export type MergeContext = {
  /**
   * The value of a submodule.
   * @param modules what the type declares
   * @param definitions what modules define
   */
  evaluateSubmodule(place: MergePlace, submodule: SubmoduleInstance, definitions: readonly PlacedDefinition[]): unknown;
  /** The value of an option with its default and its `apply`: a type may be made of options. */
  mergeDeclared(place: MergePlace, option: DeclaredOption, definitions: readonly RawDefinition[]): unknown;
};

/** What an option is, wherever it stands. */
export type DeclaredOption = { readonly type: OptionType; readonly attributes: AnyOptionAttributes };

export type SubmoduleInstance = {
  /** The type's own modules; the same list for every value of the type. */
  readonly modules: readonly Module[];
  readonly specialArgs: Readonly<Record<string, unknown>>;
  /** Whether a plain object is a definition (and not a module with `options`, `config`, …). */
  readonly shorthandOnlyDefinesConfig: boolean;
};

export function childPlace(place: MergePlace, name: string): MergePlace {
  return { ...place, path: [...place.path, name] };
}
