import type { PackageDescription } from "../../core/config/option-description.ts";
import { isPackage, type Overlay, type Package, type Packages } from "../../core/index.ts";
import { isPackageDefinition } from "../../core/package/define-package.ts";
import { compareUtf8 } from "../../core/util/ordering.ts";
import { packageEntries, packageNames } from "../../pkgs/index.ts";

/** The same overlay; the names that it defines are put into `names`. */
export function noteNames(overlay: Overlay, names: Set<string>): Overlay {
  return (final, prev) => {
    const changes = overlay(final, prev);
    // What else it may return, the package set refuses.
    if (typeof changes === "object" && changes !== null) for (const name of Object.keys(changes)) names.add(name);
    return changes;
  };
}

/** tsos's own packages, and those that the configuration's overlays add or change. */
export function listPackages(pkgs: Packages, overlaid: ReadonlySet<string>): readonly PackageDescription[] {
  const own = packageNames.filter((name) => !overlaid.has(name)).flatMap((name) => {
    const entry = packageEntries[name];
    return isPackageDefinition(entry) ? [describePackage(name, entry, false)] : [];
  });
  const changed = [...overlaid].sort(compareUtf8).flatMap((name) => {
    const value: unknown = Reflect.get(pkgs, name);
    return isPackage(value) ? [describePackage(name, value, true)] : [];
  });
  return [...own, ...changed];
}

function describePackage(name: string, { pname, version, meta }: Pick<Package, "pname" | "version" | "meta">, isOverlaid: boolean): PackageDescription {
  return { name, pname, version, description: meta.description, homepage: meta.homepage, license: meta.license, mainProgram: meta.mainProgram, isOverlaid };
}
