import { formatPinnedType } from "./format-option-types.ts";
import type { PinnedOptions, PinnedType } from "./pinned-tree-expression.ts";

/** One option of a pinned tree, as people look for it. */
export type ListedOption = {
  /** `<name>` stands for any name of a set, `<item>` for any item of a list. */
  readonly path: readonly string[];
  /** In NixOS' own words: `null or list of string`. */
  readonly type: string;
  readonly typescript: string;
  readonly description: string | undefined;
  /** Relative to the tree. */
  readonly file: string | undefined;
  readonly readOnly: boolean;
  /** In the Nix language, or in words. */
  readonly default: string | undefined;
  readonly example: string | undefined;
};

/** All options of a tree with those inside of submodules, in the order of the tree. */
export function listPinnedOptions(options: PinnedOptions, prefix: readonly string[] = []): readonly ListedOption[] {
  return Object.entries(options).flatMap(([name, inner]) => {
    const path = [...prefix, name];
    if ("c" in inner) return listPinnedOptions(inner.c, path);
    const { t = { n: "unspecified" }, d, p, r, v, x } = inner.o;
    const { within, inside } = enter(t);
    return [
      { path, type: describePinnedType(t), typescript: formatPinnedType(t), description: d ?? undefined, file: p ?? undefined, readOnly: r === true, default: v, example: x },
      ...(inside === undefined ? [] : listPinnedOptions(inside, [...path, ...within])),
    ];
  });
}

/** The options that a type's values have in turn, and the places that are between. */
function enter(t: PinnedType): { readonly within: readonly string[]; readonly inside: PinnedOptions | undefined } {
  if (t.s !== undefined) return { within: [], inside: t.s };
  if (t.e === undefined) return { within: [], inside: undefined };
  const { within, inside } = enter(t.e);
  const place = /^(?:attrsOf|lazyAttrsOf|loaOf|dagOf)$/.test(t.n) ? ["<name>"] : /^(?:nonEmptyL|l)istOf$/.test(t.n) ? ["<item>"] : [];
  return { within: [...place, ...within], inside };
}

const WORDS: Readonly<Record<string, string>> = {
  bool: "boolean",
  boolByOr: "boolean (merged using or)",
  int: "signed integer",
  positiveInt: "positive integer, meaning >0",
  unsignedInt: "unsigned integer, meaning >=0",
  float: "floating point number",
  str: "string",
  singleLineStr: "(optionally newline-terminated) single-line string",
  nonEmptyStr: "non-empty string",
  lines: "strings concatenated with \"\\n\"",
  path: "absolute path",
  pathInStore: "path in the Nix store",
  package: "package",
  anything: "anything",
  unspecified: "unspecified value",
  unknown: "unspecified value",
  attrs: "attribute set",
  system: "a system of NixOS",
};

/** A type in words, as NixOS' manual has them. */
export function describePinnedType(t: PinnedType): string {
  const word = WORDS[t.n];
  if (word !== undefined) return word;
  const of = (inner: PinnedType | undefined): string => {
    const text = inner === undefined ? "unspecified value" : describePinnedType(inner);
    return text.includes(" or ") || text.includes(", ") ? `(${text})` : text;
  };
  switch (t.n) {
    case "enum":
      return (t.v ?? []).length === 0 ? "one of several values" : `one of ${(t.v ?? []).map((value) => JSON.stringify(value)).join(", ")}`;
    case "submodule":
      return t.f === true ? "open submodule" : "submodule";
    case "nullOr":
      return `null or ${t.e === undefined ? "unspecified value" : describePinnedType(t.e)}`;
    case "listOf":
    case "nonEmptyListOf":
      return `${t.n === "listOf" ? "" : "non-empty "}list of ${of(t.e)}`;
    case "attrsOf":
      return `attribute set of ${of(t.e)}`;
    case "lazyAttrsOf":
      return `lazy attribute set of ${of(t.e)}`;
    case "either":
      return t.a === undefined ? t.n : `${of(t.a[0])} or ${of(t.a[1])}`;
    case "coercedTo":
      return t.a === undefined ? t.n : `${of(t.a[1])} or ${of(t.a[0])} convertible to it`;
    default:
      return t.e === undefined ? t.n : `${t.n} of ${of(t.e)}`;
  }
}
