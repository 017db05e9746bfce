import type { TsosError } from "../error/tsos-error.ts";
import type { Assertion } from "./base-options.ts";
import { isOwnLack } from "./cell.ts";
import type { Cell, FreeCell } from "./cell.ts";
import { findFailedAssertions } from "./failed-assertions.ts";
import { joinErrors } from "./join-errors.ts";
import { findNode } from "./option-node.ts";
import type { OptionNode } from "./option-node.ts";
import type { OptionsView } from "./options-view.ts";
import type { Unit } from "./unit.ts";

type SettledEvaluation = {
  readonly root: OptionNode;
  readonly options: OptionsView;
  readonly freeCell: FreeCell | undefined;
  cellOf(node: OptionNode): Cell;
  cells(): Iterable<Cell>;
  read(node: OptionNode): unknown;
};

/**
 * @param isOutermost whether what the modules assert is asked
 * @throws TsosError, all that is wrong with modules that have settled: what they threw, values that are not of their type, names that no option has, failed assertions.
 */
export function throwProblems(evaluation: SettledEvaluation, units: readonly Unit[], isOutermost: boolean): void {
  const problems = new Set<TsosError>();
  const checkNode = findNode(evaluation.root, ["_module", "check"]);
  const isChecked = checkNode === undefined || evaluation.read(checkNode) !== false;
  for (const unit of units) {
    if (unit.error !== undefined) problems.add(unit.error);
    for (const problem of unit.result.problems) if (isChecked || problem.code !== "option.unknown") problems.add(problem);
  }
  // Also what no one reads must be of its type.
  for (const cell of evaluation.cells()) {
    if (!cell.hasContributions) continue;
    const error = cell.findError();
    if (error !== undefined && !isOwnLack(error, cell)) problems.add(error);
  }
  const freeError = evaluation.freeCell?.findError();
  if (freeError !== undefined) problems.add(freeError);
  if (problems.size === 0) return;
  // Where a module fails, what it would define has no value either; else that is an error like any other, and so is
  // what the modules assert.
  const isUndone = units.some(({ error }) => error !== undefined && error.code !== "option.not-defined");
  const others = [...problems].filter((problem) => problem.code !== "option.not-defined");
  if (isUndone) throw joinErrors(others.length > 0 ? others : [...problems]);
  throw joinErrors([...problems, ...(isOutermost ? failedAssertions(evaluation) : [])]);
}

function failedAssertions(evaluation: SettledEvaluation): readonly TsosError[] {
  const node = findNode(evaluation.root, ["assertions"]);
  if (node?.declarations === undefined || evaluation.cellOf(node).findError() !== undefined) return [];
  // The type is a list of assertions.
  const failed = findFailedAssertions(evaluation.read(node) as readonly Assertion[], evaluation.options);
  return failed === undefined ? [] : [failed];
}
