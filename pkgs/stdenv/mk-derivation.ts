import { defineHelper, isPackage, type BuildAttributes, type DerivationAttributes, type Package, type StoreObject } from "../../core/index.ts";
import { setupScript } from "./setup-script.ts";

/** A build's attributes as `mkDerivation` takes them; `withoutCompiler` leaves the build root away. */
export type MkDerivationAttributes = BuildAttributes & { readonly withoutCompiler?: boolean };

// What says something of the package and enters no derivation, or enters it in another form.
const NOT_PASSED = new Set(["meta", "passthru", "withoutCompiler", "buildInputs", "nativeBuildInputs", "propagatedBuildInputs"]);

/**
 * A package built from source by the phases of `setup.sh`: unpack, patch, configure, build, check (when
 * `doCheck`), install, fixup. Each may be replaced by an attribute of its name (`buildPhase: "make all"`) or
 * accompanied by hooks (`preBuild`, `postInstall`).
 *
 * It runs on the build root, a whole tree of Debian's tools at `/usr`, with a compiler that makes results refer
 * to store paths alone; what refers to anything else fails the build.
 *
 * @example
 * mkDerivation({ pname: "hello", version: "2.10", src: fetchurl({ … }), buildInputs: [zlib] })
 */
export const mkDerivation = defineHelper(({ pkgs, system, createPackage, toFile }) => {
  const setup = (): StoreObject => toFile("setup.sh", setupScript);

  const compile = (attributes: BuildAttributes): DerivationAttributes => {
    const passed: Record<string, unknown> = {};
    for (const [key, value] of Object.entries(attributes)) if (!NOT_PASSED.has(key) && value !== undefined && value !== null) passed[key] = value;
    for (const key of ["buildInputs", "nativeBuildInputs", "propagatedBuildInputs"] as const) {
      const inputs = attributes[key];
      if (inputs !== undefined && inputs.length > 0) passed[key] = inputs.map(key === "nativeBuildInputs" ? String : developmentOutput);
    }
    const common = {
      ...passed,
      name: nameOf(attributes),
      system,
      outputs: attributes.outputs ?? ["out"],
      __structuredAttrs: true,
      // What `#!/bin/sh` in a result becomes.
      runtimeShell: pkgs.bash,
    };
    if (attributes["withoutCompiler"] === true) {
      return {
        ...common,
        builder: `${pkgs.bash}/bin/bash`,
        args: ["-e", setup().toString()],
        initialInputs: [pkgs.bash, pkgs.coreutils, pkgs.findutils, pkgs.gnugrep, pkgs.gnused, pkgs.gawk],
      };
    }
    return {
      ...common,
      builder: "/usr/bin/bash",
      args: ["-e", setup().toString()],
      __buildRoot: pkgs.buildRoot,
      glibc: pkgs.glibc,
    };
  };
  return (attributes: MkDerivationAttributes): Package => createPackage(attributes, compile);
});

/** `stdenv.mkDerivation`, as nixpkgs has it. */
export const stdenv = defineHelper(({ pkgs }): { readonly mkDerivation: (attributes: MkDerivationAttributes) => Package } => ({ mkDerivation: pkgs.mkDerivation }));

/** Headers and `.pc` files are in `dev` where there is one; it leads to the library itself. */
function developmentOutput(input: StoreObject): string {
  if (isPackage(input) && input.outputName === input.outputs[0] && input.outputs.includes("dev")) return input.dev.outPath;
  return input.toString();
}

function nameOf({ name, pname, version }: BuildAttributes): string {
  return name ?? (version === undefined ? (pname ?? "unnamed") : `${pname ?? "unnamed"}-${version}`);
}
