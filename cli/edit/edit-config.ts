import type { ts as TypeScript } from "ts-morph";
import type { ValueSource } from "../../core/config/option-description.ts";
import { TsosError } from "../../core/error/tsos-error.ts";
import type { SourcePosition } from "../../core/error/source-position.ts";
import { formatOptionPath } from "../../core/option/option-path.ts";
import { findNearestName } from "../../core/util/suggest.ts";
import { ConfigSource, type ConfigKind, type Found } from "./config-source.ts";
import { appendItems, removeItem } from "./edit-items.ts";
import { needsOf, printName, printPackage, printSource } from "./print-source.ts";
import { packageName } from "./read-literal.ts";
import { stepTowards } from "./replace-value.ts";
import { applyEdits, type TextEdit } from "./text-edit.ts";

/** A changed text, and where it was changed; the same text where there was nothing to do. */
export type EditedConfig = { readonly text: string; readonly at: SourcePosition };

/** The list of packages of each kind of configuration. */
const PACKAGE_LIST: Readonly<Record<ConfigKind, readonly string[]>> = {
  system: ["environment", "systemPackages"],
  nixos: ["environment", "systemPackages"],
  home: ["home", "packages"],
  shell: ["packages"],
};

/** The configuration where its list of packages is defined. */
async function parseAtPackages(file: string, text: string): Promise<{ readonly source: ConfigSource; readonly path: readonly string[] }> {
  const path = PACKAGE_LIST[(await ConfigSource.parse(file, text)).kind];
  return { source: await ConfigSource.parse(file, text, path), path };
}

/** Adds packages to the configuration's list; those that are there already stay as they are. */
export async function addPackagesTo(file: string, text: string, names: readonly string[]): Promise<EditedConfig> {
  const { source, path } = await parseAtPackages(file, text);
  const found = source.find(path);
  const set = source.packageSet();
  const style = { quote: source.quote, packageSet: set.name, pathFunction: "path" };
  if (found.kind !== "value") {
    const list = `[${[...new Set(names)].map((name) => printPackage(name, style)).join(", ")}]`;
    return edited(source, [...set.edits, ...defineMissing(source, found, path, list)], placeOf(found));
  }
  const list = asList(source, found.value, path);
  const known = new Set(list.elements.map((element) => packageName(source, element)));
  const missing = [...new Set(names)].filter((name) => !known.has(name));
  if (missing.length === 0) return edited(source, [], list.getStart());
  return edited(source, [...set.edits, ...appendItems(source, list, missing.map((name) => printPackage(name, style)))], list.getStart());
}

/** Removes packages from the configuration's list. */
export async function removePackagesFrom(file: string, text: string, names: readonly string[]): Promise<EditedConfig> {
  let result: EditedConfig | undefined;
  for (const name of new Set(names)) {
    const before: string = result?.text ?? text;
    const { source, path } = await parseAtPackages(file, before);
    const found = source.find(path);
    if (found.kind !== "value") throw notListed(source, name, [], path, found.kind === "missing" ? found.object : found.list);
    const list = asList(source, found.value, path);
    const present = list.elements.map((element) => packageName(source, element));
    const index = present.indexOf(name);
    if (index === -1) {
      const computed = list.elements.find((_, i) => present[i] === undefined);
      if (computed !== undefined) throw source.refuse(computed, `"${name}" is not written out in the list, and may come from here`);
      throw notListed(source, name, present.filter((one) => one !== undefined), path, list);
    }
    result = edited(source, removeItem(source, list, index), list.elements[index]!.getStart());
  }
  return result ?? { text, at: { file, line: 1, column: 1 } };
}

/** Sets one option to a value. What of it is there already stays as it is written. */
export async function setOptionIn(file: string, text: string, path: readonly string[], value: ValueSource): Promise<EditedConfig> {
  let at: SourcePosition | undefined;
  for (let current = text; ; ) {
    const step = await stepOfSet(file, current, path, value);
    at ??= step.at;
    if (step.text === current) return { text: current, at };
    current = step.text;
  }
}

