import { TsosError } from "../error/tsos-error.ts";
import type { AnyCell, CellEvaluation } from "./cell.ts";
import type { RawDefinition } from "./definition.ts";
import { equalDefinitions } from "./equal-definitions.ts";
import { definitionData } from "./option-errors.ts";
import { formatOptionPath } from "./option-path.ts";
import type { Unit } from "./unit.ts";

type WatchedEvaluation = Pick<CellEvaluation, "prefix" | "unstable">;

type Change = { readonly cell: AnyCell; readonly unit: Unit; readonly before: readonly RawDefinition[] | undefined };

function follows(cell: AnyCell, from: AnyCell): boolean {
  return cell.sources?.has(from) === true || cell.contributors.some((unit) => unit.sources?.has(from) === true);
}

/** What is wrong with a definition, whoever reads the option. */
const OF_DEFINITIONS: ReadonlySet<string> = new Set([
  "option.assertion-failed", "option.conflict", "option.defined-twice", "option.not-a-set", "option.read-only", "option.too-deep", "option.value-failed", "option.wrong-type",
]);

const WINDOW = 12;

/**
 * Watches the rounds for a tree that does not settle. See docs/settling.md: where demand-driven evaluation ends,
 * in each round that changes something an option changes for the last time; so by round n there are n options
 * that have changed. What goes on longer, or comes back to a state that was there before, goes on for ever.
 */
export class FlipWatch {
  readonly #evaluation: WatchedEvaluation;
  #runs: { readonly unit: Unit; readonly before: Unit["result"] }[] = [];
  readonly #changedCells = new Set<AnyCell>();
  readonly #failedUnits = new Set<Unit>();
  /** The last that each of them threw: it may be what keeps the tree from settling. */
  readonly #failures = new Map<Unit, TsosError>();
  #roundChanges: Change[] = [];
  /** What each module last defined of an option before it changed or went. */
  readonly #last = new Map<AnyCell, Map<Unit, readonly RawDefinition[]>>();
  /** Options of which a module defined now this, now that; not those whose definitions only come and go. */
  readonly #varied = new Set<AnyCell>();
  /** What was there at the last checkpoint, of all that has changed since. */
  #checkpoint = new Map<AnyCell, Map<Unit, readonly RawDefinition[] | undefined>>();
  #nextCheckpoint = 8;
  readonly #history: { readonly cell: AnyCell; readonly value: string }[][] = [];

  constructor(evaluation: WatchedEvaluation) {
    this.#evaluation = evaluation;
  }

  ran(unit: Unit, before: Unit["result"]): void {
    this.#runs.push({ unit, before });
    if (unit.error === undefined) return;
    this.#failedUnits.add(unit);
    this.#failures.set(unit, unit.error);
  }

  takeRuns(): readonly { readonly unit: Unit; readonly before: Unit["result"] }[] {
    const runs = this.#runs;
    this.#runs = [];
    return runs;
  }

  changed(cell: AnyCell, unit: Unit, before: readonly RawDefinition[] | undefined): void {
    this.#changedCells.add(cell);
    this.#roundChanges.push({ cell, unit, before });
    if (before === undefined || before.length === 0) return;
    const units = this.#last.get(cell) ?? new Map<Unit, readonly RawDefinition[]>();
    const last = units.get(unit);
    if (last !== undefined && !equalDefinitions(last, before)) this.#varied.add(cell);
    units.set(unit, before);
    this.#last.set(cell, units);
  }

  touched(cell: AnyCell): void {
    this.#changedCells.add(cell);
  }

