import { Attrs, Builtin, NixFloat, NixPath, NixString, PartialBuiltin, type Value } from "./value.ts";

/** As `typeOf` names it, functions of all kinds as `lambda`. */
export function typeName(value: Value): string {
  if (value === null) return "null";
  if (typeof value === "boolean") return "bool";
  if (typeof value === "number" || typeof value === "bigint") return "int";
  if (typeof value === "string" || value instanceof NixString) return "string";
  if (value instanceof NixFloat) return "float";
  if (value instanceof NixPath) return "path";
  if (Array.isArray(value)) return "list";
  if (value instanceof Attrs) return "set";
  return "lambda";
}

/** With its article, as in `expected a set but found an integer`. */
export function showType(value: Value): string {
  if (value instanceof Builtin) return `the built-in function '${value.name}'`;
  if (value instanceof PartialBuiltin) return `the partially applied built-in function '${value.builtin.name}'`;
  if (value instanceof NixString && value.context.size > 0) return "a string with context";
  switch (typeName(value)) {
    case "int": return "an integer";
    case "bool": return "a Boolean";
    case "string": return "a string";
    case "path": return "a path";
    case "null": return "null";
    case "set": return "a set";
    case "list": return "a list";
    case "float": return "a float";
    default: return "a function";
  }
}
