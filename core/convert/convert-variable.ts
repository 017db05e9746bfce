import { fromByteString } from "../util/bytes.ts";
import { unreachable } from "../util/unreachable.ts";
import { bare, type ConcreteExpression } from "./concrete-syntax.ts";
import type { Converter, Place } from "./converter.ts";
import { LIB_BUILTINS } from "./known-functions.ts";
import { knownFunction, nameInWith, ownerOf } from "./known-values.ts";
import { markNix } from "./mark-nix.ts";
import { libFunction } from "./nixpkgs-library.ts";
import { primary, Strength, type Printed } from "./printed.ts";
import { find } from "./scope.ts";

export function convertVariable(converter: Converter, e: ConcreteExpression & { readonly kind: "variable" }, place: Place): Printed {
  const found = find(e.name, place.scope);
  switch (found.kind) {
    case "variable":
      converter.read(found.variable);
      return { layout: found.variable.text, strength: /^[\w$]+$/.test(found.variable.text) ? Strength.primary : Strength.postfix };
    case "with": {
      const known = knownFunction(converter, e, place);
      const owner = ownerOf(converter, e.name, found.scopes);
      if (known !== undefined && bare(owner.of).kind === "variable" && (bare(owner.of) as { readonly name?: string }).name === "builtins") return convertBuiltin(converter, e, known, place);
      return { layout: nameInWith(converter, e.name, found.scopes), strength: Strength.postfix };
    }
    case "global":
      if (e.name === "true" || e.name === "false" || e.name === "null") return primary(e.name);
      return convertBuiltin(converter, e, e.name, place);
    case "unknown":
      return markNix(converter, e, place, `the variable "${fromByteString(e.name)}" is bound nowhere`);
    default:
      return unreachable(found);
  }
}

export function convertBuiltin(converter: Converter, e: ConcreteExpression, name: string, place: Place): Printed {
  const text = LIB_BUILTINS.has(name) ? libFunction(converter, name, place) : undefined;
  return text === undefined ? markNix(converter, e, place, "a function that only the Nix language has") : { layout: text, strength: Strength.postfix };
}
