import { fromByteString } from "../util/bytes.ts";
import type { ConcreteExpression } from "./concrete-syntax.ts";
import { convertString } from "./convert-string.ts";
import type { Converter, Place } from "./converter.ts";
import type { Layout } from "./layout.ts";
import { markNix } from "./mark-nix.ts";
import { primary, type Printed, Strength } from "./printed.ts";
import { find } from "./scope.ts";
import { quote } from "./typescript-names.ts";

/** What a path is where it stands: one that Nix sees as such, or a place in the store. Without it, what the file is decides. */
export type PathUse = "file" | "text";

export function convertPath(converter: Converter, e: ConcreteExpression & { readonly kind: "path" }, place: Place, use?: PathUse): Printed {
  const literal = fromByteString(e.literal);
  if (literal.startsWith("~") || (literal.startsWith("/") && literal !== "/")) return markNix(converter, e, place, "a path outside of the project");
  if (e.parts.length === 0) return convertNamedPath(converter, literal, place, use);
  const template = convertString([{ kind: "text", text: e.literal }, ...e.parts], false, ({ value }) => converter.convert(value, place).layout, () => undefined).layout;
  const last = e.parts.at(-1)!;
  const name = functionFor(place, use, last.kind === "text" && last.text.endsWith(".nix"));
  converter.needs.imports.add(name);
  converter.context.keep(literal.replace(/[^/]*$/, ""));
  return { layout: [`${name}(`, template, ")"], strength: Strength.postfix };
}

/** What is put into a text: a path there is its place in the store, whatever the file holds. */
export function convertInText(converter: Converter, e: ConcreteExpression, place: Place): Layout {
  return (e.kind === "path" ? convertPath(converter, e, { ...place, inImports: false }, "text") : converter.convert(e, place)).layout;
}

function functionFor(place: Place, use: PathUse | undefined, isNix: boolean): "nixFile" | "path" {
  return place.inImports === true || use === "file" || (isNix && use !== "text") ? "nixFile" : "path";
}

/** A path of the project, as a module where modules are listed. */
export function convertNamedPath(converter: Converter, literal: string, place: Place, use?: PathUse): Printed {
  const path = literal.startsWith(".") ? literal : `./${literal}`;
  if (place.inImports === true) {
    const name = converter.context.importOf(path, "module");
    if (name !== undefined) return primary(name);
  }
  const called = functionFor(place, use, converter.context.keep(path) === "nix");
  converter.needs.imports.add(called);
  return { layout: `${called}(${quote(path === "./." ? "." : path)})`, strength: Strength.postfix };
}

export function convertSearchPath(converter: Converter, e: ConcreteExpression & { readonly kind: "search-path" }, place: Place): Printed {
  const path = fromByteString(e.path);
  const [name, ...rest] = path.split("/") as [string, ...string[]];
  const modules = find("modulesPath", place.scope);
  if (name === "nixpkgs" && path.startsWith("nixpkgs/nixos/modules/") && modules.kind === "variable") return primary(`\`\${${converter.read(modules.variable)}}/${path.slice("nixpkgs/nixos/modules/".length)}\``);
  const input = converter.context.input(name);
  if (input === undefined) return markNix(converter, e, place, "a search path that is no known source; make it an input");
  return { layout: rest.length === 0 ? `${input}.nixFile("default.nix")` : `${input}.nixFile(${quote(rest.join("/"))})`, strength: Strength.postfix };
}
