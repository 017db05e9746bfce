import { existsSync } from "node:fs";
import { join } from "node:path";

/** Whether a tree is one of nixpkgs, whose types can be made. */
export function isNixpkgs(tree: string): boolean {
  return existsSync(join(tree, "pkgs/top-level/all-packages.nix"));
}
