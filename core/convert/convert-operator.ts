import { fromByteString } from "../util/bytes.ts";
import { attributeTree } from "./attribute-tree.ts";
import { bare, type ConcreteExpression } from "./concrete-syntax.ts";
import { convertEntry, hasComments } from "./convert-attributes.ts";
import { brackets, plainItem, spreadItems } from "./convert-list.ts";
import { convertInText, convertNamedPath, convertSearchPath } from "./convert-path.ts";
import { convertString } from "./convert-string.ts";
import type { Converter, Place } from "./converter.ts";
import { isIterable, isNative, knownFunction } from "./known-values.ts";
import { group, ifBroken, indent, join, line, type Layout } from "./layout.ts";
import { markNix } from "./mark-nix.ts";
import { libFunction } from "./nixpkgs-library.ts";
import { at, primary, Strength, type Printed } from "./printed.ts";

export function convertNot(converter: Converter, of: ConcreteExpression, place: Place): Printed {
  const inner = bare(of);
  if (inner.kind === "binary" && (inner.operator === "==" || inner.operator === "!=")) return convertBinary(converter, { ...inner, operator: inner.operator === "==" ? "!=" : "==" }, place);
  return { layout: ["!", at(Strength.unary, converter.convert(of, place))], strength: Strength.unary };
}

export function convertBinary(converter: Converter, e: ConcreteExpression & { readonly kind: "binary" }, place: Place): Printed {
  const both = (operator: string, strength: number, right = strength + 1): Printed => ({
    layout: group([at(strength, converter.convert(e.left, place)), ` ${operator}`, indent([line, at(right, converter.convert(e.right, place))])]),
    strength,
  });
  switch (e.operator) {
    case "&&":
      return both("&&", Strength.and, Strength.and);
    case "||":
      return both("||", Strength.or, Strength.or);
    case "->":
      return { layout: group([convertNot(converter, e.left, place).layout, " ||", line, at(Strength.or, converter.convert(e.right, place))]), strength: Strength.or };
    case "==":
    case "!=":
      return convertEquality(converter, e, place);
    case "<":
    case ">":
    case "<=":
    case ">=":
      return both(e.operator, Strength.relation);
    case "+":
      return convertSum(converter, e, place);
    case "-":
      return both("-", Strength.sum);
    case "*":
      return both("*", Strength.product);
    case "/": {
      const isFloat = [e.left, e.right].some((side) => bare(side).kind === "number" && (bare(side) as { readonly isFloat?: boolean }).isFloat === true);
      const quotient = both("/", Strength.product);
      return isFloat ? quotient : { layout: ["Math.trunc(", quotient.layout, ")"], strength: Strength.postfix };
    }
    case "++":
      return convertConcatenation(converter, e, place);
    case "//":
      return convertUpdate(converter, e, place);
    default:
      return markNix(converter, e, place, `the operator "${e.operator}"`);
  }
}

function convertEquality(converter: Converter, e: ConcreteExpression & { readonly kind: "binary" }, place: Place): Printed {
  const isEqual = e.operator === "==";
  const [left, right] = [bare(e.left), bare(e.right)];
  const emptySide = [left, right].find((side) => (side.kind === "list" && side.elements.length === 0) || (side.kind === "attributes" && side.bindings.length === 0));
  if (emptySide !== undefined) {
    const other = emptySide === left ? e.right : e.left;
    const value = converter.convert(other, place);
    const length: Layout = emptySide.kind === "list" ? [at(Strength.postfix, value), ".length"] : ["Object.keys(", value.layout, ").length"];
    return { layout: [length, isEqual ? " === 0" : " > 0"], strength: Strength.equality };
  }
  const isScalar = (side: ConcreteExpression): boolean => side.kind === "string" || side.kind === "number" || (side.kind === "variable" && ["true", "false", "null"].includes(side.name)) || (side.kind === "call" && ["toString", "length", "stringLength", "typeOf", "toLower"].includes(knownFunction(converter, side.function, place) ?? ""));
  const isStructure = (side: ConcreteExpression): boolean => side.kind === "list" || side.kind === "attributes";
  if (isStructure(left) || isStructure(right)) return markNix(converter, e, place, "a comparison of lists or sets");
  if (!isScalar(left) && !isScalar(right)) converter.needs.assumed.add(`${converter.source(e)} compares no lists or sets`);
  return { layout: group([at(Strength.equality, converter.convert(e.left, place)), isEqual ? " ===" : " !==", indent([line, at(Strength.equality + 1, converter.convert(e.right, place))])]), strength: Strength.equality };
}

