import { TsosError } from "../error/tsos-error.ts";
import { definingModule } from "./defining-module.ts";
import type { DefiningModule, DefinitionSite } from "./definition.ts";
import type { Module, OptionAlias } from "./module.ts";
import { findExclusive, isOption, option } from "./option.ts";
import type { AnyOptionAttributes, OptionTree } from "./option.ts";
import { siteData } from "./option-errors.ts";
import { formatOptionPath } from "./option-path.ts";
import type { OptionType } from "./option-type.ts";
import { isPlainObject, setProperty } from "./plain-object.ts";
import { previewValue } from "./preview-value.ts";
import { submodule } from "./types/submodule.ts";

/** A name in the tree of declarations: a set of names, or an option. */
export class OptionNode {
  readonly name: string;
  readonly parent: OptionNode | undefined;
  /** Undefined for an option. */
  children: Map<string, OptionNode> | undefined;
  declarations: Declaration[] | undefined;
  alias: OptionAlias | undefined;
  #path: readonly string[] | undefined;
  #option: ResolvedOption | undefined;
  /** The value of the default alone, where it is the same everywhere; kept by the evaluation. */
  sharedDefault: { readonly value: unknown } | undefined | null;

  constructor(name: string, parent: OptionNode | undefined) {
    this.name = name;
    this.parent = parent;
    this.children = undefined;
    this.declarations = undefined;
    this.alias = undefined;
    this.sharedDefault = undefined;
  }

