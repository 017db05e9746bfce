import type { TsosError } from "../error/tsos-error.ts";
import { unreachable } from "../util/unreachable.ts";
import type { DefinitionSite, RawDefinition } from "./definition.ts";
import { MAX_DEPTH, tooDeep } from "./equal-values.ts";
import { childSite, failedAssertion } from "./merge-definitions.ts";
import { ORDER, PRIORITY, findModifier, modified } from "./modifier.ts";
import { notASet, unknownOption, wrongModifier } from "./option-errors.ts";
import type { OptionNode } from "./option-node.ts";
import { setProperty } from "./plain-object.ts";
import { isSetLike } from "./types/set-like.ts";

/** What a module returned, sorted by option. */
export type CollectedDefinitions = {
  readonly byOption: ReadonlyMap<OptionNode, readonly RawDefinition[]>;
  /** What no option is declared for, as whole objects from the root of the tree. */
  readonly free: readonly RawDefinition[];
  /** Errors that count if they are still there when the tree has settled. */
  readonly problems: readonly TsosError[];
};

type Collector = {
  readonly byOption: Map<OptionNode, RawDefinition[]>;
  readonly free: RawDefinition[];
  readonly problems: TsosError[];
  readonly takesFree: boolean;
  readonly prefix: readonly string[];
};

/**
 * Walks what a module returned along the tree of options.
 * @param takesFree whether there is a type for what no option is declared for
 * @param prefix where the tree stands, for errors
 */
export function collectDefinitions(root: OptionNode, definition: RawDefinition, takesFree: boolean, prefix: readonly string[]): CollectedDefinitions {
  const collector: Collector = { byOption: new Map(), free: [], problems: [], takesFree, prefix };
  collect(collector, root, definition.value, definition.priority, definition.order, definition.site, 0);
  return collector;
}

function collect(
  into: Collector,
  node: OptionNode,
  value: unknown,
  priority: number,
  order: number,
  site: DefinitionSite,
  depth: number,
): void {
  if (value === undefined) return;
  if (depth > MAX_DEPTH) throw tooDeep();
  if (node.declarations !== undefined) {
    const definition = { site, value, priority, order };
    const known = into.byOption.get(node);
    if (known === undefined) into.byOption.set(node, [definition]);
    else known.push(definition);
    return;
  }
  const modifier = findModifier(value);
  if (modifier !== undefined) {
    switch (modifier.kind) {
      case "if":
        if (modifier.condition) collect(into, node, modifier.content, priority, order, site, depth + 1);
        else checkNames(into, node, modifier.content, site, depth + 1);
        return;
      case "merge":
        for (const content of modifier.contents) collect(into, node, content, priority, order, site, depth + 1);
        return;
      case "override":
        collect(into, node, modifier.content, modifier.priority, order, site, depth + 1);
        return;
      case "order":
        collect(into, node, modifier.content, priority, modifier.order, site, depth + 1);
        return;
      case "assert":
        if (modifier.condition) collect(into, node, modifier.content, priority, order, site, depth + 1);
        else into.problems.push(failedAssertion(modifier.message, { site, value: modifier.content, priority, order }));
        return;
      case "forward":
        collect(into, node, modifier.content, priority, order, modifier.from, depth + 1);
        return;
      case "wrong":
        into.problems.push(wrongModifier(modifier, { path: [...into.prefix, ...node.path], declarations: [] }, { site, value: modifier.content, priority, order }));
        return;
      default:
        return unreachable(modifier);
    }
  }
  if (!isSetLike(value)) {
    into.problems.push(notASet([...into.prefix, ...node.path], { site, value, priority, order }));
    return;
  }
  for (const name of Object.keys(value)) {
    const child = node.children?.get(name);
    const inner = value[name];
    if (child !== undefined) {
      collect(into, child, inner, priority, order, childSite(site, name), depth + 1);
    } else if (inner !== undefined) {
      const definition = { site: childSite(site, name), value: inner, priority, order };
      if (into.takesFree) into.free.push(rooted(node, name, definition, site));
      else into.problems.push(unknownOption([...into.prefix, ...node.path, name], [...(node.children?.keys() ?? [])], definition));
    }
  }
}

// What stands under a false condition defines nothing, but its names must be those of options all the same: else a
// typo shows only on the machine where the condition holds. Nix: lib/modules.nix, pushDownProperties
function checkNames(into: Collector, node: OptionNode, value: unknown, site: DefinitionSite, depth: number): void {
  if (value === undefined || node.declarations !== undefined || into.takesFree) return;
  if (depth > MAX_DEPTH) throw tooDeep();
  const modifier = findModifier(value);
  if (modifier !== undefined) {
    const contents = modifier.kind === "merge" ? modifier.contents : [modifier.content];
    for (const content of contents) checkNames(into, node, content, site, depth + 1);
    return;
  }
  if (!isSetLike(value)) return;
  for (const name of Object.keys(value)) {
    const child = node.children?.get(name);
    if (child !== undefined) {
      checkNames(into, child, value[name], childSite(site, name), depth + 1);
    } else if (value[name] !== undefined) {
      const definition = { site: childSite(site, name), value: value[name], priority: PRIORITY.plain, order: ORDER.plain };
      into.problems.push(unknownOption([...into.prefix, ...node.path, name], [...(node.children?.keys() ?? [])], definition));
    }
  }
}

// The type of free definitions merges whole objects, so the way to them is put back around them, and what
// modified them on the way.
function rooted(node: OptionNode, name: string, definition: RawDefinition, site: DefinitionSite): RawDefinition {
  let value: unknown = modified({
    kind: "override",
    priority: definition.priority,
    content: modified({
      kind: "order",
      order: definition.order,
      content: modified({ kind: "forward", from: definition.site, content: definition.value }),
    }),
  });
  for (const step of [name, ...[...node.path].reverse()]) {
    const outer: Record<string, unknown> = {};
    setProperty(outer, step, value);
    value = outer;
  }
  return { ...definition, value, site: { module: site.module, path: site.path.slice(0, site.path.length - node.path.length) } };
}
