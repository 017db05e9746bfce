import { TsosError } from "../error/tsos-error.ts";
import type { Evaluator } from "../nix/evaluator.ts";
import { fromByteString, toByteString } from "../util/bytes.ts";

/** Nix: lib/modules.nix gives modules `_prefix` since then. */
const OLDEST = "25.05";

/** What is told of a tree of nixpkgs whose modules are not given what those of TypeScript need. */
export function tooOld(e: Evaluator, nixpkgs: string): TsosError {
  const file = ["lib/.version", ".version"].map((name) => toByteString(`${nixpkgs}/${name}`)).find((path) => e.io.fileKind(path) === "regular");
  const version = file === undefined ? undefined : fromByteString(e.io.readFile(file)).trim();
  return new TsosError({
    code: "nix.too-old",
    message: `${version === undefined ? "this tree of nixpkgs" : `nixpkgs ${version}`} is too old for modules that are functions of TypeScript`,
    hint: 'name a newer branch, such as github("NixOS/nixpkgs", "nixos-26.05"), or write these modules as objects or in Nix: nixFile("./x.nix")',
    data: { expected: `nixpkgs ${OLDEST} or newer`, version },
  });
}
