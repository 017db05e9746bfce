import type { Condition, ModuleBody, OptionDeclaration, Rename, Scenario, Type, Value } from "./scenario.ts";

/**
 * The text of an expression whose value is the configuration that the reference implementation's `lib.evalModules`
 * makes of a scenario, or `{ failed = true; }`. `lib` is in scope.
 */
export function printScenario(scenario: Scenario): string {
  const modules = scenario.modules.map((module) => {
    const imports = [...module.imports.map((key) => `modules.${key}`), ...module.renames.map(printRename)];
    return `${module.key} = { config, ... }: { key = ${text(module.key)}; imports = [ ${imports.join(" ")} ]; disabledModules = [ ${module.disabled.map((key) => `{ key = ${text(key)}; }`).join(" ")} ]; ${printParts(module.body)} };`;
  });
  return `(let
  modules = { ${modules.join("\n")} };
  config = (lib.evalModules { modules = [ { options.warnings = lib.mkOption { type = lib.types.listOf lib.types.str; default = [ ]; }; options.assertions = lib.mkOption { type = lib.types.listOf lib.types.unspecified; default = [ ]; }; } ${scenario.roots.map((key) => `modules.${key}`).join(" ")} ]; }).config;
  own = lib.mapAttrsRecursive (_: v: if v == "_mkMergedOptionModule" then null else v) (builtins.removeAttrs config [ "_module" "warnings" "assertions" ]);
  checked = if builtins.all (entry: entry.assertion) config.assertions then own else throw "an assertion failed";
  result = builtins.tryEval (builtins.deepSeq checked checked);
in if result.success then { inherit (result) value; } else { failed = true; })`;
}

function text(value: string): string {
  return JSON.stringify(value).replaceAll("${", "\\${");
}

function name(value: string): string {
  return text(value);
}

function path(names: readonly string[]): string {
  return `[ ${names.map(text).join(" ")} ]`;
}

function printRename(rename: Rename): string {
  switch (rename.kind) {
    case "renamed":
      return `(lib.mkRenamedOptionModule ${path(rename.from)} ${path(rename.to)})`;
    case "alias":
      return `(lib.mkAliasOptionModule ${path(rename.from)} ${path(rename.to)})`;
    case "removed":
      return `(lib.mkRemovedOptionModule ${path(rename.from)} "it is gone")`;
    case "merged":
      return `(lib.mkMergedOptionModule [ ${rename.from.map(path).join(" ")} ] ${path(rename.to)} (config: map (p: let v = lib.getAttrFromPath p config; in if v == "_mkMergedOptionModule" then null else v) [ ${rename.from.map(path).join(" ")} ]))`;
  }
}

function printParts(body: ModuleBody): string {
  const config = body.config === undefined ? "" : `config = ${printValue(body.config)};`;
  const free = body.freeform === undefined ? "" : `freeformType = ${printType(body.freeform)};`;
  return `${printOptions(body.options)} ${free} ${config}`;
}

function printOptions(options: ModuleBody["options"]): string {
  return options.map(([names, declaration]) => `options.${names.map(name).join(".")} = ${printOption(declaration)};`).join("\n");
}

function printOption(declaration: OptionDeclaration): string {
  const given = declaration.default === undefined ? "" : `default = ${printValue(declaration.default)};`;
  const apply = declaration.apply === undefined ? "" : declaration.apply === "wrap" ? "apply = v: [ v ];" : "apply = f: f 1;";
  const described = declaration.description === undefined ? "" : `description = ${text(declaration.description)};`;
  return `(lib.mkOption { type = ${printType(declaration.type)}; ${given} ${apply} ${described} ${declaration.readOnly === true ? "readOnly = true;" : ""} })`;
}

function printType(type: Type): string {
  switch (type.kind) {
    case "plain":
      switch (type.name) {
        case "positive":
        case "unsigned":
        case "s8":
        case "u8":
          return `lib.types.ints.${type.name}`;
        case "json":
          return "lib.types.json";
        default:
          return `lib.types.${type.name}`;
      }
    case "enum":
      return `(lib.types.enum [ ${type.values.map((value) => (typeof value === "number" ? String(value) : text(value))).join(" ")} ])`;
    case "between":
      return `(lib.types.ints.between (${type.lowest}) ${type.highest})`;
    case "strMatching":
      return `(lib.types.strMatching ${text(type.pattern)})`;
    case "separatedString":
      return `(lib.types.separatedString ${text(type.separator)})`;
    case "of":
      return `(lib.types.${type.name} ${printType(type.element)})`;
    case "either":
      return `(lib.types.either ${printType(type.first)} ${printType(type.second)})`;
    case "coerced":
      return `(lib.types.coercedTo lib.types.str (v: [ v ]) ${printType(type.to)})`;
    case "attrTag":
      return `(lib.types.attrTag { ${type.tags.map(([tag, declaration]) => `${name(tag)} = ${printOption(declaration)};`).join(" ")} })`;
    case "submodule":
      return `(lib.types.submoduleWith { shorthandOnlyDefinesConfig = ${type.shorthand}; modules = [ ({ name, ... }: { ${printParts(type.body)} }) ]; })`;
  }
}

function printCondition(condition: Condition): string {
  return typeof condition === "boolean" ? String(condition) : `(config.${condition.read} == ${String(condition.equals)})`;
}

function number(value: number): string {
  return value < 0 ? `(${value})` : String(value);
}

/** One operand: in brackets where it has to be. */
function printValue(value: Value): string {
  switch (value.kind) {
    case "literal":
      return typeof value.value === "string" ? text(value.value) : typeof value.value === "number" ? number(value.value) : String(value.value);
    case "list":
      return `[ ${value.items.map(printValue).join(" ")} ]`;
    case "set":
      return `{ ${value.entries.map(([key, inner]) => `${name(key)} = ${printValue(inner)};`).join(" ")} }`;
    case "if":
      return `(lib.mkIf ${printCondition(value.condition)} ${printValue(value.content)})`;
    case "merge":
      return `(lib.mkMerge [ ${value.items.map(printValue).join(" ")} ])`;
    case "override":
      return typeof value.how === "number" ? `(lib.mkOverride ${value.how} ${printValue(value.content)})` : `(lib.${value.how} ${printValue(value.content)})`;
    case "order":
      return typeof value.how === "number" ? `(lib.mkOrder ${value.how} ${printValue(value.content)})` : `(lib.${value.how} ${printValue(value.content)})`;
    case "assert":
      return `(lib.mkAssert ${printCondition(value.condition)} "it must hold" ${printValue(value.content)})`;
    case "read":
      return `config.base.${value.name}`;
    case "function":
      return `({ name, ... }: ${printValue(value.content)})`;
    case "name":
      return "name";
    case "lambda":
      return `(argument: ${printValue(value.content)})`;
  }
}
