import { TsosError } from "../../error/tsos-error.ts";
import { compareUtf8 } from "../../util/ordering.ts";

/**
 * A source as data, in the names of Nix's input schemes: `{ type: "github", owner: "a", repo: "b", ref: "main" }`.
 * Numbers are whole and not negative.
 */
export type SourceAttributes = Readonly<Record<string, string | number | boolean>>;

/** @throws TsosError `source.bad-attribute` when it is there and no string */
export function findText(attributes: SourceAttributes, name: string): string | undefined {
  const value = attributes[name];
  if (value === undefined || typeof value === "string") return value;
  throw badAttribute(name, `a string ${JSON.stringify(sortAttributes(attributes))}`, value);
}

/** @throws TsosError `source.bad-attribute` when it is missing, or no string */
export function getText(attributes: SourceAttributes, name: string): string {
  const value = findText(attributes, name);
  if (value !== undefined) return value;
  throw new TsosError({ code: "source.bad-attribute", message: `input attribute '${name}' is missing`, data: { name } });
}

/** @throws TsosError `source.bad-attribute` */
export function findNumber(attributes: SourceAttributes, name: string): number | undefined {
  const value = attributes[name];
  if (value === undefined || typeof value === "number") return value;
  throw badAttribute(name, "an integer", value);
}

/** @throws TsosError `source.bad-attribute` */
export function findFlag(attributes: SourceAttributes, name: string): boolean | undefined {
  const value = attributes[name];
  if (value === undefined || typeof value === "boolean") return value;
  throw badAttribute(name, "a Boolean", value);
}

// In the reference's words: people search for them.
function badAttribute(name: string, expected: string, value: unknown): TsosError {
  return new TsosError({ code: "source.bad-attribute", message: `input attribute '${name}' is not ${expected}`, data: { name, value } });
}

/** The same with its names in order; what is `undefined` is left out. */
export function sortAttributes(attributes: Readonly<Record<string, string | number | boolean | undefined>>): SourceAttributes {
  const sorted: Record<string, string | number | boolean> = {};
  for (const name of Object.keys(attributes).sort(compareUtf8)) {
    const value = attributes[name];
    if (value !== undefined) sorted[name] = value;
  }
  return sorted;
}

/** Without some of the names. */
export function withoutAttributes(attributes: SourceAttributes, ...names: readonly string[]): SourceAttributes {
  return Object.fromEntries(Object.entries(attributes).filter(([name]) => !names.includes(name)));
}

export function equalAttributes(a: SourceAttributes, b: SourceAttributes): boolean {
  return JSON.stringify(sortAttributes(a)) === JSON.stringify(sortAttributes(b));
}
