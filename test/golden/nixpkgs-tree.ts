import { existsSync } from "node:fs";
import { join } from "node:path";

/**
 * The tree that the golden paths were evaluated from (`README.md` of the golden data says how it is made):
 * TSOS_GOLDEN_NIXPKGS. No clone of the project has it.
 */
export const GOLDEN_NIXPKGS: string | undefined = process.env["TSOS_GOLDEN_NIXPKGS"];

/** For `test`'s option `skip`: why, where there is no tree. */
export const SKIP_NIXPKGS: string | false =
  GOLDEN_NIXPKGS !== undefined && existsSync(join(GOLDEN_NIXPKGS, "pkgs/top-level/impure.nix")) ? false : "no tree of nixpkgs; set TSOS_GOLDEN_NIXPKGS to the one that the golden data names";