function convertSum(converter: Converter, e: ConcreteExpression & { readonly kind: "binary" }, place: Place): Printed {
  const operands: ConcreteExpression[] = [];
  const collect = (side: ConcreteExpression): void => {
    const plain = bare(side);
    if (plain.kind === "binary" && plain.operator === "+") {
      collect(plain.left);
      collect(plain.right);
    } else operands.push(side);
  };
  collect(e);
  const [first] = operands.map(bare);
  if (first?.kind === "path" && first.parts.length === 0) {
    const rest = operands.slice(1).map(bare);
    if (rest.every((part) => part.kind === "string" && part.parts.every((piece) => piece.kind === "text"))) {
      const tail = rest.map((part) => (part.kind === "string" ? part.parts.map((piece) => (piece.kind === "text" ? fromByteString(piece.text) : "")).join("") : "")).join("");
      return convertNamedPath(converter, `${fromByteString(first.literal).replace(/\/\.?$/, "")}${tail}`, place);
    }
    return markNix(converter, e, place, "a path that is put together");
  }
  if (first?.kind === "search-path") {
    const [, second] = operands.map(bare);
    if (operands.length === 2 && second?.kind === "string" && second.parts.every((piece) => piece.kind === "text")) {
      const tail = second.parts.map((piece) => (piece.kind === "text" ? piece.text : "")).join("");
      return convertSearchPath(converter, { ...first, path: `${first.path}${tail}` }, place);
    }
  }
  // With a string among them it is a string.
  if (operands.some((operand) => bare(operand).kind === "string")) {
    const parts = operands.flatMap((operand) => {
      const plain = bare(operand);
      return plain.kind === "string" ? plain.parts : [{ kind: "expression", value: operand } as const];
    });
    return convertString(parts, operands.some((operand) => (bare(operand) as { readonly indented?: boolean }).indented === true), ({ value }) => convertInText(converter, value, place), () => converter.needs.imports.add("dedent"));
  }
  return { layout: group([at(Strength.sum, converter.convert(e.left, place)), " +", indent([line, at(Strength.sum + 1, converter.convert(e.right, place))])]), strength: Strength.sum };
}

function flatten(e: ConcreteExpression, operator: string): ConcreteExpression[] {
  const plain = bare(e);
  return plain.kind === "binary" && plain.operator === operator ? [...flatten(plain.left, operator), ...flatten(plain.right, operator)] : [e];
}

function convertConcatenation(converter: Converter, e: ConcreteExpression & { readonly kind: "binary" }, place: Place): Printed {
  const operands = flatten(e, "++");
  const isMixed = operands.some((operand) => !isIterable(converter, operand, place));
  const concat = isMixed ? libFunction(converter, "concatLists", place) : undefined;
  if (concat !== undefined) return { layout: [concat, "(", brackets(operands.map((operand) => plainItem(at(Strength.arrow, converter.convert(operand, place)))), [], false), ")"], strength: Strength.postfix };
  return primary(brackets(operands.flatMap((operand) => spreadItems(converter, operand, place)), [], false));
}

function convertUpdate(converter: Converter, e: ConcreteExpression & { readonly kind: "binary" }, place: Place): Printed {
  const operands = flatten(e, "//");
  const isMixed = operands.some((operand) => !isNative(converter, operand, place));
  const merge = isMixed ? libFunction(converter, operands.length === 2 ? "mergeAttrs" : "mergeAttrsList", place) : undefined;
  const converted = operands.map((operand) => converter.convert(operand, place));
  if (merge !== undefined) {
    const args = converted.map((one) => at(Strength.arrow, one));
    return { layout: operands.length === 2 ? [merge, "(", join(args, ", "), ")"] : [merge, "(", brackets(args.map(plainItem), [], false), ")"], strength: Strength.postfix };
  }
  // What is written out stands in the object itself, unless a name would stand there twice.
  const seen = new Set<string>();
  const parts = operands.map((operand, index): Layout => {
    const plain = bare(operand);
    const spread: Layout = ["...", at(Strength.unary, converted[index]!)];
    if (plain.kind !== "attributes" || plain.recursive || plain.bindings.length === 0 || converter.comments.dangling(plain).length > 0) return spread;
    const entries = attributeTree(plain.bindings);
    const names = entries.map(({ name }) => (name.kind === "static" ? name.name : undefined));
    if (names.some((name) => name === undefined || seen.has(name)) || entries.some((entry) => hasComments(converter, entry))) return spread;
    for (const name of names) seen.add(name!);
    return join(entries.map((entry) => convertEntry(converter, entry, place).layout), [",", line]);
  });
  return { ...primary(group(["{", indent([line, join(parts, [",", line])]), ifBroken(","), line, "}"])), isObject: true };
}
