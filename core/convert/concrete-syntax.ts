import type { ByteString } from "../util/bytes.ts";

/** Where something stands: byte offsets. */
type Span = { readonly start: number; readonly end: number };

export type ConcreteName = Span & ({ readonly kind: "static"; readonly name: ByteString } | { readonly kind: "dynamic"; readonly expression: ConcreteExpression });

export type ConcreteBinding =
  | (Span & { readonly kind: "attribute"; readonly path: readonly ConcreteName[]; readonly value: ConcreteExpression })
  | (Span & { readonly kind: "inherit"; readonly from: ConcreteExpression | undefined; readonly names: readonly (Span & { readonly name: ByteString })[] });

export type ConcreteFormal = Span & { readonly name: ByteString; readonly default: ConcreteExpression | undefined };

/** A piece of a string: text as it means it, or an interpolation. */
export type ConcretePart = { readonly kind: "text"; readonly text: ByteString } | { readonly kind: "expression"; readonly value: ConcreteExpression };

export type ConcreteAttributes = Span & { readonly kind: "attributes"; readonly recursive: boolean; readonly bindings: readonly ConcreteBinding[] };

export type ConcreteLambda = Span & {
  readonly kind: "lambda";
  readonly argument: ByteString | undefined;
  readonly formals: { readonly list: readonly ConcreteFormal[]; readonly ellipsis: boolean } | undefined;
  readonly body: ConcreteExpression;
};

/**
 * The language as it is written: unlike what the evaluator parses, with parentheses, paths of attributes, the kinds of
 * strings and the place of everything, so that comments can be attached again.
 */
export type ConcreteExpression = Span &
  (
    | { readonly kind: "number"; readonly text: ByteString; readonly isFloat: boolean }
    | { readonly kind: "string"; readonly indented: boolean; readonly parts: readonly ConcretePart[] }
    | { readonly kind: "path"; readonly literal: ByteString; readonly parts: readonly ConcretePart[] }
    | { readonly kind: "search-path"; readonly path: ByteString }
    | { readonly kind: "variable"; readonly name: ByteString }
    | { readonly kind: "select"; readonly of: ConcreteExpression; readonly path: readonly ConcreteName[]; readonly default: ConcreteExpression | undefined }
    | { readonly kind: "has"; readonly of: ConcreteExpression; readonly path: readonly ConcreteName[] }
    | ConcreteAttributes
    | { readonly kind: "list"; readonly elements: readonly ConcreteExpression[] }
    | ConcreteLambda
    | { readonly kind: "call"; readonly function: ConcreteExpression; readonly arguments: readonly ConcreteExpression[] }
    | { readonly kind: "let"; readonly bindings: readonly ConcreteBinding[]; readonly body: ConcreteExpression }
    | { readonly kind: "with"; readonly of: ConcreteExpression; readonly body: ConcreteExpression }
    | { readonly kind: "if"; readonly condition: ConcreteExpression; readonly then: ConcreteExpression; readonly else: ConcreteExpression }
    | { readonly kind: "assert"; readonly condition: ConcreteExpression; readonly body: ConcreteExpression }
    | { readonly kind: "unary"; readonly operator: "!" | "-"; readonly of: ConcreteExpression }
    | { readonly kind: "binary"; readonly operator: string; readonly left: ConcreteExpression; readonly right: ConcreteExpression }
    | { readonly kind: "parentheses"; readonly of: ConcreteExpression }
  );

/** A comment, and what is before and after it on its lines. */
export type ConcreteComment = Span & {
  readonly text: ByteString;
  /** Whether nothing but white space is before it on its line. */
  readonly ownLine: boolean;
};

export type ConcreteFile = { readonly text: ByteString; readonly expression: ConcreteExpression; readonly comments: readonly ConcreteComment[] };

/** What is inside an expression and is evaluated, in the order of the text. */
export function* childrenOf(e: ConcreteExpression): Generator<ConcreteExpression> {
  switch (e.kind) {
    case "string":
    case "path":
      for (const part of e.parts) if (part.kind === "expression") yield part.value;
      return;
    case "select":
    case "has":
      yield e.of;
      yield* dynamicNames(e.path);
      if (e.kind === "select" && e.default !== undefined) yield e.default;
      return;
    case "attributes":
      yield* bindingChildren(e.bindings);
      return;
    case "list":
      yield* e.elements;
      return;
    case "lambda":
      for (const formal of e.formals?.list ?? []) if (formal.default !== undefined) yield formal.default;
      yield e.body;
      return;
    case "call":
      yield e.function;
      yield* e.arguments;
      return;
    case "let":
      yield* bindingChildren(e.bindings);
      yield e.body;
      return;
    case "with":
      yield e.of;
      yield e.body;
      return;
    case "if":
      yield e.condition;
      yield e.then;
      yield e.else;
      return;
    case "assert":
      yield e.condition;
      yield e.body;
      return;
    case "unary":
    case "parentheses":
      yield e.of;
      return;
    case "binary":
      yield e.left;
      yield e.right;
      return;
    default:
  }
}

function* dynamicNames(path: readonly ConcreteName[]): Generator<ConcreteExpression> {
  for (const name of path) if (name.kind === "dynamic") yield name.expression;
}

function* bindingChildren(bindings: readonly ConcreteBinding[]): Generator<ConcreteExpression> {
  for (const binding of bindings) {
    if (binding.kind === "inherit") {
      if (binding.from !== undefined) yield binding.from;
    } else {
      yield* dynamicNames(binding.path);
      yield binding.value;
    }
  }
}

/** Without the parentheses around it. */
export function bare(e: ConcreteExpression): ConcreteExpression {
  while (e.kind === "parentheses") e = e.of;
  return e;
}

export function staticName(name: ConcreteName | undefined): string | undefined {
  return name?.kind === "static" ? name.name : undefined;
}

export function isStatic(name: ConcreteName | undefined, text: string): boolean {
  return staticName(name) === text;
}

/** `a: b: body` is one function of two arguments. */
export function lambdaChain(e: ConcreteLambda): { readonly parameters: readonly ConcreteLambda[]; readonly body: ConcreteExpression } {
  const parameters = [e];
  let body = bare(e.body);
  while (body.kind === "lambda") {
    parameters.push(body);
    body = bare(body.body);
  }
  return { parameters, body: parameters.at(-1)!.body };
}
