import { ts } from "@ts-morph/common";

const MAX_LINES = 12;
const MAX_WIDTH = 400;

/**
 * What an editor shows of an option: its description, its default and its example, from the declaration's
 * own text. What is computed is shown as it is written.
 */
export function documentOption(checker: ts.TypeChecker, symbol: ts.Symbol): readonly string[] {
  const attributes = attributesOf(symbol.valueDeclaration);
  const comment = ts.displayPartsToString(symbol.getDocumentationComment(checker));
  if (attributes === undefined) return toLines(comment);
  const description = textOf(checker, attributes.get("description")) ?? comment;
  const lines = [...toLines(description)];
  const defaultText = textOf(checker, attributes.get("defaultText")) ?? sourceOf(attributes.get("default"));
  if (defaultText !== undefined) lines.push(...tagged("@default", defaultText));
  const example = sourceOf(attributes.get("example"));
  if (example !== undefined) lines.push(...tagged("@example", example));
  return lines;
}

function tagged(tag: string, code: string): readonly string[] {
  // The editor shows what follows these tags as code.
  const lines = code.split("\n");
  return lines.length === 1 ? [`${tag} ${lines[0]}`] : [tag, ...lines];
}

/** The properties of the object that `option(type, { … })` is given. */
function attributesOf(declaration: ts.Declaration | undefined): ReadonlyMap<string, ts.Expression> | undefined {
  if (declaration === undefined || !ts.isPropertyAssignment(declaration)) return undefined;
  const call = declaration.initializer;
  if (!ts.isCallExpression(call)) return undefined;
  const object = call.arguments[1];
  const found = new Map<string, ts.Expression>();
  if (object === undefined || !ts.isObjectLiteralExpression(object)) return found;
  for (const property of object.properties) {
    if (ts.isPropertyAssignment(property) && (ts.isIdentifier(property.name) || ts.isStringLiteral(property.name))) {
      found.set(property.name.text, property.initializer);
    }
  }
  return found;
}

/** The text that an expression stands for, where it can be told without running it. */
function textOf(checker: ts.TypeChecker, expression: ts.Expression | undefined): string | undefined {
  if (expression === undefined) return undefined;
  if (ts.isStringLiteralLike(expression)) return expression.text;
  if (ts.isParenthesizedExpression(expression)) return textOf(checker, expression.expression);
  if (ts.isBinaryExpression(expression) && expression.operatorToken.kind === ts.SyntaxKind.PlusToken) {
    const left = textOf(checker, expression.left);
    const right = textOf(checker, expression.right);
    return left === undefined || right === undefined ? undefined : left + right;
  }
  if (ts.isTemplateExpression(expression)) {
    let text = expression.head.text;
    for (const { expression: part, literal } of expression.templateSpans) {
      text += `${textOf(checker, part) ?? `\${${sourceOf(part)}}`}${literal.text}`;
    }
    return text;
  }
  const type = checker.getTypeAtLocation(expression);
  return type.isStringLiteral() || type.isNumberLiteral() ? String(type.value) : undefined;
}

/** An expression as it is written, without the indentation that it has there. */
function sourceOf(expression: ts.Expression | undefined): string | undefined {
  if (expression === undefined) return undefined;
  const source = expression.getSourceFile();
  const start = expression.getStart(source);
  const lineStart = source.text.lastIndexOf("\n", start - 1) + 1;
  const indentation = /^\s*/.exec(source.text.slice(lineStart, start))?.[0].length ?? 0;
  const lines = source.text.slice(start, expression.end).split("\n");
  return lines.map((line, i) => (i > 0 && line.slice(0, indentation).trim() === "" ? line.slice(indentation) : line)).join("\n");
}

function toLines(text: string): readonly string[] {
  return text === "" ? [] : text.trim().split("\n");
}

/** The lines of a comment that is safe to stand in a file: short, and ended by nothing inside. */
export function commentLines(lines: readonly string[]): readonly string[] {
  const cut = lines.length > MAX_LINES ? [...lines.slice(0, MAX_LINES), "…"] : lines;
  return cut.map((line) => (line.length > MAX_WIDTH ? `${line.slice(0, MAX_WIDTH)}…` : line).replaceAll("*/", "*\\/").trimEnd());
}
