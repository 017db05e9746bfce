import type { ByteString } from "../util/bytes.ts";
import { printLeading } from "./comments.ts";
import { bare, lambdaChain, type ConcreteExpression, type ConcreteLambda } from "./concrete-syntax.ts";
import { braces, needsBlock } from "./convert-block.ts";
import type { Converter, Place } from "./converter.ts";
import { group, ifBroken, indent, join, line, type Layout } from "./layout.ts";
import { at, Strength, type Printed } from "./printed.ts";
import { find, type Variable } from "./scope.ts";
import { propertyName } from "./typescript-names.ts";

/** @param type the annotation of a parameter that is taken apart, where the place gives it none */
export function convertLambda(converter: Converter, e: ConcreteLambda, place: Place, type = ": NixValue"): Printed {
  const { parameters, body } = lambdaChain(e);
  const isOverlay = parameters.length === 2 && parameters.every(({ formals }) => formals === undefined) && ["final", "self", "_", "_final", "_self", "super", "prev"].some((name) => parameters.some(({ argument }) => argument === name)) && ["attributes", "let", "with", "binary"].includes(bare(body).kind);
  let scope = place.scope;
  const heads: Layout[] = [];
  const statements: Layout[] = [];
  const finish: (() => void)[] = [];
  const inner: Place = place;
  const seen = new Set<string>();
  const unique = (name: ByteString): string => {
    let text = converter.name(name);
    while (seen.has(text)) text += "_";
    seen.add(text);
    return text;
  };
  parameters.forEach((parameter) => {
    const names = new Map<ByteString, Variable>();
    const isModule = parameter.formals !== undefined && isModuleFunction(parameter);
    if (parameter.formals === undefined) {
      const text = unique(parameter.argument!);
      names.set(parameter.argument!, { text, role: roleOf(parameter.argument!, place), isLate: isOverlay, isNative: false });
      const variable = names.get(parameter.argument!)!;
      // Its place is needed, its name is not.
      finish.push(() => heads.push(`${converter.reads.has(variable) || text.startsWith("_") ? text : `_${text}`}${type}`));
      scope = { kind: "names", names, parent: scope };
      return;
    }
    for (const formal of parameter.formals.list) {
      const text = unique(formal.name);
      const role = roleOf(formal.name, place);
      names.set(formal.name, { text, role, isLate: isModule && role === "other" && !["modulesPath", "inputs", "name", "self"].includes(formal.name), isNative: false });
    }
    // What its convention allows may be taken besides.
    if (isModule && parameter.formals.ellipsis && !names.has("lib") && find("lib", scope).kind !== "variable") names.set("lib", { text: "lib", role: "lib", isLate: false, isNative: false });
    if (isModule && parameter.formals.ellipsis && !names.has("modulesPath") && mentionsModulesPath(converter, parameter.body)) names.set("modulesPath", { text: "modulesPath", role: "other", isLate: false, isNative: false });
    if (parameter.argument !== undefined) names.set(parameter.argument, { text: unique(parameter.argument), role: "other", isLate: isModule, isNative: false });
    scope = { kind: "names", names, parent: scope };
    const here: Place = { ...inner, scope };
    const bindings = (): Layout[] => {
      const listed = parameter.formals!.list.map((formal): Layout | undefined => {
        const { text, role } = names.get(formal.name)!;
        if (role === "lib" && !converter.takesLib) return undefined;
        if (!converter.reads.has(names.get(formal.name)!)) return undefined;
        const key = propertyName(formal.name);
        const bound: Layout = key === text ? text : `${key}: ${text}`;
        return formal.default === undefined ? bound : [bound, " = ", at(Strength.arrow, converter.convert(formal.default, here))];
      });
      const more = [...names].flatMap(([name, variable]): Layout[] => (parameter.formals!.list.some((formal) => formal.name === name) || name === parameter.argument || (variable.role === "lib" && !converter.takesLib) || !converter.reads.has(variable) ? [] : [variable.text]));
      return [...listed.filter((one): one is Layout => one !== undefined), ...more];
    };
    const formalComments = parameter.formals.list.flatMap((formal) => {
      const { leading, trailing } = converter.comments.of(formal);
      return [...leading, ...(trailing === undefined ? [] : [trailing])];
    });
    converter.note(...printLeading(formalComments));
    finish.push(() => {
      const whole = parameter.argument === undefined ? undefined : names.get(parameter.argument)!;
      if (whole !== undefined && converter.reads.has(whole)) {
        heads.push(`${whole.text}${type}`);
        const taken = bindings();
        if (taken.length > 0) statements.push([group(["const {", indent([line, join(taken, [",", line])]), ifBroken(","), line, "}"]), ` = ${whole.text};`]);
        return;
      }
      const taken = bindings();
      if (taken.length === 0) heads.push(parameters.length === 1 ? "" : `_${type}`);
      else heads.push(group(["{", indent([line, join(taken, [",", line])]), ifBroken(","), line, `}${type}`]));
    });
  });
  const converted = functionBody(converter, body, { ...inner, scope });
  for (const one of finish) one();
  const head: Layout = ["(", join(heads.filter((one) => one !== ""), ", "), ") => "];
  return { layout: [head, converted(statements)], strength: Strength.arrow };
}

function mentionsModulesPath(converter: Converter, e: ConcreteExpression): boolean {
  return /<nixpkgs\/nixos\/modules\//.test(converter.file.text.slice(e.start, e.end));
}

/** @returns the body behind statements that are only known when it is converted */
function functionBody(converter: Converter, body: ConcreteExpression, place: Place): (before: readonly Layout[]) => Layout {
  if (needsBlock(body, converter, place)) {
    const { statements } = converter.block(body, place);
    return (before) => braces([...before, ...statements]);
  }
  const { result, notes } = converter.noting(() => converter.convert(body, place));
  if (notes.length === 0 || result.isObject === true) converter.note(...notes);
  return (before) => {
    if (before.length > 0 || (notes.length > 0 && result.isObject !== true)) return braces([...before, [...(result.isObject === true ? [] : notes), "return ", at(Strength.arrow, result), ";"]]);
    return result.isObject === true ? ["(", result.layout, ")"] : at(Strength.arrow, result);
  };
}

const MODULE_ARGUMENTS = new Set(["config", "options", "modulesPath", "osConfig", "utils", "_class"]);

/** A function that the module system calls. */
export function isModuleFunction(e: ConcreteLambda): boolean {
  if (e.formals === undefined || bare(e.body).kind === "lambda") return false;
  return (e.formals.ellipsis || e.formals.list.some(({ name }) => name === "config")) && (e.formals.list.length === 0 || e.formals.list.some(({ name }) => MODULE_ARGUMENTS.has(name) || name === "lib" || name === "pkgs"));
}

function roleOf(name: ByteString, place: Place): Variable["role"] {
  void place;
  if (name === "lib") return "lib";
  return name === "pkgs" ? "packages" : "other";
}
