/** The golden `.drv` paths of nixpkgs and of whole systems, evaluated by the command itself from the tree they were made from. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, test } from "node:test";
import { promisify } from "node:util";
import { GOLDEN_DIR, SKIP_GOLDEN } from "./golden-dir.ts";
import { GOLDEN_NIXPKGS, SKIP_NIXPKGS } from "./nixpkgs-tree.ts";

const skip = SKIP_GOLDEN || SKIP_NIXPKGS;
const tsos = resolve(import.meta.dirname, "../../bin/tsos.js");
const cache = mkdtempSync(join(tmpdir(), "tsos-golden-"));
after(() => rmSync(cache, { recursive: true, force: true }));

async function evaluate(expression: string): Promise<string> {
  const args = [tsos, "nix", "instantiate", "--readonly-mode", "--eval", "--strict", "--json", "-E", expression];
  return (await promisify(execFile)(process.execPath, args, { maxBuffer: 1 << 26, env: { ...process.env, TSOS_CACHE_DIR: cache, NIX_PATH: "" } })).stdout;
}
const readGolden = (name: string): Readonly<Record<string, string>> =>
  (JSON.parse(readFileSync(join(GOLDEN_DIR, name), "utf8")) as { readonly drvPath: Readonly<Record<string, string>> }).drvPath;

test("evaluates every golden package to its own derivation", { skip }, async () => {
  const expected = readGolden("nixpkgs-26.11-drvpaths.json");
  const fields = Object.keys(expected).map((name) => `${JSON.stringify(name)} = pkgs.${name.split(".").map((part) => JSON.stringify(part)).join(".")}.drvPath;`);
  const text = await evaluate(`let pkgs = import ${GOLDEN_NIXPKGS} { system = "x86_64-linux"; config = { allowUnfree = true; allowAliases = true; }; }; in { ${fields.join("\n")} }`);
  assert.deepEqual(JSON.parse(text), expected);
});

for (const [name, path] of skip === false ? Object.entries(readGolden("nixos-26.11.json")) : []) {
  const expression = `(import ${join(GOLDEN_DIR, "nixos", `${name}.nix`)} { nixpkgs = ${GOLDEN_NIXPKGS}; }).drvPath`;
  test(`evaluates the system ${name} to its own derivation, and finds it again in the cache`, async () => {
    assert.equal(JSON.parse(await evaluate(expression)), path);
    assert.equal(JSON.parse(await evaluate(expression)), path);
  });
}