  /** The path from the root of its tree. */
  get path(): readonly string[] {
    return (this.#path ??= this.parent === undefined ? [] : [...this.parent.path, this.name]);
  }

  get isOption(): boolean {
    return this.declarations !== undefined;
  }

  /** The option that its declarations make together. */
  get option(): ResolvedOption {
    return (this.#option ??= resolveDeclarations(this));
  }

  get sites(): readonly DefinitionSite[] {
    return (this.declarations ?? []).map(({ module }) => ({ module, path: this.path }));
  }
}

type Declaration = { readonly type: OptionType; readonly attributes: AnyOptionAttributes; readonly module: DefiningModule };

export type ResolvedOption = { readonly type: OptionType; readonly attributes: AnyOptionAttributes };

/**
 * The tree of the options that `modules` declare.
 * @throws TsosError `option.declared-twice`, `option.bad-declaration`
 */
export function declareOptions(modules: readonly Module[]): OptionNode {
  const root = new OptionNode("", undefined);
  root.children = new Map();
  const several: OptionNode[] = [];
  for (const module of modules) {
    if (module.options !== undefined) declareTree(root, module.options, definingModule(module), several);
  }
  // When all is declared: the module of an old name is imported by that of the new one, and so comes before it.
  for (const module of modules) {
    for (const alias of module.aliases) declareAlias(root, alias, definingModule(module), several);
  }
  for (const node of several) {
    if (node.children !== undefined && node.declarations !== undefined) moveIntoSubmodule(node);
    // Declarations that do not go together are an error even of an option that nothing reads.
    if (node.declarations !== undefined) void node.option;
  }
  return root;
}

function declareTree(node: OptionNode, tree: OptionTree, module: DefiningModule, several: OptionNode[]): void {
  if (!isPlainObject(tree)) throw badDeclaration(node.path, tree, module);
  const children = (node.children ??= new Map<string, OptionNode>());
  if (node.declarations !== undefined) several.push(node);
  for (const name of Object.keys(tree)) {
    let child = children.get(name);
    if (child === undefined) {
      child = new OptionNode(name, node);
      children.set(name, child);
    }
    const declared = tree[name];
    if (isOption(declared)) declare(child, { type: declared.type, attributes: declared.attributes, module }, several);
    else if (isPlainObject(declared)) declareTree(child, declared, module, several);
    else throw badDeclaration([...node.path, name], declared, module);
  }
}

function declare(node: OptionNode, declaration: Declaration, several: OptionNode[]): void {
  if (node.declarations === undefined) {
    node.declarations = [declaration];
    if (node.children !== undefined) several.push(node);
  } else {
    node.declarations.push(declaration);
    several.push(node);
  }
}

function declareAlias(root: OptionNode, alias: OptionAlias, module: DefiningModule, several: OptionNode[]): void {
  let node = root;
  for (const name of alias.from) {
    const children: Map<string, OptionNode> = (node.children ??= new Map<string, OptionNode>());
    const known = children.get(name) ?? new OptionNode(name, node);
    children.set(name, known);
    node = known;
  }
  node.alias = alias;
  const declared = option(findNode(root, alias.to)?.declarations?.[0]?.type ?? anyType(), {
    visible: alias.visible,
    description: `Another name of ${formatOptionPath(alias.to)}.`,
  });
  declare(node, { type: declared.type, attributes: declared.attributes, module }, several);
}

// The target of an alias that is a set of options, or declared by a later module: its own types check it.
function anyType(): OptionType {
  return submodule({ options: {} });
}

export function findNode(root: OptionNode, path: readonly string[]): OptionNode | undefined {
  let node: OptionNode | undefined = root;
  for (const name of path) {
    node = node.children?.get(name);
    if (node === undefined) return undefined;
  }
  return node;
}

// Options declared below an option of a submodule type extend the submodule.
function moveIntoSubmodule(node: OptionNode): void {
  const declarations = node.declarations ?? [];
  if (!declarations.some(({ type }) => type.name === "submodule")) {
    const below = [...node.children!.values()].flatMap((child) => firstDeclaration(child));
    throw new TsosError({
      code: "option.declared-as-both",
      message: `"${formatOptionPath(node.path)}" is declared both as an option and as a set of options`,
      data: { optionPath: node.path, definitions: [], declaredAt: [...node.sites, ...below].map(siteData) },
    });
  }
  const tree = toTree(node);
  const module = firstDeclaration(node)[0]?.module ?? declarations[0]!.module;
  node.children = undefined;
  declarations.push({ type: submodule({ options: tree }), attributes: {}, module });
}

function toTree(node: OptionNode): OptionTree {
  const tree: Record<string, unknown> = {};
  for (const [name, child] of node.children ?? []) {
    setProperty(tree, name, child.declarations === undefined ? toTree(child) : option(child.option.type, child.option.attributes as object));
  }
  return tree as OptionTree;
}

function firstDeclaration(node: OptionNode): readonly DefinitionSite[] {
  for (const child of node.children?.values() ?? []) {
    if (child.declarations !== undefined) return child.sites;
    const found = firstDeclaration(child);
    if (found.length > 0) return found;
  }
  return [];
}

function resolveDeclarations(node: OptionNode): ResolvedOption {
  const [first, ...others] = node.declarations ?? [];
  if (first === undefined) throw new Error(`assertion failed: ${formatOptionPath(node.path)} is not an option`);
  let { type, attributes } = first as ResolvedOption;
  for (const other of others) {
    const both = findExclusive(attributes, other.attributes);
    const merged = type === other.type ? type : type.mergeType(other.type);
    if (both !== undefined || merged === undefined) {
      throw new TsosError({
        code: "option.declared-twice",
        message: `the option "${formatOptionPath(node.path)}" is declared more than once: ${merged === undefined ? `as ${type.description} and as ${other.type.description}` : `two declarations have "${both}"`}`,
        hint: "only the options of a submodule and the values of an enum can be extended by another declaration",
        data: { optionPath: node.path, definitions: [], declaredAt: node.sites.map(siteData) },
      });
    }
    type = merged;
    // The first declaration counts. Nix: lib/modules.nix, mergeOptionDecls
    attributes = { ...other.attributes, ...attributes };
  }
  return { type, attributes };
}

function badDeclaration(path: readonly string[], declared: unknown, module: DefiningModule): TsosError {
  return new TsosError({
    code: "option.bad-declaration",
    message: `"${formatOptionPath(path)}" among a module's options is ${previewValue(declared)}; expected option(types.…, { … })`,
    data: { optionPath: path, definitions: [siteData({ module, path: ["options", ...path] })] },
  });
}
