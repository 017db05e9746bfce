import { TsosError } from "../error/tsos-error.ts";
import { fromByteString } from "../util/bytes.ts";
import { attributeTree, type AttributeEntry } from "./attribute-tree.ts";
import { printComment, printLeading } from "./comments.ts";
import { bare, type ConcreteAttributes, type ConcreteExpression } from "./concrete-syntax.ts";
import { convertInherited, convertObject } from "./convert-attributes.ts";
import { convertBindings } from "./convert-bindings.ts";
import { spreadList } from "./convert-list.ts";
import type { Converter, Place } from "./converter.ts";
import { scopeOfWith } from "./known-values.ts";
import { empty, hard, indent, join, type Layout } from "./layout.ts";
import { at, Strength } from "./printed.ts";
import type { Scope } from "./scope.ts";
import { propertyName } from "./typescript-names.ts";

/** Lists of `mkShell` that hold packages. Nix: pkgs/build-support/mkshell */
const PACKAGE_LISTS = new Set(["packages", "buildInputs", "nativeBuildInputs", "propagatedBuildInputs", "propagatedNativeBuildInputs"]);
const SHELL_FUNCTIONS = new Set(["mkShell", "mkShellNoCC"]);

/**
 * `mkShell { … }` as `defineShell`, with `pkgs` the packages of the input.
 *
 * @throws TsosError `convert.no-shell` where the file makes no shell by `mkShell`
 */
export function convertShell(converter: Converter, expression: ConcreteExpression): Layout {
  const outside: Layout[] = [];
  const statements: Layout[] = [];
  const packages: Scope = { kind: "names", names: new Map([["pkgs", { text: "pkgs", role: "packages", isLate: false, isNative: false }], ["nixpkgs", { text: "inputs.nixpkgs", role: "other", isLate: false, isNative: false }]]), parent: undefined };
  let place: Place = { scope: packages, isDeferred: false };
  let e = bare(expression);
  for (;;) {
    if (e.kind === "lambda") {
      // Its arguments are the packages, or have defaults that nobody overrides.
      for (const formal of e.formals?.list ?? []) {
        if (formal.name === "pkgs" || formal.default === undefined) continue;
        place = convertBindings(converter, [{ kind: "attribute", path: [{ kind: "static", name: formal.name, start: formal.start, end: formal.end }], value: formal.default, start: formal.start, end: formal.end }], place, statements);
      }
      e = bare(e.body);
    } else if (e.kind === "let") {
      const bindings = e.bindings.filter((binding) => !(binding.kind === "attribute" && binding.path.length === 1 && isPackageSet(binding.value) && (binding.path[0] as { readonly name?: string }).name === "pkgs"));
      place = convertBindings(converter, bindings, place, statements);
      e = bare(e.body);
    } else if (e.kind === "with" && isPackageSet(e.of)) {
      place = { ...place, scope: { kind: "with", of: e.of, variable: { text: "pkgs", role: "packages", isLate: false, isNative: false }, parent: place.scope } };
      e = bare(e.body);
    } else if (e.kind === "with") {
      const inner = scopeOfWith(converter, e, place);
      if (inner === undefined) throw noShell();
      place = inner;
      e = bare(e.body);
    } else break;
  }
  const call = e.kind === "call" ? e : undefined;
  const callee = call === undefined ? undefined : bare(call.function);
  const name = callee?.kind === "variable" ? callee.name : callee?.kind === "select" ? (callee.path[0] as { readonly name?: string }).name : undefined;
  const set = call === undefined ? undefined : bare(call.arguments[0]!);
  if (name === undefined || !SHELL_FUNCTIONS.has(name) || set?.kind !== "attributes") throw noShell();
  converter.needs.imports.add("defineShell");
  const body = convertSet(converter, set, place, name);
  const head = "({ pkgs: { nixpkgs: pkgs } }) => ";
  const arrow: Layout = statements.length === 0 ? [head, "(", body, ")"] : [head, "{", indent([...statements.flatMap((one): Layout[] => [hard, one]), hard, "return ", body, ";"]), hard, "}"];
  return join([...outside, ["export default defineShell({", indent([hard, "inputs,", hard, "config: ", arrow, ","]), hard, "});"]], [hard, hard]);
}

