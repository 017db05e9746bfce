import type { ValueSource } from "../../core/config/option-description.ts";
import { unreachable } from "../../core/util/unreachable.ts";

/** How a value is written: the names of what it uses, and the file's quote. */
export type PrintStyle = { readonly quote: string; readonly packageSet: string; readonly pathFunction: string };

/** A value as TypeScript, on one line. */
export function printSource(source: ValueSource, style: PrintStyle): string {
  switch (source.kind) {
    case "json":
      return typeof source.value === "string" ? printString(source.value, style.quote) : String(source.value);
    case "list":
      return `[${source.items.map((item) => printSource(item, style)).join(", ")}]`;
    case "object":
      return source.entries.length === 0 ? "{}" : `{ ${source.entries.map(([name, value]) => `${printName(name, style.quote)}: ${printSource(value, style)}`).join(", ")} }`;
    case "package":
      return printPackage(source.name, style);
    case "path":
      return `${style.pathFunction}(${printString(source.path, style.quote)})`;
    default:
      return unreachable(source);
  }
}

/** A property's name, quoted where it must be. */
export function printName(name: string, quote: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) && name !== "__proto__" ? name : name === "__proto__" ? `[${printString(name, quote)}]` : printString(name, quote);
}

/** @example printPackage("openssl.dev", …) // pkgs.openssl.dev */
export function printPackage(name: string, { packageSet, quote }: PrintStyle): string {
  return packageSet + name.split(".").map((part) => (/^[A-Za-z_$][\w$]*$/.test(part) ? `.${part}` : `[${printString(part, quote)}]`)).join("");
}

function printString(text: string, quote: string): string {
  const json = JSON.stringify(text);
  return quote === '"' ? json : `'${json.slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`;
}

/** Which of the two names a value needs. */
export function needsOf(source: ValueSource): { readonly packages: boolean; readonly path: boolean } {
  const inner = source.kind === "list" ? source.items : source.kind === "object" ? source.entries.map(([, value]) => value) : [];
  const needs = inner.map(needsOf);
  return {
    packages: source.kind === "package" || needs.some((need) => need.packages),
    path: source.kind === "path" || needs.some((need) => need.path),
  };
}
