import { isPackageValue } from "./foreign-types.ts";
import type { PackageValue } from "./foreign-types.ts";
import {
  mkAfter,
  mkAssert,
  mkBefore,
  mkDefault,
  mkForce,
  mkIf,
  mkImageMediaOverride,
  mkMerge,
  mkOptionDefault,
  mkOrder,
  mkOverride,
  mkVMOverride,
} from "./modifier.ts";
import {
  mkAliasOptionModule,
  mkChangedOptionModule,
  mkMergedOptionModule,
  mkRemovedOptionModule,
  mkRenamedOptionModule,
} from "./renamed-options.ts";

/** `values` if `condition` holds, else nothing: for lists that are put together. */
function optionals<const T>(condition: boolean, values: readonly T[]): readonly T[] {
  return condition ? values : [];
}

/** `attributes` if `condition` holds, else nothing: for objects that are put together by spreading. */
function optionalAttrs<const T extends object>(condition: boolean, attributes: T): T | Record<never, never> {
  return condition ? attributes : {};
}

function optionalString(condition: boolean, text: string): string {
  return condition ? text : "";
}

/** The path of a package's main program, which its `meta.mainProgram` names, or else its own name. */
function getExe(value: PackageValue): string {
  if (!isPackageValue(value)) throw new TypeError("getExe takes a package");
  const { meta, pname } = value as { readonly meta?: { readonly mainProgram?: string }; readonly pname?: string };
  return `${String(value)}/bin/${meta?.mainProgram ?? pname ?? value.name.replace(/-\d.*$/, "")}`;
}

/** What modules use to say how definitions merge, and the few helpers that TypeScript does not have itself. */
export const lib = Object.freeze({
  mkIf,
  mkMerge,
  mkOverride,
  mkDefault,
  mkForce,
  mkOptionDefault,
  mkVMOverride,
  mkImageMediaOverride,
  mkOrder,
  mkBefore,
  mkAfter,
  mkAssert,
  mkRenamedOptionModule,
  mkRemovedOptionModule,
  mkAliasOptionModule,
  mkChangedOptionModule,
  mkMergedOptionModule,
  optionals,
  optionalAttrs,
  optionalString,
  getExe,
});

export type Lib = typeof lib;
