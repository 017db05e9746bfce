import type { DefinitionSite } from "./definition.ts";

/** The key under which a modified definition carries what modifies it; no user's key can be it. */
export const MODIFIER: unique symbol = Symbol("tsos.modifier");

declare const CONTENT: unique symbol;

/**
 * A definition of a `T` with a condition, a priority or a place in the order: what the functions below return. To the
 * type checker it is a kind of symbol: so a literal beside it is compared with `T` alone, and a name that is none of
 * `T`'s is told with the nearest one.
 */
export type Modified<T> = symbol & ModifiedContent<T>;

export interface ModifiedContent<out T> extends ModifierCarrier {
  /** For the type checker alone; there is no such property. */
  readonly [CONTENT]: T;
}

export interface ModifierCarrier {
  readonly [MODIFIER]: Modifier;
  /** For the type checker alone. An editor that lists the names of an object looks only into what is plain data, which is quick. */
  new (content: never): never;
}

/** A modified definition of whatever type. */
export type AnyModified = symbol & ModifierCarrier;

/** A `T`, or one that is modified. */
export type Definable<T> = T | Modified<T>;

/** Where a forwarded definition was written: an alias passes it on. */
export type ForwardedFrom = DefinitionSite;

export type Modifier =
  | { readonly kind: "if"; readonly condition: boolean; readonly content: unknown }
  | { readonly kind: "merge"; readonly contents: readonly unknown[] }
  | { readonly kind: "override"; readonly priority: number; readonly content: unknown }
  | { readonly kind: "order"; readonly order: number; readonly content: unknown }
  | { readonly kind: "assert"; readonly condition: boolean; readonly message: string; readonly content: unknown }
  | { readonly kind: "forward"; readonly from: ForwardedFrom; readonly content: unknown }
  /** One of the functions below was called wrongly: told where the option is known. */
  | { readonly kind: "wrong"; readonly expected: string; readonly got: unknown; readonly content: unknown };

const modifiers = new WeakSet<Modifier>();

/** The lower number wins. Nix: lib/modules.nix */
export const PRIORITY = {
  vmOverride: 10,
  force: 50,
  imageMediaOverride: 60,
  plain: 100,
  default: 1000,
  moduleDefault: 1400,
  optionDefault: 1500,
} as const;

/** The lower number comes first. */
export const ORDER = { before: 500, plain: 1000, after: 1500 } as const;

/** The modifier of `value`, or undefined when it is a plain definition. */
export function findModifier(value: unknown): Modifier | undefined {
  const modifier = typeof value === "object" && value !== null ? (value as Partial<Modified<unknown>>)[MODIFIER] : undefined;
  // A proxy answers for every name.
  return modifier === undefined || !modifiers.has(modifier) ? undefined : modifier;
}

export function modified<T>(modifier: Modifier): Modified<T> {
  // The other property of the interface is a phantom.
  modifiers.add(modifier);
  return Object.freeze({ [MODIFIER]: Object.freeze(modifier) }) as Modified<T>;
}

function wrongly<T>(expected: string, got: unknown, content: unknown): Modified<T> {
  return modified({ kind: "wrong", expected, got, content });
}

// The parameters are not inferred from: the place where the result goes says what `T` is, and so a typo inside
// is an error at its own property. `NoInfer` would keep its own mark, under which an editor sees no values of an enumeration.
type Content<T> = Late<T> | Modified<Late<T>>;
type Late<T> = [T][T extends unknown ? 0 : never];

/**
 * A definition that counts only if `condition` holds.
 * @example
 * networking: lib.mkIf(config.services.nginx.enable, { firewall: { allowedTCPPorts: [80] } })
 */
export function mkIf<T>(condition: boolean, content: Content<T>): Modified<T> {
  if (typeof condition !== "boolean") {
    return wrongly("the condition of mkIf must be a boolean", condition, content);
  }
  return modified({ kind: "if", condition, content });
}

/** Several definitions of one option, or of a tree of options, as if each stood in a module of its own. */
export function mkMerge<T>(contents: readonly Content<T>[]): Modified<T> {
  if (!Array.isArray(contents)) return wrongly("mkMerge takes a list of definitions", contents, contents);
  return modified({ kind: "merge", contents });
}

/** A definition with a priority: of several, those with the lowest number are merged and the rest dropped. */
export function mkOverride<T>(priority: number, content: Content<T>): Modified<T> {
  if (typeof priority !== "number" || Number.isNaN(priority)) return wrongly("the priority of mkOverride must be a number", priority, content);
  return modified({ kind: "override", priority, content });
}

/** The priority of an option's own default, 1500. */
export function mkOptionDefault<T>(content: Content<T>): Modified<T> {
  return mkOverride<T>(PRIORITY.optionDefault, content);
}

/** A value that any plain definition replaces: priority 1000. */
export function mkDefault<T>(content: Content<T>): Modified<T> {
  return mkOverride<T>(PRIORITY.default, content);
}

/** A value that replaces plain definitions: priority 50. */
export function mkForce<T>(content: Content<T>): Modified<T> {
  return mkOverride<T>(PRIORITY.force, content);
}

/** The priority of images' own settings, 60. */
export function mkImageMediaOverride<T>(content: Content<T>): Modified<T> {
  return mkOverride<T>(PRIORITY.imageMediaOverride, content);
}

/** The priority of virtual machines' own settings, 10. */
export function mkVMOverride<T>(content: Content<T>): Modified<T> {
  return mkOverride<T>(PRIORITY.vmOverride, content);
}

/** A definition with a place among the others of a list or of lines: the lower number first, 1000 the default. */
export function mkOrder<T>(order: number, content: Content<T>): Modified<T> {
  if (typeof order !== "number" || Number.isNaN(order)) return wrongly("the order of mkOrder must be a number", order, content);
  return modified({ kind: "order", order, content });
}

/** Before the others: order 500. */
export function mkBefore<T>(content: Content<T>): Modified<T> {
  return mkOrder<T>(ORDER.before, content);
}

/** After the others: order 1500. */
export function mkAfter<T>(content: Content<T>): Modified<T> {
  return mkOrder<T>(ORDER.after, content);
}

/** A definition that may be used only if `condition` holds; else the configuration fails with `message`. */
export function mkAssert<T>(condition: boolean, message: string, content: Content<T>): Modified<T> {
  if (typeof condition !== "boolean") return wrongly("the condition of mkAssert must be a boolean", condition, content);
  return modified({ kind: "assert", condition, message, content });
}

/** A definition that keeps the place where it was first written. */
export function mkForwarded(from: ForwardedFrom, content: unknown): Modified<unknown> {
  return modified({ kind: "forward", from, content });
}