  /** @throws TsosError `option.unsettled` */
  endRound(round: number, dirty: readonly Unit[]): void {
    const changes = this.#roundChanges;
    this.#roundChanges = [];
    if (dirty.length === 0 && this.#evaluation.unstable.size === 0) return;
    if (round >= 4) this.#remember(changes);
    for (const { cell, unit, before } of changes) {
      const units = this.#checkpoint.get(cell) ?? new Map<Unit, readonly RawDefinition[] | undefined>();
      if (!units.has(unit)) units.set(unit, before);
      this.#checkpoint.set(cell, units);
    }
    if (round >= 100 && round > this.#changedCells.size + this.#failedUnits.size + 2) throw this.#unsettled(round);
    if (round > 8 && changes.length > 0 && this.#isBack()) throw this.#unsettled(round);
    if (round >= this.#nextCheckpoint) {
      this.#nextCheckpoint *= 2;
      this.#checkpoint = new Map();
    }
  }

  #isBack(): boolean {
    for (const [cell, units] of this.#checkpoint) {
      for (const [unit, before] of units) {
        const now = cell.contribution(unit);
        if (before === undefined || now === undefined ? before !== now : !equalDefinitions(before, now)) return false;
      }
    }
    return true;
  }

  #remember(changes: readonly Change[]): void {
    const cells = new Set(changes.map(({ cell }) => cell));
    this.#history.push([...cells].map((cell) => {
      cell.refresh();
      return { cell, value: cell.preview() };
    }));
    if (this.#history.length > WINDOW) this.#history.shift();
  }

  /** What changes when `start` does, itself where it goes in a circle. */
  #followersOf(start: AnyCell, among: ReadonlySet<AnyCell>): ReadonlySet<AnyCell> {
    const seen = new Set<AnyCell>();
    const queue: AnyCell[] = [start];
    for (let cell = queue.pop(); cell !== undefined; cell = queue.pop()) {
      for (const next of among) {
        if (seen.has(next) || !follows(next, cell)) continue;
        seen.add(next);
        queue.push(next);
      }
    }
    return seen;
  }

  // What changes only because of the others is not the cause, though it may depend on itself as well.
  #findCauses(flipping: ReadonlySet<AnyCell>): readonly AnyCell[] {
    const followers = new Map([...flipping].map((cell) => [cell, this.#followersOf(cell, flipping)]));
    const circular = [...flipping].filter((cell) => followers.get(cell)!.has(cell));
    return circular.filter((cell) => !circular.some((other) => followers.get(other)!.has(cell) && !followers.get(cell)!.has(other)));
  }

  #isAlwaysWrong({ code, data }: TsosError): boolean {
    // Which names there are depends on no value.
    if (code === "option.unknown") return true;
    if (!OF_DEFINITIONS.has(code) || !Array.isArray(data.optionPath)) return false;
    const path = (data.optionPath as readonly string[]).slice(this.#evaluation.prefix.length);
    return ![...this.#varied].some((cell) => cell.path.every((name, i) => name === path[i]));
  }

  #unsettled(round: number): TsosError {
    const failures = [...this.#failures.values()].filter(({ code }) => code !== "option.not-defined");
    // To change what it was given is wrong in every round.
    const changed = failures.find(({ code }) => code === "option.changed-input");
    if (changed !== undefined) return changed;
    // A definition that is wrong whenever it is there: the module that reads it throws, so what it defines goes, so the
    // one that defined it may throw, and so on. To mend the definition is what is to be done.
    const wrong = failures.find((failure) => this.#isAlwaysWrong(failure));
    if (wrong !== undefined) return wrong;
    const values = new Map<AnyCell, string[]>();
    const seen = new Map<AnyCell, number>();
    for (const entry of this.#history.flat()) {
      seen.set(entry.cell, (seen.get(entry.cell) ?? 0) + 1);
      const list = values.get(entry.cell) ?? [];
      if (list.at(-1) !== entry.value) list.push(entry.value);
      values.set(entry.cell, list);
    }
    // A long value may look the same each time, cut as it is.
    const flipping = new Set([...values].filter(([cell, list]) => list.length > 1 || (seen.get(cell) ?? 0) > 1).map(([cell]) => cell));
    const causes = this.#findCauses(flipping);
    const flips = [...values]
      .filter(([cell]) => (causes.length > 0 ? causes.includes(cell) : flipping.has(cell)))
      .map(([cell, list]) => ({
        optionPath: [...this.#evaluation.prefix, ...cell.path],
        // A flip between two values is shown once, not as often as it was seen.
        values: [...new Set(list)].slice(-4),
        definitions: cell.definitions.map(definitionData),
      }))
      .sort((a, b) => (formatOptionPath(a.optionPath) < formatOptionPath(b.optionPath) ? -1 : 1));
    const shown = flips.slice(0, 5).map((flip) => {
      const modules = [...new Set(flip.definitions.map(({ module }) => module))];
      return `"${formatOptionPath(flip.optionPath)}" is in turn ${flip.values.join(", ")} (defined by ${modules.join(", ")})`;
    });
    return new TsosError({
      code: "option.unsettled",
      message: `the configuration does not settle, after ${round} rounds ${shown.join("; ")}`,
      hint: "each of these options depends on itself: let one of the modules not read what follows from its own definition",
      data: {
        optionPath: flips[0]?.optionPath ?? [],
        definitions: flips.flatMap(({ definitions }) => definitions),
        flips,
        rounds: round,
      },
      cause: failures.at(-1),
    });
  }
}
