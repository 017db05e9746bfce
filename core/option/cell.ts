import { messagesOf, partOf } from "./join-errors.ts";
import { TsosError } from "../error/tsos-error.ts";
import type { Consumer, Guesses, Source, Tracker } from "./consumer.ts";
import type { RawDefinition } from "./definition.ts";
import { equalValues } from "./equal-values.ts";
import { mergeDefinitions } from "./merge-definitions.ts";
import type { MergeContext, MergePlace } from "./merge-place.ts";
import { definitionData } from "./option-errors.ts";
import type { OptionNode } from "./option-node.ts";
import { formatOptionPath } from "./option-path.ts";
import type { OptionType } from "./option-type.ts";
import { previewValue } from "./preview-value.ts";
import type { Unit } from "./unit.ts";

const NO_DEFINITIONS: readonly RawDefinition[] = [];
const NO_SOURCES: readonly Source[] = [];

/** What a cell needs of the evaluation that it belongs to. */
export type CellEvaluation = MergeContext & {
  readonly tracker: Tracker;
  readonly prefix: readonly string[];
  /** Cells whose value was read while it was computed and came out different. */
  readonly unstable: Set<AnyCell>;
  mergeOption(node: OptionNode, definitions: readonly RawDefinition[]): unknown;
};

type CellState =
  | { readonly kind: "value"; readonly value: unknown }
  | { readonly kind: "error"; readonly error: TsosError };

/** What modules define of one option, or of what has none, and the value that it makes. */
export abstract class AnyCell implements Consumer, Source {
  readonly evaluation: CellEvaluation;
  readonly owner: object;
  sources: Set<Source> | undefined;
  outer: Consumer | undefined;
  changedAt = 0;
  definitionsChangedAt = 0;
  #state: CellState | undefined;
  #computedAt = -1;
  #isComputing = false;
  #wasReadInside = false;
  #contributions: Map<Unit, readonly RawDefinition[]> | undefined;
  #definitions: readonly RawDefinition[] | undefined = NO_DEFINITIONS;

  constructor(evaluation: CellEvaluation) {
    this.evaluation = evaluation;
    this.owner = evaluation;
  }

  protected abstract compute(): unknown;
  protected abstract computeInitial(): unknown;
  abstract get path(): readonly string[];

  get hasContributions(): boolean {
    return this.#contributions !== undefined && this.#contributions.size > 0;
  }

