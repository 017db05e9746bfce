import { existsSync } from "node:fs";
import { join } from "node:path";
import { createFolderFiles } from "../../../core/config/folder-files.ts";
import { createNixScope } from "../../../core/interop/nix-scope.ts";
import type { NixosModule } from "../../../core/package/define-nixos-system.ts";
import { EvaluationRegistry } from "../../../core/package/evaluation-registry.ts";

const SOURCE = `/nix/store/${"a".repeat(32)}-source`;

/** Evaluates systems of a tree in both languages, to the path of their toplevel's derivation. */
export type SystemTrial = { readonly typescript: (modules: readonly NixosModule[], more?: object) => string; readonly nix: (modules: string) => string };

export function openSystemTrial(folder: string): SystemTrial {
  const isWhole = existsSync(join(folder, "pkgs/top-level"));
  const scope = () => {
    const registry = new EvaluationRegistry();
    registry.addPath("source", SOURCE, folder);
    return createNixScope({ registry, files: createFolderFiles(new Map([[SOURCE, folder]])), sources: new Set([SOURCE]), log: () => undefined });
  };
  return {
    typescript: (modules, more = {}) => (scope().nixosSystem({ nixpkgs: SOURCE, modules, specialArgs: {}, config: undefined, overlays: undefined, system: "x86_64-linux", ...more }).toplevel as { readonly drvPath: string }).drvPath,
    nix: (modules) => (scope().evaluate(`(import ${SOURCE}/nixos/lib/eval-config.nix ({ system = "x86_64-linux"; modules = ${modules}; }${isWhole ? ' // { modulesLocation = "a file"; }' : ""})).config.system.build.toplevel`) as { readonly drvPath: string }).drvPath,
  };
}
