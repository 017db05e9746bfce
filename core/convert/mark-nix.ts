import { fromByteString } from "../util/bytes.ts";
import type { ConcreteExpression } from "./concrete-syntax.ts";
import type { Converter, Place } from "./converter.ts";
import { nameInWith } from "./known-values.ts";
import { hard, type Layout } from "./layout.ts";
import { Strength, type Printed } from "./printed.ts";
import { find, freeVariables } from "./scope.ts";
import { propertyName, quote } from "./typescript-names.ts";

/** The expression as it stands, evaluated by the Nix language. */
export function markNix(converter: Converter, e: ConcreteExpression, place: Place, reason: string): Printed {
  converter.needs.marks.push({ start: e.start, end: e.end, reason });
  converter.needs.imports.add("nixExpression");
  const source = dedentSource(converter.source(e));
  converter.note(`// Not converted: ${reason}. In Nix:`, hard, ...source.split("\n").flatMap((one): Layout[] => [`//   ${one}`.trimEnd(), hard]));
  const parameters: string[] = [];
  const values: string[] = [];
  for (const name of freeVariables(e)) {
    const found = find(name, place.scope);
    if (found.kind === "global" || found.kind === "unknown") continue;
    const text = found.kind === "variable" ? converter.read(found.variable) : nameInWith(converter, name, found.scopes);
    parameters.push(fromByteString(name));
    values.push(text === name ? text : `${propertyName(name)}: ${text}`);
  }
  const code = parameters.length === 0 ? source : `{ ${parameters.join(", ")} }: ${source}`;
  const literal = code.includes("\n") || code.includes('"') ? `\`${code.replace(/[\\`]|\$(?=\{)/g, "\\$&")}\`` : quote(code);
  return { layout: [`nixExpression(${literal})`, parameters.length === 0 ? "" : `({ ${values.join(", ")} })`], strength: Strength.postfix };
}

/** Lines after the first without the indentation that they share. */
function dedentSource(text: string): string {
  const [first, ...rest] = text.split("\n") as [string, ...string[]];
  const indentation = Math.min(...rest.filter((one) => one.trim() !== "").map((one) => /^[ \t]*/.exec(one)![0].length), Infinity);
  return [first, ...rest.map((one) => one.slice(Number.isFinite(indentation) ? indentation : 0))].join("\n");
}
