import { fromByteString } from "../util/bytes.ts";
import type { ConcreteExpression } from "./concrete-syntax.ts";
import { convertString } from "./convert-string.ts";
import type { Converter, Place } from "./converter.ts";
import type { Layout } from "./layout.ts";
import { markNix } from "./mark-nix.ts";
import { primary, type Printed, Strength } from "./printed.ts";
import { find } from "./scope.ts";
import { quote } from "./typescript-names.ts";

export function convertPath(converter: Converter, e: ConcreteExpression & { readonly kind: "path" }, place: Place): Printed {
  const literal = fromByteString(e.literal);
  if (literal.startsWith("~") || (literal.startsWith("/") && literal !== "/")) return markNix(converter, e, place, "a path outside of the project");
  if (e.parts.length === 0) return convertNamedPath(converter, literal, place);
  const template = convertString([{ kind: "text", text: e.literal }, ...e.parts], false, ({ value }) => converter.convert(value, { ...place, takesFile: false, inText: false }).layout, () => undefined).layout;
  const last = e.parts.at(-1)!;
  const isNix = isFile(place) || (place.inText !== true && last.kind === "text" && last.text.endsWith(".nix"));
  converter.needs.imports.add(isNix ? "nixFile" : "path");
  converter.context.keep(literal.replace(/[^/]*$/, ""));
  return { layout: [isNix ? "nixFile(" : "path(", template, ")"], strength: Strength.postfix };
}

/** What is put into a text: a path there is its place in the store, whatever the file holds. */
export function convertInText(converter: Converter, e: ConcreteExpression, place: Place): Layout {
  return (e.kind === "path" ? convertPath(converter, e, { ...place, inImports: false, inText: true }) : converter.convert(e, place)).layout;
}

const isFile = (place: Place): boolean => place.inImports === true || place.takesFile === true;

/** A path of the project, as a module where modules are listed. */
export function convertNamedPath(converter: Converter, literal: string, place: Place): Printed {
  const path = literal.startsWith(".") ? literal : `./${literal}`;
  if (place.inImports === true) {
    const name = converter.context.importOf(path, "module");
    if (name !== undefined) return primary(name);
  }
  const isNix = converter.context.keep(path) === "nix";
  const kind = isFile(place) || (isNix && place.inText !== true) ? "nixFile" : "path";
  converter.needs.imports.add(kind);
  return { layout: `${kind}(${quote(path === "./." ? "." : path)})`, strength: Strength.postfix };
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
