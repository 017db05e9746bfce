import { createPackageSet, type EvaluationRegistry, type Overlay, type PackageSetEntry, type Packages } from "../core/index.ts";
import { allPackages } from "./all-packages.ts";
import { helpers, type Helpers } from "./helpers.ts";
import { buildRoot } from "./stdenv/build-root.ts";
import { glibc } from "./stdenv/glibc.ts";
import type { Package } from "../core/index.ts";

/** Every name of the embedded set. */
export const packageEntries: Readonly<Record<string, PackageSetEntry>> = { ...allPackages, ...helpers, buildRoot, glibc };

/** The names that are packages, sorted: what `tsos pkg search` looks through. */
export const packageNames: readonly string[] = Object.keys(allPackages);

/** The embedded package set of one evaluation, with a project's overlays laid over it. */
export function createPackages(registry: EvaluationRegistry, overlays: readonly Overlay[] = []): Packages {
  return createPackageSet({ registry, entries: packageEntries, overlays });
}

declare module "../core/package/packages.ts" {
  interface Packages extends Helpers {
    /** The tree at `/usr` of every build from source: a compiler, GNU's build tools and what they stand on. */
    readonly buildRoot: Package;
    /** The C library, its linker and the compiler's run-time libraries, shared by all packages built from source. */
    readonly glibc: Package;
  }
}
