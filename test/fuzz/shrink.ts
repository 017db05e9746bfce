import { printExpression, type Expression } from "./generate-expression.ts";

const SIMPLE = ["null", "1", '""', "[ ]", "{ }", "true"];

/** Every expression that is this one with one part made smaller. */
export function smaller(expression: Expression): string[] {
  const results = new Set<string>();
  const visit = (node: Expression, around: (text: string) => string): void => {
    const text = printExpression(node);
    node.parts.forEach((part, index) => {
      if (typeof part === "string") return;
      results.add(around(printExpression(part)));
      const before = node.parts.slice(0, index).map((other) => (typeof other === "string" ? other : printExpression(other))).join("");
      const after = node.parts.slice(index + 1).map((other) => (typeof other === "string" ? other : printExpression(other))).join("");
      visit(part, (inner) => around(before + inner + after));
    });
    if (text.length > 6) for (const simple of SIMPLE) results.add(around(simple));
  };
  visit(expression, (text) => text);
  // A text in pieces: without some of them.
  if (expression.parts.every((part) => typeof part === "string")) {
    for (let size = expression.parts.length >> 1; size > 0; size >>= 1) {
      for (let at = 0; at < expression.parts.length; at += size) results.add(expression.parts.toSpliced(at, size).join(""));
    }
  }
  return [...results];
}
