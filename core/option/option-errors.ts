import { TsosError } from "../error/tsos-error.ts";
import { findNearestName } from "../util/suggest.ts";
import type { DefinitionSite, RawDefinition } from "./definition.ts";
import type { OptionType } from "./option-type.ts";
import { isPackageValue } from "./foreign-types.ts";
import { formatOptionPath } from "./option-path.ts";
import { isPlainObject } from "./plain-object.ts";
import { previewValue } from "./preview-value.ts";

/** What an error's `data` says of a definition: with it `core/config` finds file, line and column. */
export type DefinitionData = {
  readonly module: string;
  readonly file: string | undefined;
  /** The stack at which the module was made. */
  readonly stack: string | undefined;
  /** The path of the property in what the module returned. */
  readonly path: readonly string[];
  readonly priority: number;
  /** One line, cut where it is long. */
  readonly value: string;
};

export type DeclarationData = Omit<DefinitionData, "priority" | "value">;

/** Where an error belongs: the option, and where it is declared. */
export type ErrorPlace = { readonly path: readonly string[]; readonly declarations: readonly DefinitionSite[] };

export function siteData(site: DefinitionSite): DeclarationData {
  return { module: site.module.label, file: site.module.file, stack: site.module.stack, path: site.path };
}

export function definitionData(definition: RawDefinition): DefinitionData {
  return { ...siteData(definition.site), priority: definition.priority, value: previewValue(definition.value) };
}

function optionData(place: ErrorPlace, definitions: readonly RawDefinition[]): Readonly<Record<string, unknown>> {
  return {
    optionPath: place.path,
    definitions: definitions.map(definitionData),
    declaredAt: place.declarations.map(siteData),
  };
}

/** What a module may not write: the value is not of the option's type. */
export function wrongType(place: ErrorPlace, type: OptionType, definition: RawDefinition, detail?: string): TsosError {
  return new TsosError({
    code: "option.wrong-type",
    message: `the option "${formatOptionPath(place.path)}" must be ${withArticle(type.description)}, got ${previewValue(definition.value)}${detail === undefined ? "" : `: ${detail}`}`,
    hint: hintFor(place, type, definition.value),
    data: { ...optionData(place, [definition]), expected: type.description },
  });
}

/** `mkIf("yes", …)`: what is around a definition is not what it must be. */
export function wrongModifier({ expected, got }: { readonly expected: string; readonly got: unknown }, place: ErrorPlace, definition: RawDefinition): TsosError {
  return new TsosError({
    code: "option.wrong-modifier",
    message: `a definition of "${formatOptionPath(place.path)}" is wrong: ${expected}, got ${previewValue(got)}`,
    data: optionData(place, [definition]),
  });
}

// Enough to find the value by; the rest says the same again and again.
const SHOWN_NAMES = 6;

/** A value that refers to itself, or data that no one wrote by hand. */
export function nestedTooDeep(place: ErrorPlace, definitions: readonly RawDefinition[]): TsosError {
  const path = place.path.slice(0, SHOWN_NAMES);
  return new TsosError({
    code: "option.too-deep",
    message: `the value at "${formatOptionPath(path)}" is nested more than ${place.path.length - 1} levels deep; expected data that does not refer to itself`,
    data: { optionPath: path, definitions: definitions.map(({ site }) => ({ ...siteData(site), path: site.path.slice(0, SHOWN_NAMES) })) },
  });
}

