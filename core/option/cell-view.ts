import type { Cell } from "./cell.ts";
import type { Tracker } from "./consumer.ts";
import type { DefinitionSite, PlacedDefinition, RawDefinition } from "./definition.ts";
import { dischargeDefinitions, highestPriority, mergeDefinitions } from "./merge-definitions.ts";
import type { DeclaredOption, MergeContext, MergePlace, SubmoduleInstance } from "./merge-place.ts";
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

  get highestPriority(): number {
    return highestPriority(this.#all);
  }

  get definitions(): readonly RawDefinition[] {
    const all = this.#all;
    const highest = highestPriority(all);
    return all.filter((definition) => definition.priority === highest).sort((a, b) => a.order - b.order);
  }

  get allDefinitions(): readonly RawDefinition[] {
    return this.#all;
  }

  get declarations(): readonly DefinitionSite[] {
    return this.#node.sites;
  }

  get attributes(): OptionView["attributes"] {
    const { attributes } = this.#node.option;
    return {
      description: attributes.description,
      default: attributes.default,
      defaultText: attributes.defaultText,
      example: attributes.example,
      internal: attributes.internal ?? false,
      visible: attributes.visible ?? true,
      readOnly: attributes.readOnly ?? false,
      relatedPackages: attributes.relatedPackages ?? [],
    };
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
