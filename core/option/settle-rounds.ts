import type { AnyCell, Cell, CellEvaluation, FreeCell } from "./cell.ts";
import { equalDefinitions } from "./equal-definitions.ts";
import { FlipWatch } from "./flip-watch.ts";
import type { OptionNode } from "./option-node.ts";
import type { QuietSource } from "./quiet-source.ts";
import type { Unit, UnitSurroundings } from "./unit.ts";

/** The tree whose modules settle. */
export type RoundsEvaluation = UnitSurroundings & CellEvaluation & {
  /** Cells whose value was read while it was computed and came out different. */
  readonly unstable: Set<AnyCell>;
  readonly quiet: QuietSource;
  readonly freeCell: FreeCell | undefined;
  cellOf(node: OptionNode): Cell;
  cells(): Iterable<Cell>;
};

/**
 * Runs modules until nothing changes: see docs/settling.md.
 * @param units all of them
 * @param first those that the first round runs
 * @param beforeFirst runs when these have read the tree, before what they define is seen
 * @throws TsosError `option.unsettled`
 */
export function settleRounds(evaluation: RoundsEvaluation, units: readonly Unit[], first: readonly Unit[], beforeFirst?: () => void): void {
  const watch = new FlipWatch(evaluation);
  let dirty = first;
  for (let round = 1; round === 1 || dirty.length > 0 || evaluation.unstable.size > 0; round++) {
    for (const unit of dirty) {
      const before = unit.result;
      unit.run(evaluation);
      watch.ran(unit, before);
    }
    if (round === 1) beforeFirst?.();
    // Only now: all of them saw the same tree.
    for (const { unit, before } of watch.takeRuns()) apply(evaluation, unit, before, watch);
    for (const cell of [...evaluation.unstable]) {
      evaluation.unstable.delete(cell);
      cell.refresh();
      watch.touched(cell);
    }
    dirty = units.filter((unit) => unit.isStale());
    // What no module reads is computed when all else is done: it may be a value that reads itself.
    if (dirty.length === 0) for (const cell of evaluation.cells()) if (cell.hasContributions) cell.refresh();
    if (dirty.length === 0 && evaluation.unstable.size === 0 && evaluation.quiet.begin()) dirty = units.filter((unit) => unit.isStale());
    watch.endRound(round, dirty);
  }
}

function apply(evaluation: RoundsEvaluation, unit: Unit, before: Unit["result"], watch: FlipWatch): void {
  const { byOption, free } = unit.result;
  for (const [node, definitions] of byOption) {
    const old = before.byOption.get(node);
    if (old !== undefined && equalDefinitions(old, definitions)) continue;
    const cell = evaluation.cellOf(node);
    watch.changed(cell, unit, old);
    cell.contribute(unit, definitions);
  }
  for (const [node, old] of before.byOption) {
    if (byOption.has(node)) continue;
    const cell = evaluation.cellOf(node);
    watch.changed(cell, unit, old);
    cell.contribute(unit, undefined);
  }
  if (evaluation.freeCell !== undefined && !equalDefinitions(before.free, free)) {
    watch.changed(evaluation.freeCell, unit, before.free);
    evaluation.freeCell.contribute(unit, free.length === 0 ? undefined : free);
  }
}
