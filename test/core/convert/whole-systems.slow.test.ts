/** Converted configurations beside their originals, as whole systems of the golden tree. */
import assert from "node:assert/strict";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { GOLDEN_DIR, SKIP_GOLDEN } from "../../golden/golden-dir.ts";
import { GOLDEN_NIXPKGS, SKIP_NIXPKGS } from "../../golden/nixpkgs-tree.ts";
import { convertFolder, copyCase, evaluateNix, evaluateTypeScript, explainDifference, openWorld, writeConverted } from "./evaluate-converted.ts";

/** The tree lacks the package set of Haskell, and so the checker of shell scripts. */
const WITHOUT_SHELLCHECK = "{ nixpkgs.overlays = [ (final: prev: { shellcheck-minimal = prev.hello // { compiler.bootstrapAvailable = false; }; shellcheck = final.shellcheck-minimal; }) ]; }\n";
const FILE = "without-shellcheck.nix";

for (const name of ["own-options", "server-room", "desktop", "workshop"]) {
  test(`${name} has the same toplevel in both languages`, { skip: SKIP_NIXPKGS }, async (t) => {
    const folder = copyCase(t, name);
    writeConverted(convertFolder(folder, "configuration.nix"), folder);
    writeFileSync(join(folder, FILE), WITHOUT_SHELLCHECK);
    const [nix, typescript] = [openWorld(GOLDEN_NIXPKGS!, folder), openWorld(GOLDEN_NIXPKGS!, folder)];
    const expected = evaluateNix(GOLDEN_NIXPKGS!, folder, "configuration.nix", "module", nix, [`/project/${FILE}`]);
    const found = await evaluateTypeScript(GOLDEN_NIXPKGS!, folder, "system.config.ts", typescript, [`/project/${FILE}`]);
    assert.equal(found, expected, found === expected ? "" : explainDifference(typescript, nix, found, expected));
  });
}

const golden = SKIP_GOLDEN === false ? (JSON.parse(readFileSync(join(GOLDEN_DIR, "nixos-26.11.json"), "utf8")) as { readonly drvPath: Readonly<Record<string, string>> }).drvPath : {};
for (const [name, path] of Object.entries(golden)) {
  test(`the golden system ${name}, converted, has the golden derivation`, { skip: SKIP_NIXPKGS }, async (t) => {
    const folder = mkdtempSync(join(tmpdir(), "tsos-convert-"));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    copyFileSync(join(GOLDEN_DIR, "nixos", `${name}.nix`), join(folder, `${name}.nix`));
    writeConverted(convertFolder(folder, `${name}.nix`), folder);
    assert.equal(await evaluateTypeScript(GOLDEN_NIXPKGS!, folder), path);
  });
}
