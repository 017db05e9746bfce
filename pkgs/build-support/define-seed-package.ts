import { definePackage, type BuildArguments, type Package, type PackageDefinition, type PackageMeta } from "../../core/index.ts";
import { seedSet } from "../seeds/seeds.ts";
import type { ProgramWrapper, SeedPackage } from "./seed-package.ts";
import { seedVersion } from "./seed-version.ts";

type Arguments = BuildArguments<Record<never, never>>;

export type SeedPackageInit = PackageMeta &
  Omit<SeedPackage, "pname" | "version" | "seeds" | "trees" | "wrappers"> & {
    readonly pname: string;
    /** Debian packages; default: the set of the lock that has the package's name. */
    readonly seeds?: readonly string[];
    /** The Debian package that gives the version; default: the first. */
    readonly versionOf?: string;
    readonly wrappers?: SeedPackage["wrappers"] | ((args: Arguments) => Readonly<Record<string, ProgramWrapper>>);
    /** Further properties of the package: a login shell says its program as `shellPath`, below its output. */
    readonly passthru?: Readonly<Record<string, unknown>>;
    /** Run the test where there is a `/bin/sh`. */
    readonly testOnBuildRoot?: boolean;
    /** A script that fails when the package does not work; `mainProgram --version` by default. */
    readonly test?: (args: Arguments & { readonly self: Package }) => string;
  };

/** A package that is Debian's, patched to run from the store: most tools are no more than this. */
export function defineSeedPackage(init: SeedPackageInit): PackageDefinition {
  const { pname, description, homepage, license, mainProgram, priority, test, versionOf, wrappers, testOnBuildRoot = false, passthru, ...rest } = init;
  const seeds = init.seeds ?? seedSet(pname);
  const main = versionOf ?? seeds[0] ?? pname;
  return definePackage({
    pname,
    version: seedVersion(main),
    description,
    homepage,
    license,
    mainProgram,
    priority,
    build: (args) => args.seedPackage({ ...rest, pname, version: args.version, seeds, wrappers: typeof wrappers === "function" ? wrappers(args) : wrappers }),
    test: (args) => {
      const buildCommand = test?.(args) ?? `${args.self}/bin/${mainProgram ?? pname} --version > $out`;
      return args.mkDerivation({ name: `${pname}-test`, buildCommand, withoutCompiler: !testOnBuildRoot });
    },
    update: { kind: "debian", package: main },
    passthru,
  });
}
