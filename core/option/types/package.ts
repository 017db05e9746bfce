import * as z from "zod/mini";
import { isPackageValue } from "../foreign-types.ts";
import type { PackageValue } from "../foreign-types.ts";
import { createOptionType } from "../option-type.ts";
import { mergeOne } from "./merge-equal.ts";

export const packageType = createOptionType<PackageValue>({
  name: "package",
  description: "package",
  check: isPackageValue,
  merge: mergeOne,
  schema: () => z.custom<PackageValue>(isPackageValue),
  printType: "Package",
});

/** A package that is a login shell: it says its program's path as `shellPath`. */
export const shellPackage = createOptionType<PackageValue>({
  name: "shellPackage",
  description: "package of a login shell",
  check: (value) => isPackageValue(value) && "shellPath" in value,
  merge: mergeOne,
  schema: () => z.custom<PackageValue>(isPackageValue),
  printType: "Package",
});
