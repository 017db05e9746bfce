import { TsosError } from "../error/tsos-error.ts";
import type { Cell } from "./cell.ts";
import { MAX_DEPTH, MISSING } from "./equal-values.ts";
import { isPackageValue } from "./foreign-types.ts";
import { findModifier } from "./modifier.ts";
import { definitionData, siteData, type ErrorPlace } from "./option-errors.ts";
import { formatOptionPath } from "./option-path.ts";
import { isPlainObject } from "./plain-object.ts";
import { previewValue } from "./preview-value.ts";
import { moduleError } from "./unit.ts";
import type { Unit, UnitSurroundings } from "./unit.ts";

/**
 * Runs a module once more on the settled tree: it must return what it did, or else how often it has run shows in
 * the result. What cannot be compared (functions, objects of classes) counts as the same.
 */
export function findUnrepeatable(unit: Unit, surroundings: UnitSurroundings): TsosError | undefined {
  const { body, module, path } = unit.init;
  if (typeof body !== "function" || unit.error !== undefined) return undefined;
  let change: Change | undefined;
  try {
    change = findChange(unit.value, (body as (args: object) => unknown)(surroundings.arguments()), 0);
  } catch (error) {
    return moduleError(error, unit.init);
  }
  if (change === undefined) return undefined;
  const changed = [...change.path].reverse();
  return new TsosError({
    code: "option.not-repeatable",
    message: `the module "${module.label}" does not return the same when it is run again: "${formatOptionPath(changed)}" was ${previewValue(change.before)}, then ${previewValue(change.after)}`,
    hint: "a module is run several times: keep no counter, list or other state outside of its function",
    data: { optionPath: changed, definitions: [{ module: module.label, file: module.file, stack: module.stack, path: [...path, ...changed] }] },
  });
}

/**
 * Computes an option's value once more where functions have a part in it: definitions of submodules, a computed default,
 * `apply`. Like a module, they must give what they gave.
 */
export function findUnrepeatableValue(cell: Cell, place: ErrorPlace): TsosError | undefined {
  const { attributes } = cell.node.option;
  const isComputed = attributes.apply !== undefined || typeof attributes.default === "function" || cell.definitions.some(({ value }) => holdsFunction(value, 0));
  if (!isComputed || cell.findError() !== undefined) return undefined;
  const change = findChange(cell.read(), cell.computeAgain(), 0);
  if (change === undefined) return undefined;
  const path = [...place.path, ...[...change.path].reverse()];
  return new TsosError({
    code: "option.not-repeatable",
    message: `the value of the option "${formatOptionPath(path)}" is not the same when it is computed again: it was ${previewValue(change.before)}, then ${previewValue(change.after)}`,
    hint: "a function of a configuration is called several times: keep no counter, list or other state outside of it",
    data: { optionPath: path, definitions: cell.definitions.map(definitionData), declaredAt: place.declarations.map(siteData) },
  });
}

function holdsFunction(value: unknown, depth: number): boolean {
  if (typeof value === "function") return !isPackageValue(value);
  if (typeof value !== "object" || value === null || depth > MAX_DEPTH || isPackageValue(value)) return false;
  const modifier = findModifier(value);
  if (modifier !== undefined) return modifier.kind === "merge" ? modifier.contents.some((content) => holdsFunction(content, depth + 1)) : holdsFunction(modifier.content, depth + 1);
  if (Array.isArray(value)) return value.some((item) => holdsFunction(item, depth + 1));
  if (!isPlainObject(value)) return false;
  return Object.keys(value).some((name) => {
    const property = Object.getOwnPropertyDescriptor(value, name);
    return property !== undefined && "value" in property && holdsFunction(property.value, depth + 1);
  });
}

/** The path is made on the way back, the innermost name first. */
type Change = { readonly path: string[]; readonly before: unknown; readonly after: unknown };

function findChange(before: unknown, after: unknown, depth: number): Change | undefined {
  if (Object.is(before, after)) return undefined;
  const different: Change = { path: [], before, after };
  if (typeof before !== typeof after) return different;
  if (typeof before === "function" || depth > MAX_DEPTH) return undefined;
  if (typeof before !== "object" || typeof after !== "object" || before === null || after === null) return different;
  if (Array.isArray(before) || Array.isArray(after)) {
    if (!Array.isArray(before) || !Array.isArray(after) || before.length !== after.length) return different;
    for (let i = 0; i < before.length; i++) {
      const found = findChange(before[i], after[i], depth + 1);
      if (found !== undefined) return named(found, `[${i}]`);
    }
    return undefined;
  }
  const modifier = findModifier(before);
  const other = findModifier(after);
  if (modifier !== undefined || other !== undefined) {
    return modifier?.kind === other?.kind ? findChangedProperty({ ...modifier }, { ...other }, depth, false) : different;
  }
  // Not by their derivations: those of packages that nobody uses need not be made. Sets of Nix that are packages hold themselves.
  if (isPackageValue(before) || isPackageValue(after)) return isPackageValue(before) && isPackageValue(after) && before.name === after.name ? undefined : different;
  if (isPlainObject(before)) {
    if (!isPlainObject(after) || Object.keys(before).length !== Object.keys(after).length) return different;
    return findChangedProperty(before, after, depth, true);
  }
  return undefined;
}

function findChangedProperty(before: Readonly<Record<string, unknown>>, after: Readonly<Record<string, unknown>>, depth: number, isNamed: boolean): Change | undefined {
  const missing = (before as { readonly [MISSING]?: ReadonlySet<string> })[MISSING];
  for (const key of Object.keys(before)) {
    // An option without a value, which nobody reads.
    if (missing?.has(key) === true) continue;
    if (!Object.hasOwn(after, key)) return { path: [key], before: before[key], after: undefined };
    const found = findChange(before[key], after[key], depth + 1);
    if (found !== undefined) return isNamed ? named(found, key) : found;
  }
  return undefined;
}

function named(change: Change, name: string): Change {
  change.path.push(name);
  return change;
}
