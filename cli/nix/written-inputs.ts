import type { ts as TypeScript } from "ts-morph";
import { SOURCE_FUNCTIONS } from "../../core/convert/convert-project.ts";

/**
 * The inputs that a configuration's text says, by their names: what each is in TypeScript, where it stands for itself, made
 * of nothing but literals and tsos' own functions. Of other texts none.
 */
export async function writtenInputs(text: string): Promise<ReadonlyMap<string, string>> {
  const { ts } = await import("ts-morph");
  const source = ts.createSourceFile("config.ts", text, ts.ScriptTarget.Latest, true);
  const found = new Map<string, string>();
  const visit = (node: TypeScript.Node): void => {
    const object = inputsObject(ts, node);
    if (object === undefined) return ts.forEachChild(node, visit);
    for (const property of object.properties) {
      if (!ts.isPropertyAssignment(property) || !(ts.isIdentifier(property.name) || ts.isStringLiteral(property.name))) continue;
      if (isSelfContained(ts, property.initializer)) found.set(property.name.text, property.initializer.getText(source));
    }
  };
  visit(source);
  return found;
}

/** `defineInputs({ … })`, or `inputs: { … }` of a configuration. */
function inputsObject(ts: typeof TypeScript, node: TypeScript.Node): TypeScript.ObjectLiteralExpression | undefined {
  const value = ts.isCallExpression(node) && node.expression.getText() === "defineInputs" ? node.arguments[0] : ts.isPropertyAssignment(node) && node.name.getText() === "inputs" ? node.initializer : undefined;
  return value !== undefined && ts.isObjectLiteralExpression(value) ? value : undefined;
}

const FUNCTIONS: ReadonlySet<string> = new Set(SOURCE_FUNCTIONS);

function isSelfContained(ts: typeof TypeScript, value: TypeScript.Expression): boolean {
  if (ts.isStringLiteral(value) || ts.isNumericLiteral(value) || value.kind === ts.SyntaxKind.TrueKeyword || value.kind === ts.SyntaxKind.FalseKeyword) return true;
  if (ts.isArrayLiteralExpression(value)) return value.elements.every((element) => isSelfContained(ts, element));
  if (ts.isObjectLiteralExpression(value)) return value.properties.every((property) => ts.isPropertyAssignment(property) && !ts.isComputedPropertyName(property.name) && isSelfContained(ts, property.initializer));
  return ts.isCallExpression(value) && ts.isIdentifier(value.expression) && FUNCTIONS.has(value.expression.text) && value.arguments.every((argument) => isSelfContained(ts, argument));
}