/** What a beginner writes in place of a package, a file, a number or one of some values. */
function hintFor(place: ErrorPlace, type: OptionType, value: unknown): string | undefined {
  if (value === undefined) return "a list has no absent items: lib.optionals(condition, [item]) leaves one out";
  if (value instanceof Promise) return "an evaluation is synchronous: write the value itself, nothing has to be waited for";
  const prototype: unknown = typeof value === "object" && value !== null ? Object.getPrototypeOf(value) : Object.prototype;
  if (prototype !== Object.prototype && isSetType(type)) return isPlainObject(prototype) ? 'the name __proto__ is written ["__proto__"]: without brackets it is no property' : "write an object of its own: { … }";
  if (isPackageValue(value) && mentions(type, "shellPackage")) {
    return `the package ${value.name} has no shellPath, so it is no login shell; pkgs.bash is one, and any program is a path: \`\${pkgs.x}/bin/x\``;
  }
  const item = type.name === "listOf" ? type.nested[0] : undefined;
  if (item !== undefined && !Array.isArray(value)) {
    const meant = typeof value === "string" && /^-?\d+(\.\d+)?$/.test(value) && item.check(Number(value)) ? Number(value) : value;
    if (item.check(meant)) return `put it into a list: [${typeof meant === "object" ? "…" : JSON.stringify(meant)}]`;
  }
  if (Array.isArray(value) && value.length > 0 && value.every((one: unknown) => type.check(one))) return hintForList(place, type, value);
  const tag = type.name === "attrTag" && typeof value === "object" && value !== null ? Object.keys(value) : [];
  if (tag.length === 1) return didYouMean(findNearestName(tag[0]!, Object.keys(type.payload as object)));
  if (typeof value !== "string") return undefined;
  if (/\bpackage\b/.test(type.description) && /^[A-Za-z][\w-]*$/.test(value)) return `write pkgs.${value}, without quotes`;
  if (/\bpath\b/.test(type.description) && /^\.{1,2}\//.test(value)) return `write path(${JSON.stringify(value)}), which copies it to the store`;
  if (/\b(integer|number|float)\b/.test(type.description) && /^-?\d+(\.\d+)?$/.test(value)) return `write ${value}, without quotes`;
  if (/\bboolean\b/.test(type.description) && /^(true|false)$/.test(value)) return `write ${value}, without quotes`;
  return didYouMean(findNearestName(value, choicesOf(type).filter((choice) => typeof choice === "string")));
}

function didYouMean(nearest: string | undefined): string | undefined {
  return nearest === undefined ? undefined : `did you mean ${JSON.stringify(nearest)}?`;
}

/** A list of what the option, or the item of a list, takes one of. */
function hintForList({ path }: ErrorPlace, type: OptionType, value: readonly unknown[]): string {
  if (/^\[\d+\]$/.test(path.at(-1) ?? "")) return "a list in a list: write ...list for its items, or leave the inner brackets out";
  if (value.length === 1) return "leave the brackets out";
  const separator = /^separatedString (".*")$/.exec(type.name)?.[1];
  return separator === undefined ? "the option takes one of them, not a list" : `join them: [ … ].join(${separator})`;
}

function mentions(type: OptionType, name: string): boolean {
  return type.name === name || type.nested.some((inner) => mentions(inner, name));
}

function isSetType(type: OptionType): boolean {
  return /^(submodule|attrsOf|lazyAttrsOf)$/.test(type.name) || type.nested.some((inner) => type.name !== "listOf" && isSetType(inner));
}

/** The values of an enum, and of those that are one of several types. */
function choicesOf(type: OptionType): readonly unknown[] {
  if (type.name === "enum" && Array.isArray(type.payload)) return type.payload;
  return /^(nullOr|either|oneOf)$/.test(type.name) ? type.nested.flatMap(choicesOf) : [];
}

/** Several definitions of the same priority whose values differ. */
export function conflict(place: ErrorPlace, definitions: readonly RawDefinition[], detail?: string): TsosError {
  const values = definitions.map((definition) => `${previewValue(definition.value)} (${definition.site.module.label})`);
  return new TsosError({
    code: "option.conflict",
    message: `the option "${formatOptionPath(place.path)}" has conflicting definitions: ${values.join(", ")}${detail === undefined ? "" : `; ${detail}`}`,
    hint: "keep one of them, or let one win with lib.mkForce(value), or give way with lib.mkDefault(value)",
    data: optionData(place, definitions),
  });
}

/** A value that can come from one module only. */
export function definedMoreThanOnce(place: ErrorPlace, definitions: readonly RawDefinition[], message?: string): TsosError {
  return new TsosError({
    code: "option.defined-twice",
    message: `the option "${formatOptionPath(place.path)}" can have only one definition, got ${definitions.length}${message === undefined || message === "" ? "" : `: ${message}`}`,
    hint: "keep one of them, or let one win with lib.mkForce(value)",
    data: optionData(place, definitions),
  });
}

export function readOnlyOption(place: ErrorPlace, definitions: readonly RawDefinition[]): TsosError {
  return new TsosError({
    code: "option.read-only",
    message: `the option "${formatOptionPath(place.path)}" is read-only, but it is set ${definitions.length} times`,
    data: optionData(place, definitions),
  });
}

export function notDefined(place: ErrorPlace): TsosError {
  const path = formatOptionPath(place.path);
  return new TsosError({
    code: "option.not-defined",
    message: `the option "${path}" is used, but it has no value: no module defines it and it has no default`,
    hint: `define ${path} in your configuration`,
    data: optionData(place, []),
  });
}

/** A definition or a read of what is not declared. */
export function unknownOption(
  path: readonly string[],
  names: readonly string[],
  definition: RawDefinition | undefined,
): TsosError {
  const siblings = names.filter((sibling) => sibling !== "_module");
  const name = path.at(-1) ?? "";
  const parent = path.slice(0, -1);
  const nearest = findNearestName(name, siblings);
  const listed = siblings.length <= 20 ? siblings : [...siblings.slice(0, 20), "…"];
  const where = parent.length === 0 ? "the options are" : `"${formatOptionPath(parent)}" has`;
  return new TsosError({
    code: "option.unknown",
    message: `the option "${formatOptionPath(path)}" does not exist`,
    hint: [
      nearest === undefined ? undefined : `did you mean "${formatOptionPath([...parent, nearest])}"?`,
      siblings.length === 0 ? undefined : `${where} ${listed.join(", ")}`,
    ].filter((line) => line !== undefined).join(" ") || undefined,
    data: { optionPath: path, definitions: definition === undefined ? [] : [definitionData(definition)], nearest, siblings },
  });
}

/** A value where a set of options is: `services: 3`. */
export function notASet(path: readonly string[], definition: RawDefinition): TsosError {
  return new TsosError({
    code: "option.not-a-set",
    message: `"${formatOptionPath(path)}" is a set of options, got ${previewValue(definition.value)}; expected an object`,
    data: { optionPath: path, definitions: [definitionData(definition)] },
  });
}

export function withArticle(description: string): string {
  return /^(one of|impossible|an? |the |anything|any |attrs|unspecified|null or|raw|strings |lines )/i.test(description) || /^\(/.test(description)
    ? description
    : `${/^[aeiou](?!n?i[qt])/i.test(description) || /^8/.test(description) ? "an" : "a"} ${description}`;
}
