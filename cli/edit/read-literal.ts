import type { ts as TypeScript } from "ts-morph";
import type { ValueSource } from "../../core/config/option-description.ts";
import type { ConfigSource } from "./config-source.ts";

/** The value that an expression spells; undefined where any of it is computed. */
export function readLiteral(source: ConfigSource, node: TypeScript.Expression): ValueSource | undefined {
  const { ts } = source;
  const value = source.unwrap(node);
  if (ts.isStringLiteral(value) || ts.isNoSubstitutionTemplateLiteral(value)) return { kind: "json", value: value.text };
  if (ts.isNumericLiteral(value)) return { kind: "json", value: Number(value.text) };
  if (value.kind === ts.SyntaxKind.TrueKeyword) return { kind: "json", value: true };
  if (value.kind === ts.SyntaxKind.FalseKeyword) return { kind: "json", value: false };
  if (value.kind === ts.SyntaxKind.NullKeyword) return { kind: "json", value: null };
  if (ts.isPrefixUnaryExpression(value) && value.operator === ts.SyntaxKind.MinusToken && ts.isNumericLiteral(value.operand)) return { kind: "json", value: -Number(value.operand.text) };
  const name = packageName(source, value);
  if (name !== undefined) return { kind: "package", name };
  if (ts.isCallExpression(value)) {
    const [argument] = value.arguments;
    const isPath = value.expression.getText() === source.imported("path").name && value.arguments.length === 1 && argument !== undefined && ts.isStringLiteralLike(argument);
    return isPath ? { kind: "path", path: argument.text } : undefined;
  }
  if (ts.isArrayLiteralExpression(value)) {
    const items = value.elements.map((element) => readLiteral(source, element));
    return items.every((item) => item !== undefined) ? { kind: "list", items } : undefined;
  }
  if (!ts.isObjectLiteralExpression(value)) return undefined;
  const entries: [string, ValueSource][] = [];
  for (const property of value.properties) {
    const inner = ts.isPropertyAssignment(property) && (ts.isIdentifier(property.name) || ts.isStringLiteralLike(property.name) || ts.isNumericLiteral(property.name)) ? readLiteral(source, property.initializer) : undefined;
    // Of two with one name the last would count.
    if (inner === undefined || property.name === undefined || !("text" in property.name) || entries.some(([other]) => other === property.name?.getText())) return undefined;
    entries.push([property.name.text, inner]);
  }
  return { kind: "object", entries };
}

/** The name of a package that is written as a name of the set: `pkgs.git`, `pkgs["7zip"]`. */
export function packageName(source: ConfigSource, node: TypeScript.Expression): string | undefined {
  const { ts } = source;
  const set = source.findPackageSet();
  const names: string[] = [];
  let current = source.unwrap(node);
  for (;;) {
    if (set !== undefined && names.length > 0 && current.getText() === set) return names.join(".");
    if (ts.isPropertyAccessExpression(current)) {
      names.unshift(current.name.text);
      current = current.expression;
    } else if (ts.isElementAccessExpression(current) && ts.isStringLiteralLike(current.argumentExpression)) {
      names.unshift(current.argumentExpression.text);
      current = current.expression;
    } else return undefined;
  }
}
