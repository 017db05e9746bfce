import { attributeTree } from "./attribute-tree.ts";
import { printComment } from "./comments.ts";
import { bare, type ConcreteExpression } from "./concrete-syntax.ts";
import { convertObject } from "./convert-attributes.ts";
import { convertBindings } from "./convert-bindings.ts";
import { convertNot } from "./convert-operator.ts";
import type { Converter, Place } from "./converter.ts";
import { describe, scopeOfWith } from "./known-values.ts";
import { group, hard, ifBroken, indent, join, line, type Layout } from "./layout.ts";
import { at, Strength } from "./printed.ts";
import { boundNames, find, refersToItself } from "./scope.ts";
import { propertyName, quote, variableName } from "./typescript-names.ts";

/** `{ const …; return …; }` */
export function convertBlock(converter: Converter, e: ConcreteExpression, place: Place): { readonly layout: Layout; readonly statements: readonly Layout[] } {
  const statements: Layout[] = [];
  const { inner, value } = convertStatements(converter, e, place, statements);
  const { result, notes } = converter.noting(() => (value === undefined ? undefined : converter.convert(value, inner)));
  if (result !== undefined) statements.push([...notes, "return ", at(Strength.arrow, result), ";"]);
  return { layout: braces(statements), statements };
}

/**
 * What must be done before a value: `let`, `assert`, a recursive set. What is left has the names of these.
 *
 * @returns `value` undefined where the statements return it themselves
 */
export function convertStatements(converter: Converter, e: ConcreteExpression, place: Place, into: Layout[]): { readonly inner: Place; readonly value: ConcreteExpression | undefined } {
  let inner = place;
  let value = e;
  const bound = new Set<string>();
  for (;;) {
    const plain = bare(value);
    if (plain.kind === "let") {
      const names = [...boundNames(plain.bindings)].map((name) => converter.name(name));
      if (names.some((name) => bound.has(name))) return { inner, value };
      for (const name of names) bound.add(name);
      inner = convertBindings(converter, plain.bindings, inner, into);
      for (const comment of converter.comments.dangling(plain)) into.push(printComment(comment));
      value = plain.body;
    } else if (plain.kind === "with") {
      const scoped = scopeOfWith(converter, plain, inner);
      if (scoped === undefined) {
        // A set without a name gets one.
        const text = converter.name("scope");
        if (bound.has(text)) return { inner, value };
        bound.add(text);
        const { result, notes } = converter.noting(() => converter.convert(plain.of, inner));
        into.push([...notes, `const ${text}: NixValue = `, at(Strength.arrow, result), ";"]);
        inner = { ...inner, scope: { kind: "with", of: { kind: "variable", name: "scope", start: plain.of.start, end: plain.of.end }, variable: { ...describe(converter, plain.of, inner), text }, parent: inner.scope } };
      } else inner = scoped;
      value = plain.body;
    } else if (plain.kind === "assert") {
      const { result, notes } = converter.noting(() => convertNot(converter, plain.condition, inner));
      into.push([...notes, "if (", result.layout, `) throw new Error(${quote(`assertion '${converter.source(plain.condition)}' failed`)});`]);
      value = plain.body;
    } else if (plain.kind === "attributes" && plain.recursive && refersToItself(plain)) {
      inner = convertBindings(converter, plain.bindings, inner, into);
      const names = [...boundNames(plain.bindings)];
      const scope = inner.scope;
      const dynamic = plain.bindings.filter((binding) => binding.kind === "attribute" && binding.path[0]!.kind === "dynamic");
      const rest = attributeTree(dynamic);
      const own = names.map((name): Layout => {
        const found = find(name, scope);
        const text = found.kind === "variable" ? found.variable.text : variableName(name);
        const key = propertyName(name);
        return key === text ? key : `${key}: ${text}`;
      });
      const more = rest.length === 0 ? [] : [["...", convertObject(converter, rest, [], inner).layout]];
      into.push(["return ", group(["{", indent([line, join([...own, ...more], [",", line])]), ifBroken(","), line, "}"]), ";"]);
      return { inner, value: undefined };
    } else return { inner, value };
  }
}

export function needsBlock(e: ConcreteExpression, converter: Converter, place: Place): boolean {
  const plain = bare(e);
  if (plain.kind === "let" || plain.kind === "assert") return true;
  if (plain.kind === "with") {
    const inner = scopeOfWith(converter, plain, place);
    return inner === undefined || needsBlock(plain.body, converter, inner);
  }
  return plain.kind === "attributes" && plain.recursive && refersToItself(plain);
}

export function braces(statements: readonly Layout[]): Layout {
  return ["{", indent(statements.flatMap((statement): Layout[] => [hard, statement])), hard, "}"];
}
