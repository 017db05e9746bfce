import { isOwnLack } from "./cell.ts";
import type { Cell } from "./cell.ts";
import { MISSING } from "./equal-values.ts";
import type { OptionNode } from "./option-node.ts";
import { isPlainObject, setProperty } from "./plain-object.ts";

/** What a settled evaluation gives of its options. */
type SettledTree = {
  readonly root: OptionNode;
  cell(node: OptionNode): Cell | undefined;
  cellOf(node: OptionNode): Cell;
  readFree(path: readonly string[]): { readonly value: unknown } | undefined;
  findSharedDefault(node: OptionNode): { readonly value: unknown } | undefined;
};

/** A settled tree, or what is below one of its nodes, as frozen plain data; reading an option that has no value throws. */
export function toPlainTree(evaluation: SettledTree, node: OptionNode): Readonly<Record<string | symbol, unknown>> {
  const result: Record<string | symbol, unknown> = {};
  let missing: Set<string> | undefined;
  const free = evaluation.readFree(node.path);
  if (free !== undefined && isPlainObject(free.value)) {
    for (const name of Object.keys(free.value)) if (node.children?.has(name) !== true) setProperty(result, name, free.value[name]);
  }
  for (const [name, child] of node.children ?? []) {
    if (node === evaluation.root && name === "_module") continue;
    if (child.declarations === undefined) {
      setProperty(result, name, toPlainTree(evaluation, child));
      continue;
    }
    const cell = evaluation.cell(child);
    const shared = cell === undefined ? evaluation.findSharedDefault(child) : undefined;
    if (shared !== undefined) {
      setProperty(result, name, shared.value);
      continue;
    }
    const error = evaluation.cellOf(child).findError();
    if (error === undefined) {
      setProperty(result, name, evaluation.cellOf(child).read());
    } else if (isOwnLack(error, evaluation.cellOf(child))) {
      (missing ??= new Set()).add(name);
      Object.defineProperty(result, name, {
        enumerable: true,
        get: () => {
          throw error;
        },
      });
    } else {
      throw error;
    }
  }
  if (missing !== undefined) Object.defineProperty(result, MISSING, { value: missing });
  return Object.freeze(result);
}
