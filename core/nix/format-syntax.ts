import type { ByteString } from "../util/bytes.ts";
import { unreachable } from "../util/unreachable.ts";
import { formatFloat } from "./format-float.ts";
import { formatIdentifier, formatStringLiteral } from "./format-literal.ts";
import type { AttributeName, AttributeSet, Expression, Lambda } from "./syntax.ts";

/** As `nix-instantiate --parse` prints an expression. */
export function formatSyntax(expression: Expression): ByteString {
  const out: string[] = [];
  show(expression, out);
  return out.join("");
}

export function formatAttributePath(path: readonly AttributeName[]): ByteString {
  return path.map((part) => (part.kind === "static" ? formatIdentifier(part.name) : `"\${${formatSyntax(part.expression)}}"`)).join(".");
}

function show(e: Expression, out: string[]): void {
  switch (e.kind) {
    case "int":
      out.push(String(e.value));
      return;
    case "float":
      out.push(formatFloat(e.value));
      return;
    case "string":
      out.push(formatStringLiteral(e.value));
      return;
    case "path":
      out.push(e.value);
      return;
    case "var":
      out.push(formatIdentifier(e.name));
      return;
    case "select":
      out.push("(");
      show(e.of, out);
      out.push(").", formatAttributePath(e.path));
      if (e.default !== undefined) {
        out.push(" or (");
        show(e.default, out);
        out.push(")");
      }
      return;
    case "inherit-from":
      out.push("(/* expanded inherit (expr) */)");
      return;
    case "has":
      out.push("((");
      show(e.of, out);
      out.push(") ? ", formatAttributePath(e.path), ")");
      return;
    case "attrs":
      out.push(e.recursive ? "rec { " : "{ ");
      showBindings(e, out);
      out.push("}");
      return;
    case "list":
      out.push("[ ");
      for (const element of e.elements) {
        out.push("(");
        show(element, out);
        out.push(") ");
      }
      out.push("]");
      return;
    case "lambda":
      showLambda(e, out);
      return;
    case "call":
      out.push("(");
      show(e.function, out);
      for (const argument of e.arguments) {
        out.push(" ");
        show(argument, out);
      }
      out.push(")");
      return;
    case "let":
      out.push("(let ");
      showBindings(e.attributes, out);
      out.push("in ");
      show(e.body, out);
      out.push(")");
      return;
    case "with":
      out.push("(with ");
      show(e.attributes, out);
      out.push("; ");
      show(e.body, out);
      out.push(")");
      return;
    case "if":
      out.push("(if ");
      show(e.condition, out);
      out.push(" then ");
      show(e.then, out);
      out.push(" else ");
      show(e.else, out);
      out.push(")");
      return;
    case "assert":
      out.push("assert ");
      show(e.condition, out);
      out.push("; ");
      show(e.body, out);
      return;
    case "not":
      out.push("(! ");
      show(e.of, out);
      out.push(")");
      return;
    case "binary":
      out.push("(");
      show(e.left, out);
      out.push(` ${e.operator} `);
      show(e.right, out);
      out.push(")");
      return;
    case "concat":
      out.push("(");
      e.parts.forEach((part, index) => {
        if (index > 0) out.push(" + ");
        show(part.value, out);
      });
      out.push(")");
      return;
    case "current-position":
      out.push("__curPos");
      return;
    default:
      unreachable(e);
  }
}

function showBindings(set: AttributeSet, out: string[]): void {
  const sorted = [...set.attributes].sort((a, b) => (a[0] < b[0] ? -1 : 1));
  const inherited = sorted.filter(([, definition]) => definition.kind === "inherited").map(([name]) => ` ${formatIdentifier(name)}`);
  if (inherited.length > 0) out.push("inherit", ...inherited, "; ");
  set.inheritFrom.forEach((from, index) => {
    const names = sorted.filter(([, definition]) => definition.kind === "inherited-from" && definition.from === index).map(([name]) => ` ${formatIdentifier(name)}`);
    if (names.length === 0) return;
    out.push("inherit (");
    show(from, out);
    out.push(")", ...names, "; ");
  });
  for (const [name, definition] of sorted) {
    if (definition.kind !== "plain") continue;
    out.push(formatIdentifier(name), " = ");
    show(definition.value, out);
    out.push("; ");
  }
  for (const attribute of set.dynamic) {
    out.push('"${');
    show(attribute.name, out);
    out.push('}" = ');
    show(attribute.value, out);
    out.push("; ");
  }
}

function showLambda(e: Lambda, out: string[]): void {
  out.push("(");
  if (e.formals !== undefined) {
    out.push("{ ");
    const sorted = [...e.formals.list].sort((a, b) => (a.name < b.name ? -1 : 1));
    sorted.forEach((formal, index) => {
      out.push(index > 0 ? ", " : "", formatIdentifier(formal.name));
      if (formal.default !== undefined) {
        out.push(" ? ");
        show(formal.default, out);
      }
    });
    if (e.formals.ellipsis) out.push(sorted.length > 0 ? ", ..." : "...");
    out.push(" }");
    if (e.argument !== undefined) out.push(" @ ");
  }
  if (e.argument !== undefined) out.push(formatIdentifier(e.argument));
  out.push(": ");
  show(e.body, out);
  out.push(")");
}