  get contributors(): readonly Unit[] {
    return [...(this.#contributions?.keys() ?? [])].sort((a, b) => a.index - b.index);
  }

  contribution(unit: Unit): readonly RawDefinition[] | undefined {
    return this.#contributions?.get(unit);
  }

  contribute(unit: Unit, definitions: readonly RawDefinition[] | undefined): void {
    if (definitions === undefined) {
      if (this.#contributions?.delete(unit) !== true) return;
    } else {
      (this.#contributions ??= new Map<Unit, readonly RawDefinition[]>()).set(unit, definitions);
    }
    this.#definitions = undefined;
    this.definitionsChangedAt = this.evaluation.tracker.tick();
  }

  /** All definitions in the modules' order, whatever their conditions and priorities. */
  get definitions(): readonly RawDefinition[] {
    if (this.#definitions === undefined) {
      this.#definitions =
        this.#contributions?.size === 1
          ? [...this.#contributions.values()][0]!
          : this.contributors.flatMap((unit) => this.contribution(unit)!);
    }
    return this.#definitions;
  }

  refresh(): void {
    if (this.#isComputing) return;
    if (this.#state !== undefined && this.definitionsChangedAt <= this.#computedAt) {
      let isFresh = true;
      for (const source of this.sources ?? NO_SOURCES) {
        if (source !== this) source.refresh();
        if (source.changedAt > this.#computedAt) {
          isFresh = false;
          break;
        }
      }
      if (isFresh) return;
    }
    const { tracker } = this.evaluation;
    this.#isComputing = true;
    this.#wasReadInside = false;
    this.sources?.clear();
    let state: CellState;
    try {
      state = { kind: "value", value: tracker.run(this, () => this.compute()) };
    } catch (error) {
      state = { kind: "error", error: cellError(error, this) };
    } finally {
      this.#isComputing = false;
    }
    const isSame = this.#state !== undefined && equalStates(this.#state, state);
    if (this.#wasReadInside && !isSame) this.evaluation.unstable.add(this);
    // An equal value stays the same object: what compares by identity is spared the work.
    if (!isSame) this.#state = state;
    const now = tracker.tick();
    // What was read inside came before this end, so its readers are older than `now` and compute once more.
    if (!isSame) this.changedAt = now;
    this.#computedAt = this.#wasReadInside && !isSame ? now - 1 : now;
  }

  read(): unknown {
    this.evaluation.tracker.note(this);
    if (this.#isComputing) {
      // A value that reads itself reads what it was in the round before, at first the default.
      this.#wasReadInside = true;
      this.#state ??= { kind: "value", value: this.computeInitial() };
      const part = this.#state.kind === "error" ? partOf(this.#state.error) : undefined;
      if (part !== undefined) return part.value;
    } else {
      this.refresh();
    }
    const state = this.#state!;
    const { guesses } = this.evaluation.tracker;
    if (state.kind === "error") {
      const guessed = guesses === undefined || !isOwnLack(state.error, this) ? undefined : this.guess(guesses);
      if (guessed === undefined) throw state.error;
      return guessed.value;
    }
    return guesses === undefined ? state.value : guesses.view(state.value);
  }

  /** For a reader that guesses, where there is no value. */
  protected guess(_guesses: Guesses): { readonly value: unknown } | undefined {
    return undefined;
  }

  /** The error in place of a value, without noting a read. */
  findError(): TsosError | undefined {
    this.refresh();
    return this.#state?.kind === "error" ? this.#state.error : undefined;
  }

  /** The value, computed once more and not kept. */
  computeAgain(): unknown {
    return this.compute();
  }

  /** The value for people. */
  preview(): string {
    if (this.#state === undefined) return "nothing";
    return this.#state.kind === "value" ? previewValue(this.#state.value) : `an error (${this.#state.error.message})`;
  }
}

/** That an option has no value is an error of who reads it, not of the option. */
export function isOwnLack(error: TsosError, cell: AnyCell): boolean {
  if (error.code !== "option.not-defined") return false;
  const path = error.data.optionPath as readonly string[];
  const own = [...cell.evaluation.prefix, ...cell.path];
  return path.length === own.length && path.every((name, i) => name === own[i]);
}

function equalStates(a: CellState, b: CellState): boolean {
  if (a.kind === "value") return b.kind === "value" && equalValues(a.value, b.value);
  return b.kind === "error" && a.error.code === b.error.code && equalValues(messagesOf(a.error), messagesOf(b.error)) && equalValues(partOf(a.error)?.value, partOf(b.error)?.value);
}

function cellError(error: unknown, cell: AnyCell): TsosError {
  if (error instanceof TsosError) return error;
  const message = error instanceof Error ? error.message : String(error);
  const path = formatOptionPath([...cell.evaluation.prefix, ...cell.path]);
  const isDeep = error instanceof RangeError && /call stack/i.test(message);
  return new TsosError({
    code: isDeep ? "option.too-deep" : "option.value-failed",
    message: isDeep
      ? `the value of the option "${path}" is nested too deep, or refers to itself`
      : `the value of the option "${path}" could not be computed: ${message}`,
    data: { optionPath: [...cell.evaluation.prefix, ...cell.path], definitions: cell.definitions.map(definitionData) },
    cause: error,
  });
}

/** One declared option. */
export class Cell extends AnyCell {
  readonly node: OptionNode;
  #definitionsSource: Source | undefined;

  constructor(evaluation: CellEvaluation, node: OptionNode) {
    super(evaluation);
    this.node = node;
  }

  /** Its definitions as something that is read, whatever value they make. */
  get definitionsSource(): Source {
    return (this.#definitionsSource ??= new DefinitionsSource(this));
  }

  get path(): readonly string[] {
    return this.node.path;
  }

  protected compute(): unknown {
    return this.evaluation.mergeOption(this.node, this.definitions);
  }

  protected computeInitial(): unknown {
    return this.evaluation.mergeOption(this.node, NO_DEFINITIONS);
  }

  protected override guess(guesses: Guesses): { readonly value: unknown } {
    return { value: guesses.option(this.node.option) };
  }
}

class DefinitionsSource implements Source {
  readonly owner: object;
  readonly #cell: Cell;

  constructor(cell: Cell) {
    this.owner = cell.evaluation;
    this.#cell = cell;
  }

  refresh(): void {
    // Definitions are what they are: nothing is computed.
  }

  get changedAt(): number {
    return this.#cell.definitionsChangedAt;
  }
}

/** What modules define where no option is declared. */
export class FreeCell extends AnyCell {
  readonly #type: OptionType;

  constructor(evaluation: CellEvaluation, type: OptionType) {
    super(evaluation);
    this.#type = type;
  }

  get path(): readonly string[] {
    return [];
  }

  protected compute(): unknown {
    const place: MergePlace = { path: this.evaluation.prefix, declarations: [], context: this.evaluation };
    const merged = mergeDefinitions(place, this.#type, this.definitions);
    return merged.isDefined ? merged.value : {};
  }

  protected computeInitial(): unknown {
    return {};
  }
}
