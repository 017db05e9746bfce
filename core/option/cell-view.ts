import type { Cell } from "./cell.ts";
import type { Tracker } from "./consumer.ts";
import type { DefinitionSite, PlacedDefinition, RawDefinition } from "./definition.ts";
import { dischargeDefinitions, highestPriority, mergeDefinitions } from "./merge-definitions.ts";
import type { DeclaredOption, MergeContext, MergePlace, SubmoduleInstance } from "./merge-place.ts";
import type { AnyOptionAttributes } from "./option.ts";
import type { OptionNode } from "./option-node.ts";
import type { OptionType } from "./option-type.ts";
import type { OptionsView, OptionView } from "./options-view.ts";

/** What a view needs of the evaluation that it looks into. */
export type ViewedEvaluation = {
  readonly prefix: readonly string[];
  readonly tracker: Tracker;
  cellOf(node: OptionNode): Cell;
  withDefault(node: OptionNode, definitions: readonly RawDefinition[]): readonly RawDefinition[];
  read(node: OptionNode): unknown;
  place(node: OptionNode): MergePlace;
  mergeDeclared(place: MergePlace, option: DeclaredOption, definitions: readonly RawDefinition[]): unknown;
  settleSubmodule(place: MergePlace, instance: SubmoduleInstance, definitions: readonly PlacedDefinition[]): { readonly options: OptionsView; toPlain(): unknown };
};

/** What `options` shows of one option of an evaluation. */
export class CellView implements OptionView {
  readonly kind = "option";
  readonly #evaluation: ViewedEvaluation;
  readonly #node: OptionNode;

  constructor(evaluation: ViewedEvaluation, node: OptionNode) {
    this.#evaluation = evaluation;
    this.#node = node;
  }

  get path(): readonly string[] {
    return [...this.#evaluation.prefix, ...this.#node.path];
  }

  get type(): OptionType {
    return this.#node.option.type;
  }

  get #all(): readonly RawDefinition[] {
    const cell = this.#evaluation.cellOf(this.#node);
    this.#evaluation.tracker.note(cell.definitionsSource);
    return dischargeDefinitions(this.#evaluation.withDefault(this.#node, cell.definitions));
  }

  get isDefined(): boolean {
    return this.#all.length > 0;
  }

  get highestPrio(): number {
    return highestPriority(this.#all);
  }

  get placedDefinitions(): readonly RawDefinition[] {
    const all = this.#all;
    const highest = highestPriority(all);
    return all.filter((definition) => definition.priority === highest).sort((a, b) => a.order - b.order);
  }

  get definitions(): readonly unknown[] {
    return this.placedDefinitions.map(({ value }) => value);
  }

  get definitionsWithLocations(): OptionView["definitionsWithLocations"] {
    return this.placedDefinitions.map(({ value, site }) => ({ file: site.module.label, value }));
  }

  get files(): readonly string[] {
    return this.placedDefinitions.map(({ site }) => site.module.label);
  }

  get allDefinitions(): readonly RawDefinition[] {
    return this.#all;
  }

  get declarations(): readonly string[] {
    return this.#node.sites.map(({ module }) => module.label);
  }

  get declarationSites(): readonly DefinitionSite[] {
    return this.#node.sites;
  }

  get #attributes(): AnyOptionAttributes {
    return this.#node.option.attributes;
  }

  get description(): string | undefined {
    return this.#attributes.description;
  }

  get default(): unknown {
    return this.#attributes.default;
  }

  get defaultText(): string | undefined {
    return this.#attributes.defaultText;
  }

  get example(): unknown {
    return this.#attributes.example;
  }

  get internal(): boolean {
    return this.#attributes.internal ?? false;
  }

  get visible(): boolean | "shallow" {
    return this.#attributes.visible ?? true;
  }

  get readOnly(): boolean {
    return this.#attributes.readOnly ?? false;
  }

  get relatedPackages(): readonly string[] {
    return this.#attributes.relatedPackages ?? [];
  }

  get value(): unknown {
    return this.#evaluation.read(this.#node);
  }

  submodule(path: readonly string[]): OptionsView | undefined {
    let found: { readonly options: OptionsView } | undefined;
    const context: MergeContext = {
      evaluateSubmodule: (place, instance, definitions) => {
        const evaluation = this.#evaluation.settleSubmodule(place, instance, definitions);
        if (place.path.length === path.length && place.path.every((name, i) => name === path[i])) found = evaluation;
        return evaluation.toPlain();
      },
      mergeDeclared: (place, option, definitions) => this.#evaluation.mergeDeclared(place, option, definitions),
    };
    mergeDefinitions({ ...this.#evaluation.place(this.#node), context }, this.type, this.#all);
    return found?.options;
  }
}
