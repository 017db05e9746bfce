import type { ByteString } from "../util/bytes.ts";
import { bare, childrenOf, type ConcreteExpression } from "./concrete-syntax.ts";

/** Names whose values are asked for attributes that may not be there, or that have computed names. */
export function findLoose(e: ConcreteExpression): ReadonlySet<ByteString> {
  const loose = new Set<ByteString>();
  const visit = (one: ConcreteExpression): void => {
    if ((one.kind === "select" && (one.default !== undefined || one.path.some((name) => name.kind === "dynamic"))) || one.kind === "has") {
      const of = bare(one.of);
      if (of.kind === "variable") loose.add(of.name);
    }
    if (one.kind === "binary" && (one.operator === "==" || one.operator === "!=")) for (const side of [bare(one.left), bare(one.right)]) if (side.kind === "variable") loose.add(side.name);
    for (const child of childrenOf(one)) visit(child);
  };
  visit(e);
  return loose;
}
