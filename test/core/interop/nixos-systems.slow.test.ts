/** Systems of NixOS whose definitions are TypeScript, beside the same in Nix: the golden tree's modules and packages. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { GOLDEN_NIXPKGS, SKIP_NIXPKGS } from "../../golden/nixpkgs-tree.ts";
import { SYSTEMS } from "./nixos-systems.ts";
import { openSystemTrial } from "./system-trial.ts";

for (const [name, { typescript, nix }] of Object.entries(SYSTEMS)) {
  test(`${name} has the same toplevel from both languages`, { skip: SKIP_NIXPKGS }, () => {
    const { typescript: ours, nix: theirs } = openSystemTrial(GOLDEN_NIXPKGS!);
    assert.equal(ours(typescript), theirs(nix));
  });
}
