import { existsSync } from "node:fs";
import { join } from "node:path";

/** Whether a tree is one of nixpkgs, whose types can be made. */
export function isNixpkgs(tree: string): boolean {
  return existsSync(join(tree, "pkgs/top-level/all-packages.nix"));
}

/** Whether a tree is one of home-manager. */
export function isHomeManager(tree: string): boolean {
  return existsSync(join(tree, "modules/home-environment.nix")) && existsSync(join(tree, "lib/default.nix"));
}
