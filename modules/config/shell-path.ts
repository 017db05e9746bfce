import type { Package } from "../../core/index.ts";

/** The program of a login shell, which is a path or a package with a `shellPath`. NixOS: nixos/lib/utils.nix, toShellPath */
export function shellPath(shell: string | Package): string {
  if (typeof shell === "string") return shell;
  // `types.shellPackage` has seen that it is there.
  return `${shell}${String((shell as Package & { readonly shellPath?: unknown }).shellPath)}`;
}