async function stepOfSet(file: string, text: string, path: readonly string[], value: ValueSource): Promise<EditedConfig> {
  const source = await ConfigSource.parse(file, text, path);
  const found = source.find(path);
  const needs = needsOf(value);
  const set = needs.packages ? source.packageSet() : { name: source.findPackageSet() ?? "pkgs", edits: [] };
  const pathFunction = needs.path ? source.imported("path") : { name: "path", edits: [] };
  const style = { quote: source.quote, packageSet: set.name, pathFunction: pathFunction.name };
  const edits = [...pathFunction.edits, ...set.edits];
  if (found.kind !== "value") return edited(source, [...edits, ...defineMissing(source, found, path, printSource(value, style))], placeOf(found));
  const computed = findComputed(source, found.value);
  if (computed !== undefined) throw source.refuse(computed, `"${formatOptionPath(path)}" is computed here`);
  const step = stepTowards(source, found.value, value, style);
  return edited(source, step.length === 0 ? [] : [...edits, ...step], found.value.getStart());
}

function edited(source: ConfigSource, edits: readonly TextEdit[], offset: number): EditedConfig {
  return { text: applyEdits(source.text, edits), at: source.position(offset) };
}

type Missing = Exclude<Found, { readonly kind: "value" }>;

function placeOf(found: Missing): number {
  return (found.kind === "no-module" ? found.list : found.object).getStart();
}

/** A new property for what is missing of a path: `environment: { systemPackages: [pkgs.git] }`. */
function defineMissing(source: ConfigSource, found: Missing, path: readonly string[], printed: string): readonly TextEdit[] {
  const { quote } = source;
  const node = found.kind === "no-module" ? found.list : found.object;
  const nest = (names: readonly string[]): string => names.toReversed().reduce((inner, name, i) => {
    const index = /^\[\d+\]$/.test(name);
    if (index) throw source.refuse(node, `there is no list for "${name}"`);
    return i === 0 ? `${printName(name, quote)}: ${inner}` : `${printName(name, quote)}: { ${inner} }`;
  }, printed);
  if (found.kind === "no-module") {
    const definitions = `{ ${nest(path)} }`;
    return appendItems(source, found.list, [printed.includes("pkgs") ? `({ pkgs }) => (${definitions})` : definitions]);
  }
  const [first, ...others] = found.rest;
  if (source.hasNoDefinitions && first === "config") return appendItems(source, found.object, [`config: ({ pkgs }) => ({ ${nest(others)} })`.replace("({ pkgs })", printed.includes("pkgs") ? "({ pkgs })" : "()")]);
  return appendItems(source, found.object, [nest(found.rest)]);
}

function asList(source: ConfigSource, value: TypeScript.Expression, path: readonly string[]): TypeScript.ArrayLiteralExpression {
  if (source.ts.isArrayLiteralExpression(value)) return value;
  throw source.refuse(value, `the list "${formatOptionPath(path)}" is computed here`);
}

/** What of a value is not written out; undefined where all is. */
function findComputed(source: ConfigSource, node: TypeScript.Expression): TypeScript.Node | undefined {
  const { ts } = source;
  const value = source.unwrap(node);
  if (ts.isStringLiteral(value) || ts.isNoSubstitutionTemplateLiteral(value) || ts.isNumericLiteral(value)) return undefined;
  if ([ts.SyntaxKind.TrueKeyword, ts.SyntaxKind.FalseKeyword, ts.SyntaxKind.NullKeyword].includes(value.kind)) return undefined;
  if (ts.isPrefixUnaryExpression(value) && ts.isNumericLiteral(value.operand)) return undefined;
  if (packageName(source, value) !== undefined) return undefined;
  if (ts.isCallExpression(value) && value.expression.getText() === source.imported("path").name && value.arguments.every((argument) => ts.isStringLiteralLike(argument))) return undefined;
  if (ts.isArrayLiteralExpression(value)) return first(value.elements, (element) => (ts.isSpreadElement(element) ? element : findComputed(source, element)));
  if (ts.isObjectLiteralExpression(value)) return first(value.properties, (property) => (ts.isPropertyAssignment(property) && !ts.isComputedPropertyName(property.name) ? findComputed(source, property.initializer) : property));
  return value;
}

function first<T, R>(items: readonly T[], find: (item: T) => R | undefined): R | undefined {
  for (const item of items) {
    const found = find(item);
    if (found !== undefined) return found;
  }
  return undefined;
}

function notListed(source: ConfigSource, name: string, present: readonly string[], path: readonly string[], node: TypeScript.Node): TsosError {
  const near = findNearestName(name, present);
  return new TsosError({
    code: "edit.not-listed",
    message: `the package "${name}" is not in "${formatOptionPath(path)}" of this file`,
    hint: near === undefined ? (present.length === 0 ? "the file lists no packages there" : `the list has ${present.join(", ")}`) : `did you mean "${near}"?`,
    at: source.position(node.getStart()),
  });
}
