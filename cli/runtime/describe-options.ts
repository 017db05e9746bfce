import type { DefinitionDescription, ModuleDescription, OptionDescription, OptionReport, OptionState, SiteDescription, ValueDescription } from "../../core/config/option-description.ts";
import { TsosError } from "../../core/error/tsos-error.ts";
import type { Module, OptionsView, OptionView } from "../../core/index.ts";
import { baseModule, moduleModule } from "../../core/option/base-options.ts";
import type { DefiningModule, DefinitionSite, RawDefinition } from "../../core/option/definition.ts";
import { compileModules } from "../../core/option/compile-modules.ts";
import { dischargeDefinitions, highestPriority, innerDefinition } from "../../core/option/merge-definitions.ts";
import { createModule, type ModuleInput } from "../../core/option/module.ts";
import type { AnyOptionAttributes, OptionTree } from "../../core/option/option.ts";
import { findNode, type OptionNode } from "../../core/option/option-node.ts";
import { formatOptionPath } from "../../core/option/option-path.ts";
import type { OptionType } from "../../core/option/option-type.ts";
import { previewValue } from "../../core/option/preview-value.ts";
import { findNearestName } from "../../core/util/suggest.ts";
import { isOptionView, valueToJson } from "./option-value.ts";

/** The names that stand for any in the path of an option inside `attrsOf` and `listOf`. */
export const ANY_NAME = "<name>";
export const ANY_ITEM = "<item>";

// A submodule may hold itself.
const MAX_DEPTH = 6;

/** The modules that an answer refers to, each once. */
export class ModuleTable {
  readonly modules: ModuleDescription[] = [];
  readonly #known = new Map<string, number>();

