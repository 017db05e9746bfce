import type { Converter, Place } from "./converter.ts";
import { find } from "./scope.ts";
import { propertyAccess } from "./typescript-names.ts";

/** nixpkgs' library, as it can be named here. */
export function nixpkgsLib(converter: Converter, place: Place): string | undefined {
  const found = find("lib", place.scope);
  if (found.kind === "variable" && found.variable.role === "lib") return converter.read(found.variable);
  const packages = find("pkgs", place.scope);
  return packages.kind === "variable" && packages.variable.role === "packages" ? `${converter.read(packages.variable)}.lib` : undefined;
}

/** The library that has the combinators: where nixpkgs' own is taken anyway, that one. */
export function combinatorLib(converter: Converter, place: Place): string {
  const found = find("lib", place.scope);
  if (converter.takesLib && found.kind === "variable" && found.variable.role === "lib") {
    converter.reads.add(found.variable);
    return found.variable.text;
  }
  converter.needs.ourLib = true;
  return "lib";
}

/** A function of nixpkgs' library, by a name that it has; undefined where there is no library. */
export function libFunction(converter: Converter, name: string, place: Place): string | undefined {
  const lib = nixpkgsLib(converter, place);
  return lib === undefined ? undefined : `${lib}${propertyAccess(name)}`;
}
