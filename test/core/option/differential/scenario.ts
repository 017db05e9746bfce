/**
 * A set of modules that can be written both as tsos's and as Nix's: what both make of it is compared. Values read
 * only options of the tree `base`, which are defined once and always have a value, so that it makes no difference
 * that one side looks at a definition which the other never needs.
 */

/** What a value's condition asks for. */
export type Condition = boolean | { readonly read: "base.flag" | "base.number"; readonly equals: boolean | number };

export type Value =
  | { readonly kind: "literal"; readonly value: null | boolean | number | string }
  | { readonly kind: "list"; readonly items: readonly Value[] }
  | { readonly kind: "set"; readonly entries: readonly (readonly [string, Value])[] }
  | { readonly kind: "if"; readonly condition: Condition; readonly content: Value }
  | { readonly kind: "merge"; readonly items: readonly Value[] }
  | { readonly kind: "override"; readonly how: "mkForce" | "mkDefault" | "mkVMOverride" | "mkOptionDefault" | number; readonly content: Value }
  | { readonly kind: "order"; readonly how: "mkBefore" | "mkAfter" | number; readonly content: Value }
  | { readonly kind: "assert"; readonly condition: Condition; readonly content: Value }
  /** An option that always has a value. */
  | { readonly kind: "read"; readonly name: "flag" | "number" | "text" }
  /** A submodule's definition as a function of its name. */
  | { readonly kind: "function"; readonly content: Value }
  /** Inside a function: the name of the submodule's value. */
  | { readonly kind: "name" }
  /** A function of one argument, for `functionTo`. */
  | { readonly kind: "lambda"; readonly content: Value };

export type Type =
  | { readonly kind: "plain"; readonly name: PlainType }
  | { readonly kind: "enum"; readonly values: readonly (string | number)[] }
  | { readonly kind: "between"; readonly lowest: number; readonly highest: number }
  | { readonly kind: "strMatching"; readonly pattern: string }
  | { readonly kind: "separatedString"; readonly separator: string }
  | { readonly kind: "of"; readonly name: "listOf" | "nonEmptyListOf" | "attrsOf" | "lazyAttrsOf" | "nullOr" | "uniq" | "functionTo"; readonly element: Type }
  | { readonly kind: "either"; readonly first: Type; readonly second: Type }
  /** From a string to a list of it. */
  | { readonly kind: "coerced"; readonly to: Type }
  | { readonly kind: "attrTag"; readonly tags: readonly (readonly [string, OptionDeclaration])[] }
  | { readonly kind: "submodule"; readonly body: ModuleBody; readonly shorthand: boolean };

export type PlainType =
  | "bool" | "boolByOr" | "int" | "str" | "lines" | "commas" | "anything" | "unspecified" | "raw" | "path"
  | "nonEmptyStr" | "singleLineStr" | "port" | "number" | "positive" | "unsigned" | "s8" | "u8" | "attrs" | "json";

export type OptionDeclaration = {
  readonly type: Type;
  readonly default?: Value | undefined;
  readonly apply?: "wrap" | "call" | undefined;
  readonly readOnly?: boolean;
  readonly description?: string;
};

/** Options by path, and definitions. */
export type ModuleBody = {
  readonly options: readonly (readonly [readonly string[], OptionDeclaration])[];
  readonly config: Value | undefined;
  readonly freeform?: Type | undefined;
};

export type Rename =
  | { readonly kind: "renamed" | "alias"; readonly from: readonly string[]; readonly to: readonly string[] }
  | { readonly kind: "removed"; readonly from: readonly string[] }
  /** The new value is the list of the old ones, null for what nobody defines. */
  | { readonly kind: "merged"; readonly from: readonly (readonly string[])[]; readonly to: readonly string[] };

export type ScenarioModule = {
  readonly key: string;
  readonly body: ModuleBody;
  readonly imports: readonly string[];
  readonly disabled: readonly string[];
  readonly renames: readonly Rename[];
};

export type Scenario = {
  /** The roots first, all others are imported by name. */
  readonly modules: readonly ScenarioModule[];
  readonly roots: readonly string[];
};