  site({ module, path }: DefinitionSite): SiteDescription {
    return { module: this.#index(module), path };
  }

  #index({ label, file, stack }: DefiningModule): number {
    const key = `${label}\n${file}\n${stack}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    this.modules.push({ label, file, stack });
    this.#known.set(key, this.modules.length - 1);
    return this.modules.length - 1;
  }
}

/** The tree of what modules declare; none of them is run. */
export function declareTree(modules: readonly ModuleInput[], specialArgs: Readonly<Record<string, unknown>>): OptionNode {
  return compileModules([...modules, baseModule, moduleModule], specialArgs).root;
}

/** Every option of a tree, those of submodules included, without what is not for people. */
export function describeTree(root: OptionNode, table: ModuleTable): readonly OptionDescription[] {
  return [...walk(root, [], table, 0, false)];
}

/**
 * One option, a part of an option's value, or a branch.
 * @param options the settled tree, or why it does not settle; undefined where there is no configuration
 * @throws TsosError `option.unknown` with the nearest name
 */
export function reportOption(root: OptionNode, path: readonly string[], options: OptionsView | FailedTree | undefined, table: ModuleTable): OptionReport {
  const found = findDeclared(root, path);
  if (found === undefined) throw unknownOption(root, path);
  if (found.node.declarations === undefined) {
    return { kind: "branch", path, options: [...walk(found.node, path, table, 0, true)].filter((option) => !option.internal) };
  }
  const option = found.rest === 0 ? describeNode(found.node, path, table, found.sites) : describePart(found, path, table);
  return { kind: "option", option, state: options === undefined || path.some(isPlaceholder) ? undefined : describeState(options, path, table) };
}

/** The type of an option, or of what is inside its value, at a path. */
export function findType(root: OptionNode, path: readonly string[]): OptionType {
  const found = findDeclared(root, path);
  if (found === undefined) throw unknownOption(root, path);
  if (found.type === undefined) {
    throw new TsosError({ code: "option.not-an-option", message: `"${formatOptionPath(path)}" is a set of options; expected the path of one option`, hint: `tsos option show ${formatOptionPath(path)} lists them` });
  }
  return found.type;
}

function* walk(node: OptionNode, path: readonly string[], table: ModuleTable, depth: number, withInternal: boolean, sites?: readonly DefinitionSite[]): Generator<OptionDescription> {
  for (const [name, child] of node.children ?? []) {
    if (name === "_module") continue;
    const childPath = [...path, name];
    if (child.declarations === undefined) {
      yield* walk(child, childPath, table, depth, withInternal);
      continue;
    }
    const { type, attributes } = child.option;
    if (!withInternal && (attributes.internal === true || attributes.visible === false)) continue;
    yield describeNode(child, childPath, table, sites);
    if (attributes.visible === "shallow" || depth >= MAX_DEPTH) continue;
    for (const { steps, root, isOfTags } of submodulesOf(type)) yield* walk(root, [...childPath, ...steps], table, depth + 1, withInternal, isOfTags === true ? child.sites : undefined);
  }
}

function describeNode(node: OptionNode, path: readonly string[], table: ModuleTable, sites: readonly DefinitionSite[] = node.sites): OptionDescription {
  const { type, attributes } = node.option;
  return {
    path,
    type: type.description,
    typescript: type.printType(),
    description: attributes.description,
    default: describeDefault(attributes),
    example: attributes.example === undefined ? undefined : { value: valueToJson(attributes.example) },
    readOnly: attributes.readOnly ?? false,
    internal: (attributes.internal ?? false) || attributes.visible === false,
    relatedPackages: attributes.relatedPackages ?? [],
    declarations: sites.map((site) => table.site(site)),
  };
}

// What is inside a value has a type and belongs to the option that declares the whole.
function describePart({ node, type }: Declared, path: readonly string[], table: ModuleTable): OptionDescription {
  const whole = describeNode(node, path, table);
  return { ...whole, type: type?.description ?? "anything", typescript: type?.printType() ?? "unknown", default: undefined, example: undefined };
}

function describeDefault(attributes: AnyOptionAttributes): ValueDescription | undefined {
  if (attributes.defaultText !== undefined) return { text: attributes.defaultText };
  if (attributes.default === undefined) return undefined;
  return typeof attributes.default === "function" ? { text: "computed" } : { value: valueToJson(attributes.default) };
}

type Declared = {
  readonly node: OptionNode;
  /** How many names of the path are inside the option's value, and in no submodule. */
  readonly rest: number;
  /** The type of what stands at the path; undefined for a branch. */
  readonly type: OptionType | undefined;
  /** Where it is declared, when that is not what its node says. */
  readonly sites?: readonly DefinitionSite[] | undefined;
};

/** What is declared at a path: names of `attrsOf` may be real ones or `<name>`. */
function findDeclared(root: OptionNode, path: readonly string[]): Declared | undefined {
  let node: OptionNode = root;
  for (const [i, name] of path.entries()) {
    const child = node.children?.get(name);
    if (child === undefined) return undefined;
    node = child;
    if (node.declarations !== undefined) {
      const rest = path.slice(i + 1);
      return rest.length === 0 ? { node, rest: 0, type: node.option.type } : findInType(node, node.option.type, rest);
    }
  }
  return { node, rest: 0, type: undefined };
}

/** A tag is declared where the option that holds it is. */
function declaredBy({ sites }: OptionNode, found: Declared | undefined): Declared | undefined {
  return found === undefined ? undefined : { ...found, sites: found.sites ?? sites };
}

function findInType(node: OptionNode, type: OptionType, rest: readonly string[]): Declared | undefined {
  if (rest.length === 0) return { node, rest: 0, type };
  const [name = "", ...others] = rest;
  const isIndex = name === ANY_ITEM || /^\[\d+\]$/.test(name);
  switch (type.name) {
    case "submodule": {
      const root = compileModules([...(type.subModules ?? []), moduleModule]).root;
      const found = findDeclared(root, rest);
      const free = type.subModules?.find((module) => module.freeformType !== undefined)?.freeformType;
      return found ?? (free === undefined ? undefined : part(node, rest.length, findInType(node, free, rest)));
    }
    case "attrTag":
      return declaredBy(node, findDeclared(tagsOf(type), rest));
    case "attrsOf":
    case "lazyAttrsOf":
      return isIndex || type.nested[0] === undefined ? undefined : part(node, rest.length, findInType(node, type.nested[0], others));
    case "listOf":
    case "nonEmptyListOf":
      return !isIndex || type.nested[0] === undefined ? undefined : part(node, rest.length, findInType(node, type.nested[0], others));
    default: {
      for (const inner of type.nested) {
        const found = findInType(node, inner, rest);
        if (found !== undefined) return found;
      }
      // What a JSON-like value holds has no declaration of its own.
      return isOpen(type) ? { node, rest: rest.length, type } : undefined;
    }
  }
}

// Found in the same option: then so many names are inside its value.
function part(node: OptionNode, rest: number, found: Declared | undefined): Declared | undefined {
  return found === undefined || found.node !== node ? found : { ...found, rest };
}

function isOpen(type: OptionType): boolean {
  return ["json", "anything", "attrs", "raw", "unspecified"].includes(type.name);
}

type Submodule = { readonly steps: readonly string[]; readonly root: OptionNode; readonly isOfTags?: boolean | undefined };

const treesOfTypes = new WeakMap<readonly Module[], OptionNode>();

function submodulesOf(type: OptionType): readonly Submodule[] {
  if (type.name === "submodule") {
    const modules = type.subModules ?? [];
    let root = treesOfTypes.get(modules);
    if (root === undefined) treesOfTypes.set(modules, (root = compileModules([...modules, moduleModule]).root));
    return [{ steps: [], root }];
  }
  if (type.name === "attrTag") return [{ steps: [], root: tagsOf(type), isOfTags: true }];
  const step = type.name === "attrsOf" || type.name === "lazyAttrsOf" ? [ANY_NAME] : type.name === "listOf" || type.name === "nonEmptyListOf" ? [ANY_ITEM] : [];
  if (type.name === "functionTo") return [];
  return type.nested.flatMap((inner) => submodulesOf(inner).map((found) => ({ ...found, steps: [...step, ...found.steps] })));
}

const treesOfTags = new WeakMap<OptionType, OptionNode>();

/** What an `attrTag` is made of, as a tree: each tag is an option. */
function tagsOf(type: OptionType): OptionNode {
  let root = treesOfTags.get(type);
  // Types of this name carry this payload.
  if (root === undefined) treesOfTags.set(type, (root = compileModules([createModule({ options: type.payload as OptionTree }, undefined)]).root));
  return root;
}

function describeState(options: OptionsView | FailedTree, path: readonly string[], table: ModuleTable): OptionState {
  if (isFailed(options)) return { definitions: [], error: options.error };
  try {
    const { view, rest } = findView(options, path);
    const definitions = rest.length === 0 ? definitionsOf(view, table) : definitionsInside(view, rest, table);
    try {
      return { definitions, value: valueToJson(valueAt(view.value, rest)) };
    } catch (error) {
      return { definitions, error: describeFailure(error) };
    }
  } catch (error) {
    return { definitions: [], error: describeFailure(error) };
  }
}

function definitionsOf(view: OptionView, table: ModuleTable): readonly DefinitionDescription[] {
  return describeDefinitions(view.allDefinitions, view.highestPrio, table);
}

/** `strongest`: the priority of those that count. */
function describeDefinitions(definitions: readonly RawDefinition[], strongest: number | undefined, table: ModuleTable): readonly DefinitionDescription[] {
  return definitions.map(({ site, value, priority, order }) => ({
    site: table.site(site),
    value: valueToJson(value),
    preview: previewValue(value),
    priority,
    order,
    counts: priority === strongest,
  }));
}

/** What the definitions that count say of a part of the value; what a function computes is not seen. */
function definitionsInside(view: OptionView, rest: readonly string[], table: ModuleTable): readonly DefinitionDescription[] {
  // The views of options hold what modules wrote.
  let current: readonly RawDefinition[] = view.placedDefinitions;
  for (const name of rest) {
    const key = /^\[(\d+)\]$/.exec(name)?.[1] ?? name;
    current = dischargeDefinitions(
      current.flatMap((definition) => {
        const { value } = definition;
        if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return [];
        return [innerDefinition(definition, name, Reflect.get(value, key))];
      }),
    );
  }
  return describeDefinitions(current, highestPriority(current), table);
}

/** The innermost option on the way to a path, through the submodules that are there, and what is left of the path. */
function findView(options: OptionsView, path: readonly string[]): { readonly view: OptionView; readonly rest: readonly string[] } {
  let around: OptionsView = options;
  for (let i = 0; i < path.length; ) {
    const child: OptionsView | OptionView | undefined = around[path[i]!];
    i++;
    if (child === undefined) break;
    if (!isOptionView(child)) {
      around = child;
      continue;
    }
    let inner: OptionsView | undefined;
    let end = i;
    for (; end < path.length && inner === undefined; end++) inner = child.submodule(path.slice(0, end));
    if (inner === undefined || inner[path[end - 1]!] === undefined) return { view: child, rest: path.slice(i) };
    around = inner;
    i = end - 1;
  }
  throw new TsosError({ code: "option.no-value", message: `nothing stands at "${formatOptionPath(path)}" in this configuration` });
}

function valueAt(value: unknown, path: readonly string[]): unknown {
  let current = value;
  for (const name of path) {
    const key = /^\[(\d+)\]$/.exec(name)?.[1] ?? name;
    if (typeof current !== "object" || current === null || !Object.hasOwn(current, key)) {
      throw new TsosError({ code: "option.no-value", message: `nothing stands at "${name}"` });
    }
    current = Reflect.get(current, key);
  }
  return current;
}

/** Why there is nothing to be seen. */
export type FailedTree = { readonly error: OptionState["error"] & object };

function isFailed(tree: OptionsView | FailedTree): tree is FailedTree {
  return typeof tree.error === "object" && "code" in tree.error && typeof tree.error.code === "string";
}

export function describeFailure(error: unknown): FailedTree["error"] {
  return { code: error instanceof TsosError ? error.code : "option.module-failed", message: error instanceof Error ? error.message : String(error) };
}

function isPlaceholder(name: string): boolean {
  return name === ANY_NAME || name === ANY_ITEM;
}

function unknownOption(root: OptionNode, path: readonly string[]): TsosError {
  const near = findNearestPath(root, path);
  return new TsosError({
    code: "option.unknown",
    message: `the option "${formatOptionPath(path)}" does not exist`,
    hint: near === undefined ? `tsos option search ${path.at(-1) ?? ""} looks for it` : `did you mean "${formatOptionPath(near)}"?`,
    data: { optionPath: path, ...(near === undefined ? {} : { nearest: formatOptionPath(near) }) },
  });
}

/** The nearest among the names beside the wrong one, then among all paths. */
function findNearestPath(root: OptionNode, path: readonly string[]): readonly string[] | undefined {
  for (let length = path.length - 1; length >= 0; length--) {
    const before = path.slice(0, length);
    const around = length === 0 ? root : (findNode(root, before) ?? treeInside(root, before));
    const names = [...(around?.children?.keys() ?? [])].filter((name) => name !== "_module");
    if (names.length === 0) continue;
    const name = findNearestName(path[length] ?? "", names);
    if (name === undefined) break;
    const mended = [...before, name, ...path.slice(length + 1)];
    return findDeclared(root, mended) === undefined ? [...before, name] : mended;
  }
  const all = [...walk(root, [], new ModuleTable(), 0, false)].map((option) => formatOptionPath(option.path));
  const text = formatOptionPath(path);
  const last = path.at(-1) ?? "";
  const near = findNearestName(text, all) ?? all.find((candidate) => candidate.endsWith(`.${last}`));
  return near?.split(".");
}

function treeInside(root: OptionNode, path: readonly string[]): OptionNode | undefined {
  const type = findDeclared(root, path)?.type;
  return type === undefined ? undefined : submodulesOf(type).find(({ steps }) => steps.length === 0)?.root;
}
