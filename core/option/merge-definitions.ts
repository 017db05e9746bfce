import { TsosError } from "../error/tsos-error.ts";
import { unreachable } from "../util/unreachable.ts";
import type { DefinitionSite, PlacedDefinition, RawDefinition } from "./definition.ts";
import { MAX_DEPTH, tooDeep } from "./equal-values.ts";
import { joinErrors } from "./join-errors.ts";
import type { MergePlace } from "./merge-place.ts";
import { ORDER, PRIORITY, findModifier } from "./modifier.ts";
import { notDefined, wrongModifier, wrongType } from "./option-errors.ts";
import type { OptionType } from "./option-type.ts";

export type MergedDefinitions =
  | { readonly isDefined: true; readonly value: unknown; readonly definitions: readonly PlacedDefinition[] }
  | { readonly isDefined: false };

/**
 * One value of what modules define: conditions are followed, the strongest priority is kept, what is left is
 * put in order, checked and merged by the type. Nix: lib/modules.nix, mergeDefinitions
 *
 * @throws TsosError `option.wrong-type`, and what the type's merge throws.
 */
export function mergeDefinitions(place: MergePlace, type: OptionType, raw: readonly RawDefinition[]): MergedDefinitions {
  const definitions = sortDefinitions(keepStrongest(dischargeDefinitions(raw)));
  if (definitions.length === 0) return { isDefined: false };
  const wrong = definitions.filter((definition) => !type.check(definition.value));
  if (wrong.length > 0) throw joinErrors(wrong.map((definition) => wrongType(place, type, definition)));
  return { isDefined: true, value: type.merge(place, definitions), definitions };
}

/**
 * The merged value, or where nothing is defined the type's empty one.
 * @throws TsosError `option.not-defined`
 */
export function definedValue(place: MergePlace, type: OptionType, merged: MergedDefinitions): unknown {
  if (merged.isDefined) return merged.value;
  if (type.emptyValue === undefined) throw notDefined(place);
  return type.emptyValue(place);
}

/** The definitions whose conditions hold, `mkMerge` taken apart, none with a modifier around it. */
export function dischargeDefinitions(raw: readonly RawDefinition[]): RawDefinition[] {
  const result: RawDefinition[] = [];
  for (const definition of raw) {
    if (findModifier(definition.value) === undefined) {
      if (definition.value !== undefined) result.push(definition);
    } else {
      discharge(definition, definition.value, definition.priority, definition.order, definition.site, 0, result);
    }
  }
  return result;
}

function discharge(
  raw: RawDefinition,
  value: unknown,
  priority: number,
  order: number,
  site: DefinitionSite,
  depth: number,
  into: RawDefinition[],
): void {
  if (depth > MAX_DEPTH) throw tooDeep();
  const modifier = findModifier(value);
  if (modifier === undefined) {
    // A property that is undefined is as good as absent: `{ user: condition ? "dev" : undefined }`.
    if (value !== undefined) into.push({ site, value, priority, order });
    return;
  }
  switch (modifier.kind) {
    case "if":
      if (modifier.condition) discharge(raw, modifier.content, priority, order, site, depth + 1, into);
      return;
    case "merge":
      for (const content of modifier.contents) discharge(raw, content, priority, order, site, depth + 1, into);
      return;
    case "override":
      discharge(raw, modifier.content, modifier.priority, order, site, depth + 1, into);
      return;
    case "order":
      discharge(raw, modifier.content, priority, modifier.order, site, depth + 1, into);
      return;
    case "assert":
      if (!modifier.condition) throw failedAssertion(modifier.message, { ...raw, value: modifier.content });
      discharge(raw, modifier.content, priority, order, site, depth + 1, into);
      return;
    case "forward":
      discharge(raw, modifier.content, priority, order, modifier.from, depth + 1, into);
      return;
    case "wrong":
      throw wrongModifier(modifier, { path: site.path, declarations: [] }, { ...raw, value: modifier.content });
    default:
      unreachable(modifier);
  }
}

export function failedAssertion(message: string, definition: RawDefinition): TsosError {
  return new TsosError({
    code: "option.assertion-failed",
    message: `a definition's assertion failed: ${message}`,
    data: { definitions: [{ module: definition.site.module.label, file: definition.site.module.file, stack: definition.site.module.stack, path: definition.site.path }] },
  });
}

export function highestPriority(definitions: readonly RawDefinition[]): number {
  let highest: number = Infinity;
  for (const definition of definitions) if (definition.priority < highest) highest = definition.priority;
  return highest;
}

function keepStrongest(definitions: RawDefinition[]): RawDefinition[] {
  if (definitions.length < 2) return definitions;
  const highest = highestPriority(definitions);
  return definitions.filter((definition) => definition.priority === highest);
}

function sortDefinitions(definitions: RawDefinition[]): RawDefinition[] {
  if (definitions.every((definition) => definition.order === ORDER.plain)) return definitions;
  // Array.sort is stable: what has the same order stays in the modules' order.
  return definitions.sort((a, b) => a.order - b.order);
}

/** A definition inside another one's value, with the priority and order that a plain one has. */
export function innerDefinition(outer: RawDefinition, name: string, value: unknown): RawDefinition {
  return { site: childSite(outer.site, name), value, priority: PRIORITY.plain, order: ORDER.plain };
}

/** The site of a property of what stands at `site`. Its path is made when an error asks for it. */
export function childSite(site: DefinitionSite, name: string): DefinitionSite {
  return new ChildSite(site, name);
}

class ChildSite implements DefinitionSite {
  readonly module: DefinitionSite["module"];
  readonly #parent: DefinitionSite;
  readonly #name: string;

  constructor(parent: DefinitionSite, name: string) {
    this.module = parent.module;
    this.#parent = parent;
    this.#name = name;
  }

  get path(): readonly string[] {
    return [...this.#parent.path, this.#name];
  }
}