function isPackageSet(e: ConcreteExpression): boolean {
  const plain = bare(e);
  if (plain.kind === "call") {
    const callee = bare(plain.function);
    return callee.kind === "variable" && callee.name === "import" && ["search-path", "variable"].includes(bare(plain.arguments[0]!).kind);
  }
  return plain.kind === "variable" && plain.name === "pkgs";
}

function convertSet(converter: Converter, set: ConcreteAttributes, place: Place, maker: string): Layout {
  const properties: Layout[] = [];
  const environment: Layout[] = [];
  const lists: { readonly entry: AttributeEntry; readonly layouts: Layout[] }[] = [];
  let listAt = -1;
  let isSpaced = false;
  const around = (entry: AttributeEntry, body: () => Layout): Layout => {
    const comments = entry.items.map((item) => converter.comments.of(item));
    isSpaced = comments[0]?.emptyBefore === true;
    const { result, notes } = converter.noting(body);
    const trailing = comments.flatMap((one) => (one.trailing === undefined ? [] : [" ", printComment(one.trailing)]));
    return [isSpaced && properties.length > 0 ? empty : "", hard, ...comments.flatMap(({ leading }) => printLeading(leading)), ...notes, result, ",", ...trailing];
  };
  if (maker === "mkShell") properties.push("");
  for (const entry of attributeTree(set.bindings)) {
    const name = entry.name.kind === "static" ? fromByteString(entry.name.name) : undefined;
    const value = entry.value;
    const convert = (): Layout => {
      if (Array.isArray(value)) return convertObject(converter, value, entry.sets, place).layout;
      if (value.kind === "inherited") return convertInherited(converter, entry.name.kind === "static" ? entry.name.name : "", value.from, entry.name, place);
      return at(Strength.arrow, converter.convert(value, place));
    };
    if (name !== undefined && PACKAGE_LISTS.has(name) && !Array.isArray(value) && value.kind !== "inherited") {
      if (listAt < 0) {
        listAt = properties.length;
        properties.push("");
      }
      lists.push({ entry, layouts: [] });
    } else if (name === "shellHook") properties.push(around(entry, () => ["shellHook: ", convert()]));
    else if (name === "name" || name === "inputsFrom") properties.push(around(entry, () => [`${name}: `, convert()]));
    else if (name === "env" && Array.isArray(value)) for (const inner of value) environment.push(around(inner, () => [propertyName(inner.name.kind === "static" ? inner.name.name : ""), ": ", Array.isArray(inner.value) || inner.value.kind === "inherited" ? "" : at(Strength.arrow, converter.convert(inner.value, place))]));
    else if (name !== undefined) environment.push(around(entry, () => [propertyName(entry.name.kind === "static" ? entry.name.name : ""), ": ", convert()]));
  }
  if (lists.length === 1) {
    const [{ entry }] = lists as [(typeof lists)[number]];
    properties[listAt] = around(entry, () => ["packages: ", at(Strength.arrow, converter.convert(entry.value as ConcreteExpression, place))]);
  } else if (lists.length > 1) {
    const notes: Layout[] = [];
    const items = lists.flatMap(({ entry }) => {
      const found = converter.noting(() => spreadList(converter, entry.value as ConcreteExpression, place));
      for (const item of entry.items) {
        const { leading, trailing } = converter.comments.of(item);
        notes.push(...printLeading(trailing === undefined ? leading : [...leading, trailing]));
      }
      notes.push(...found.notes);
      return found.result;
    });
    properties[listAt] = [hard, ...notes, "packages: [", indent(items.flatMap((item): Layout[] => [hard, item, ","])), hard, "],"];
  }
  if (environment.length > 0) properties.push([hard, "env: {", indent(environment), hard, "},"]);
  const dangling = converter.comments.dangling(set).flatMap((comment): Layout[] => [hard, printComment(comment)]);
  return ["{", indent([...properties, ...dangling]), hard, "}"];
}

function noShell(): TsosError {
  return new TsosError({ code: "convert.no-shell", message: "the file makes no shell by mkShell", hint: "tsos shell enters it as it is: nothing has to be converted" });
}
