import { checkAssertions, evaluateModules } from "../../../../core/option/evaluate-modules.ts";
import { lib } from "../../../../core/option/lib.ts";
import { createModule } from "../../../../core/option/module.ts";
import type { Module } from "../../../../core/option/module.ts";
import { option } from "../../../../core/option/option.ts";
import type { OptionTree } from "../../../../core/option/option.ts";
import type { OptionType } from "../../../../core/option/option-type.ts";
import { setProperty } from "../../../../core/option/plain-object.ts";
import { types } from "../../../../core/option/types.ts";
import type { Condition, ModuleBody, OptionDeclaration, Rename, Scenario, Type, Value } from "./scenario.ts";

type Base = { readonly flag: boolean; readonly number: number; readonly text: string };
type Environment = { readonly base: Base; readonly name: string | undefined };

const nothing: Environment = { base: { flag: false, number: 0, text: "" }, name: undefined };

/** What tsos makes of a scenario: the configuration as JSON, or the error. */
export function settleScenario(scenario: Scenario): { readonly value: unknown } | { readonly error: string } {
  try {
    const { config, assertions } = evaluateModules<object>({ modules: toModules(scenario) });
    checkAssertions(assertions);
    const { warnings: _warnings, assertions: _assertions, meta: _meta, ...own } = config as Readonly<Record<string, unknown>>;
    return { value: JSON.parse(JSON.stringify(own)) as unknown };
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}

function toModules(scenario: Scenario): readonly Module[] {
  const made = new Map<string, Module>();
  const imports = new Map<string, Module[]>();
  for (const module of scenario.modules) {
    const list: Module[] = [];
    imports.set(module.key, list);
    made.set(module.key, createModule({ key: module.key, imports: list, disabledModules: module.disabled, ...toParts(module.body) }, undefined));
  }
  for (const module of scenario.modules) {
    imports.get(module.key)!.push(...module.imports.map((key) => made.get(key)!), ...module.renames.map(toRename));
  }
  return scenario.roots.map((key) => made.get(key)!);
}

function toRename(rename: Rename): Module {
  switch (rename.kind) {
    case "renamed":
      return lib.mkRenamedOptionModule(rename.from, rename.to);
    case "alias":
      return lib.mkAliasOptionModule(rename.from, rename.to);
    case "removed":
      return lib.mkRemovedOptionModule(rename.from, "it is gone");
    case "merged":
      return lib.mkMergedOptionModule(rename.from, rename.to, (config: unknown) => rename.from.map((path) => path.reduce((value, name) => (value as Record<string, unknown>)[name], config)));
  }
}

function toParts(body: ModuleBody): Partial<Module> {
  return {
    options: toTree(body.options),
    freeformType: body.freeform === undefined ? undefined : toType(body.freeform),
    config: body.config === undefined ? undefined : ({ config }: { readonly config: { readonly base: Base } }) => toValue(body.config!, { base: config.base, name: undefined }),
  };
}

function toTree(options: ModuleBody["options"]): OptionTree {
  const tree: Record<string, unknown> = {};
  for (const [path, declaration] of options) {
    let node = tree;
    for (const name of path.slice(0, -1)) {
      if (!Object.hasOwn(node, name)) setProperty(node, name, {});
      node = node[name] as Record<string, unknown>;
    }
    setProperty(node, path.at(-1)!, toOption(declaration));
  }
  return tree as OptionTree;
}

function toOption(declaration: OptionDeclaration): OptionTree[string] {
  const given = declaration.default;
  const { apply } = declaration;
  return option(toType(declaration.type) as OptionType<unknown, unknown>, {
    ...(given === undefined ? {} : { default: () => toValue(given, nothing) }),
    ...(declaration.readOnly === true ? { readOnly: true } : {}),
    ...(declaration.description === undefined ? {} : { description: declaration.description }),
    ...(apply === undefined ? {} : { apply: (value: unknown) => (apply === "wrap" ? [value] : (value as (argument: number) => unknown)(1)) }),
  });
}

function toType(type: Type): OptionType<unknown, unknown> {
  switch (type.kind) {
    case "plain":
      switch (type.name) {
        case "positive":
        case "unsigned":
        case "s8":
        case "u8":
          return types.ints[type.name];
        default:
          return types[type.name];
      }
    case "enum":
      return types.enum(type.values);
    case "between":
      return types.ints.between(type.lowest, type.highest);
    case "strMatching":
      return types.strMatching(type.pattern);
    case "separatedString":
      return types.separatedString(type.separator);
    case "of":
      return ofElement[type.name](toType(type.element)) as OptionType<unknown, unknown>;
    case "either":
      return types.either(toType(type.first), toType(type.second));
    case "coerced":
      return types.coercedTo(types.str, (text) => [text] as unknown, toType(type.to));
    case "attrTag":
      return types.attrTag(Object.fromEntries(type.tags.map(([name, tag]) => [name, toOption(tag) as never]))) as OptionType<unknown, unknown>;
    case "submodule":
      return types.submoduleWith({ shorthandOnlyDefinesConfig: type.shorthand, modules: [createModule(toSubmoduleParts(type.body), undefined)] });
  }
}

const ofElement: Readonly<Record<Extract<Type, { readonly kind: "of" }>["name"], (element: OptionType<unknown, unknown>) => OptionType>> = {
  listOf: types.listOf,
  nonEmptyListOf: types.nonEmptyListOf,
  attrsOf: types.attrsOf,
  lazyAttrsOf: types.lazyAttrsOf,
  nullOr: types.nullOr,
  uniq: types.uniq,
  functionTo: (element) => types.functionTo(element),
};

function toSubmoduleParts(body: ModuleBody): Partial<Module> {
  return {
    options: toTree(body.options),
    freeformType: body.freeform === undefined ? undefined : toType(body.freeform),
    config: body.config === undefined ? undefined : ({ name }: { readonly name: string }) => toValue(body.config!, { base: nothing.base, name }),
  };
}

function holds(condition: Condition, { base }: Environment): boolean {
  if (typeof condition === "boolean") return condition;
  return condition.read === "base.flag" ? base.flag === condition.equals : base.number === condition.equals;
}

function toValue(value: Value, environment: Environment): unknown {
  switch (value.kind) {
    case "literal":
      return value.value;
    case "list":
      return value.items.map((item) => toValue(item, environment));
    case "set": {
      const set: Record<string, unknown> = {};
      for (const [name, inner] of value.entries) setProperty(set, name, toValue(inner, environment));
      return set;
    }
    case "if":
      return lib.mkIf(holds(value.condition, environment), toValue(value.content, environment));
    case "merge":
      return lib.mkMerge(value.items.map((item) => toValue(item, environment)));
    case "override": {
      const content = toValue(value.content, environment);
      return typeof value.how === "number" ? lib.mkOverride(value.how, content) : lib[value.how](content);
    }
    case "order": {
      const content = toValue(value.content, environment);
      return typeof value.how === "number" ? lib.mkOrder(value.how, content) : lib[value.how](content);
    }
    case "assert":
      return lib.mkAssert(holds(value.condition, environment), "it must hold", toValue(value.content, environment));
    case "read":
      return environment.base[value.name];
    case "function":
      return ({ name, root }: { readonly name: string; readonly root: { readonly base: Base } }) => toValue(value.content, { base: root.base, name });
    case "name":
      return environment.name;
    case "lambda":
      return (_argument: number) => toValue(value.content, environment);
  }
}
