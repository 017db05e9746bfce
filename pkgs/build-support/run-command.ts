import { defineHelper, type BuildAttributes, type Package } from "../../core/index.ts";

/**
 * What a script of bash leaves in `$out`. It runs with the store's bash, coreutils, findutils, grep, sed and
 * awk, without a compiler; `attributes` are in its variables.
 *
 * @example
 * runCommand("greeting", { nativeBuildInputs: [hello] }, "hello > $out")
 */
export const runCommand = defineHelper(({ pkgs }) => (name: string, attributes: BuildAttributes, script: string): Package =>
  pkgs.mkDerivation({ ...attributes, name, buildCommand: script, withoutCompiler: true }),
);
