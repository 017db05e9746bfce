import type { ByteString } from "../util/bytes.ts";
import { childrenOf, type ConcreteAttributes, type ConcreteBinding, type ConcreteExpression } from "./concrete-syntax.ts";
import { variableName } from "./typescript-names.ts";

/** What is known of a variable beside its name. */
export type Variable = {
  /** In TypeScript. */
  readonly text: string;
  /** What the convention makes of it: nixpkgs' library, a set of packages. */
  readonly role: "lib" | "packages" | "other";
  /** Depends on the configuration, so that it may not be known while a module runs. */
  readonly isLate: boolean;
  /** Of a function that is written here: how many arguments it takes at once. */
  readonly arity?: number | undefined;
  /** A list or set of TypeScript, not one of the Nix language. */
  readonly isNative: boolean;
  /** The function of nixpkgs' library that it is. */
  readonly known?: string | undefined;
  /** The variable that its text names, where that is another one. */
  readonly owner?: Variable | undefined;
};

/** Names that are seen, the innermost first. */
export type Scope =
  | { readonly kind: "names"; readonly names: ReadonlyMap<ByteString, Variable>; readonly parent: Scope | undefined }
  | { readonly kind: "with"; readonly variable: Variable; readonly of: ConcreteExpression; readonly parent: Scope | undefined };

/** Those that are there without being bound. Nix: libexpr/primops */
export const GLOBALS: ReadonlySet<ByteString> = new Set(
  "true false null builtins abort baseNameOf break derivation derivationStrict dirOf fetchGit fetchMercurial fetchTarball fetchTree fromTOML import isNull map placeholder removeAttrs scopedImport throw toString __add __sub __mul __div __lessThan __curPos".split(" "),
);

export type Found = { readonly kind: "variable"; readonly variable: Variable } | { readonly kind: "global" } | { readonly kind: "with"; readonly scopes: readonly (Scope & { readonly kind: "with" })[] } | { readonly kind: "unknown" };

export function find(name: ByteString, scope: Scope | undefined): Found {
  const withs: (Scope & { readonly kind: "with" })[] = [];
  for (let at = scope; at !== undefined; at = at.parent) {
    if (at.kind === "with") withs.push(at);
    else {
      const variable = at.names.get(name);
      if (variable !== undefined) return { kind: "variable", variable };
    }
  }
  if (GLOBALS.has(name)) return { kind: "global" };
  return withs.length > 0 ? { kind: "with", scopes: withs } : { kind: "unknown" };
}

/** The names that an expression takes from around it; also those that a `with` inside of it may have. */
export function freeVariables(e: ConcreteExpression): ReadonlySet<ByteString> {
  const found = new Set<ByteString>();
  collect(e, new Set(), found);
  return found;
}

function collect(e: ConcreteExpression, bound: ReadonlySet<ByteString>, found: Set<ByteString>): void {
  switch (e.kind) {
    case "variable":
      if (!bound.has(e.name)) found.add(e.name);
      return;
    case "lambda": {
      const inner = new Set(bound);
      if (e.argument !== undefined) inner.add(e.argument);
      for (const formal of e.formals?.list ?? []) inner.add(formal.name);
      for (const child of childrenOf(e)) collect(child, inner, found);
      return;
    }
    case "let":
    case "attributes": {
      const isRecursive = e.kind === "let" || e.recursive;
      const inner = isRecursive ? new Set([...bound, ...boundNames(e.bindings)]) : bound;
      for (const binding of e.bindings) {
        if (binding.kind === "inherit" && binding.from === undefined) {
          for (const { name } of binding.names) if (!bound.has(name)) found.add(name);
        }
      }
      for (const child of childrenOf(e)) collect(child, inner, found);
      return;
    }
    default:
      for (const child of childrenOf(e)) collect(child, bound, found);
  }
}

/** What the bindings of a `let` or a recursive set bind. */
export function boundNames(bindings: readonly ConcreteBinding[]): ReadonlySet<ByteString> {
  const names = new Set<ByteString>();
  for (const binding of bindings) {
    if (binding.kind === "inherit") for (const { name } of binding.names) names.add(name);
    else if (binding.path[0]!.kind === "static") names.add(binding.path[0]!.name);
  }
  return names;
}

/** Whether a recursive set needs to be one. */
export function refersToItself(e: ConcreteAttributes): boolean {
  const names = boundNames(e.bindings);
  return [...childrenOf(e)].some((child) => [...freeVariables(child)].some((name) => names.has(name)));
}

/** All names that the file binds somewhere, as TypeScript has them. */
export function allBoundNames(e: ConcreteExpression): ReadonlySet<string> {
  const names = new Set<string>();
  const visit = (one: ConcreteExpression): void => {
    if (one.kind === "let" || (one.kind === "attributes" && one.recursive)) for (const name of boundNames(one.bindings)) names.add(variableName(name));
    if (one.kind === "lambda") for (const name of [one.argument, ...(one.formals?.list ?? []).map((formal) => formal.name)]) if (name !== undefined) names.add(variableName(name));
    for (const child of childrenOf(one)) visit(child);
  };
  visit(e);
  return names;
}
