import { TsosError } from "../../core/error/tsos-error.ts";
import { formatOptionPath } from "../../core/option/option-path.ts";
import { findNearestName } from "../../core/util/suggest.ts";
import { ANY_ITEM } from "./describe-options.ts";
import type { ValueType } from "./parse-value.ts";

/** A set of the Nix language. */
export type NixView = Readonly<Record<string, unknown>>;

export type FoundNixOption =
  | { readonly kind: "branch"; readonly node: unknown }
  | {
      readonly kind: "option";
      /** The innermost option on the way: it declares what stands at the path. */
      readonly option: NixView;
      /** The option of the tree that holds it, perhaps the same, and how long the path of that is. */
      readonly whole: NixView;
      readonly wholeLength: number;
      /** How many names of the path are inside the innermost option's value. */
      readonly inside: number;
      readonly type: ValueType;
    };

export function isNixOption(value: unknown): value is NixView {
  return isNixView(value) && has(value, "_type") && value["_type"] === "option";
}

export function isNixView(value: unknown): value is NixView {
  return typeof value === "object" && value !== null;
}

/**
 * What a Nix module system declares at a path, through the types of options that hold others. `<name>` and `<item>` stand
 * for any.
 *
 * @throws TsosError `option.unknown` with the nearest name
 */
export function findNixOption(options: unknown, path: readonly string[]): FoundNixOption {
  const found = findInTree(options, path, 0);
  if (found !== undefined) return found;
  throw unknownOption(options, path);
}

type InTree = FoundNixOption | undefined;

function findInTree(tree: unknown, path: readonly string[], from: number): InTree {
  let node = tree;
  for (let i = from; i < path.length; i++) {
    const name = path[i]!;
    if (!isNixView(node) || name === "_module" || !has(node, name)) return undefined;
    node = node[name];
    if (!isNixOption(node)) continue;
    const option = node;
    const around = { option, whole: option, wholeLength: i + 1 };
    const type = typeOf(option);
    const inner = i + 1 === path.length ? { kind: "option" as const, ...around, inside: 0, type: readNixType(type) } : findInType(type, path, i + 1, around);
    return inner?.kind === "option" ? { ...inner, whole: option, wholeLength: i + 1 } : inner;
  }
  return { kind: "branch", node };
}

/** What a value of this type holds at the rest of a path; undefined where nothing may stand there. */
function findInType(type: NixView | undefined, path: readonly string[], from: number, around: Pick<FoundNixOption & { kind: "option" }, "option" | "whole" | "wholeLength">): InTree {
  const end = (): InTree => ({ kind: "option", ...around, inside: path.length - around.wholeLength, type: readNixType(type) });
  if (from === path.length || type === undefined) return end();
  const name = String(type["name"]);
  const isIndex = path[from] === ANY_ITEM || /^\[\d+\]$/.test(path[from]!);
  const nested = nestedTypes(type);
  if (name === "submodule") {
    const options = (type["getSubOptions"] as (path: readonly string[]) => unknown)([]);
    const found = findInTree(options, path, from);
    return found ?? (nested["freeformType"] === undefined ? undefined : findInType(nested["freeformType"], path, from, around));
  }
  if (/^(?:nonEmptyL|l)istOf$/.test(name)) return isIndex ? findInType(nested["elemType"], path, from + 1, around) : undefined;
  if (HOLDS_NAMES.test(name)) return isIndex ? undefined : findInType(nested["elemType"], path, from + 1, around);
  if (OPEN.has(name)) return { ...end()!, type: ANYTHING } as InTree;
  for (const inner of Object.values(nested)) {
    const found = findInType(inner, path, from, around);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Sets whose names anybody chooses; `dagOf` is home-manager's. */
const HOLDS_NAMES = /^(?:attrsOf|lazyAttrsOf|loaOf|dagOf)$/;

/** Types that say nothing of what is inside. */
const OPEN: ReadonlySet<string> = new Set(["anything", "attrs", "raw", "unspecified"]);

const ANYTHING: ValueType = { name: "anything", description: "anything", check: () => true, nested: [], payload: undefined };

function typeOf(option: NixView): NixView | undefined {
  const type = has(option, "type") ? option["type"] : undefined;
  return isNixView(type) ? type : undefined;
}

/** The types that a type is made of, by their names there; those that a value may be come in the order of trying. */
function nestedTypes(type: NixView): Readonly<Record<string, NixView>> {
  const nested = has(type, "nestedTypes") ? type["nestedTypes"] : undefined;
  if (!isNixView(nested)) return {};
  return Object.fromEntries(Object.keys(nested).flatMap((name) => (isNixView(nested[name]) ? [[name, nested[name]]] : [])));
}

/** A type of NixOS for reading what a person typed: what it checks is what NixOS checks. */
export function readNixType(type: NixView | undefined): ValueType {
  if (type === undefined) return ANYTHING;
  const name = String(type["name"]);
  return {
    name,
    description: has(type, "description") && type["description"] !== null ? String(type["description"]) : name,
    // A check may look into what was given to it.
    check: (value) => has(type, "check") && (type["check"] as (value: unknown) => unknown)(value) === true,
    get nested() {
      return Object.values(nestedTypes(type)).map(readNixType);
    },
    get payload() {
      const functor = has(type, "functor") ? type["functor"] : undefined;
      const payload = isNixView(functor) && has(functor, "payload") ? functor["payload"] : undefined;
      const values = isNixView(payload) && !Array.isArray(payload) && has(payload, "values") ? payload["values"] : payload;
      return Array.isArray(values) ? [...(values as readonly unknown[])] : [];
    },
  };
}

function has(set: NixView, name: string): boolean {
  return name in set;
}

function unknownOption(options: unknown, path: readonly string[]): TsosError {
  let node = options;
  let i = 0;
  for (; i < path.length; i++) {
    if (!isNixView(node) || isNixOption(node) || !has(node, path[i]!)) break;
    node = node[path[i]!];
  }
  // Inside an option's value it is told by the whole path alone.
  const near = isNixView(node) && !isNixOption(node) ? findNearestName(path[i] ?? "", Object.keys(node)) : undefined;
  return new TsosError({
    code: "option.unknown",
    message: `the option "${formatOptionPath(path)}" does not exist`,
    hint: near === undefined ? `tsos option search ${path.at(-1) ?? ""} looks for it` : `did you mean "${formatOptionPath([...path.slice(0, i), near])}"?`,
    data: { optionPath: path },
  });
}
