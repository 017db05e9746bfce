import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { createFolderFiles } from "../../../core/config/folder-files.ts";
import { checkFlake } from "../../../core/interop/check-flake.ts";
import { createRegistryIo } from "../../../core/interop/registry-io.ts";
import { installBuiltins } from "../../../core/nix/builtins/builtin-table.ts";
import { Evaluator } from "../../../core/nix/evaluator.ts";
import { EvaluationRegistry } from "../../../core/package/evaluation-registry.ts";
import type { FlakeReport } from "../../../core/interop/flake-report.ts";

const SOURCE = `/nix/store/${"a".repeat(32)}-source`;
const folder = mkdtempSync(join(tmpdir(), "tsos-check-flake-"));
after(() => rmSync(folder, { recursive: true, force: true }));
writeFileSync(join(folder, "here"), "");

/** The report of a flake with these outputs; `d` is a derivation. */
function check(outputs: string): FlakeReport {
  const registry = new EvaluationRegistry();
  registry.addPath("source", SOURCE, folder);
  const e = new Evaluator({ io: createRegistryIo({ registry, files: createFolderFiles(new Map([[SOURCE, folder]])), sources: new Set([SOURCE]), log: () => undefined }) });
  installBuiltins(e);
  const text = `let d = derivation { name = "d"; system = "x86_64-linux"; builder = "/bin/sh"; }; in { outputs = { ${outputs} }; }`;
  return checkFlake(e, e.force(e.load(text, "flake.nix", SOURCE)), "x86_64-linux");
}

/** What the reference says of the same, 2.34: the last line of its error. */
const WRONG: readonly (readonly [outputs: string, path: string, error: string])[] = [
  ["apps.x86_64-linux.x = { type = \"app\"; };", "apps.x86_64-linux.x", "app 'apps.x86_64-linux.x' lacks attribute 'program'"],
  ["apps.x86_64-linux.x = { program = \"/x\"; };", "apps.x86_64-linux.x", "app 'apps.x86_64-linux.x' lacks attribute 'type'"],
  ["apps.x86_64-linux.x = { type = \"app\"; program = \"/x\"; bogus = 1; };", "apps.x86_64-linux.x", "app 'apps.x86_64-linux.x' has unsupported attribute 'bogus'"],
  ["bundlers.x86_64-linux.x = 3;", "bundlers.x86_64-linux.x", "bundler must be a function"],
  ["checks.x86_64-linux.x = { };", "checks.x86_64-linux.x", "flake attribute 'checks.x86_64-linux.x' is not a derivation"],
  ["formatter.x86_64-linux = 3;", "formatter.x86_64-linux", "flake attribute 'formatter.x86_64-linux' is not a derivation"],
  ["hydraJobs = 3;", "hydraJobs", "expected a set but found an integer: 3"],
  ["hydraJobs.a = { b = 3; };", "hydraJobs", "expected a set but found an integer: 3"],
  ["hydraJobs = d;", "hydraJobs", "jobset should not be a derivation at top-level"],
  ["legacyPackages = 3;", "legacyPackages", "expected a set but found an integer: 3"],
  ["nixosConfigurations.h = { };", "nixosConfigurations.h", "attribute 'config' in selection path 'config.system.build.toplevel' not found"],
  ["nixosConfigurations.h.config.system.build.toplevel = 3;", "nixosConfigurations.h", "attribute 'config.system.build.toplevel' is not a derivation"],
  ["overlays.x = 3;", "overlays.x", "overlay is not a function, but an integer instead"],
  ["packages = 3;", "packages", "expected a set but found an integer: 3"],
  ["packages.weird.x = d;", "packages", "'weird' is not a valid system type, at flake.nix:1:100"],
  ["packages.x86_64-linux.x = throw \"thrown\";", "packages.x86_64-linux.x", "thrown"],
  ["templates.x = { path = ./here; };", "templates.x", "template 'templates.x' lacks attribute 'description'"],
  ["templates.x = { description = \"x\"; };", "templates.x", "template 'templates.x' lacks attribute 'path'"],
  ["templates.x = { path = ./nope; description = \"x\"; };", "templates.x", `template 'templates.x' refers to a non-existent path '${SOURCE}/nope'`],
  ["templates.x = { path = ./here; description = \"x\"; bogus = 1; };", "templates.x", "template 'templates.x' has unsupported attribute 'bogus'"],
];
for (const [outputs, path, error] of WRONG) {
  test(`says what is wrong with ${outputs}`, () => {
    const { problems } = check(outputs);
    assert.deepEqual(problems.map((one) => one.path), [path]);
    assert.equal(problems[0]!.error.split("\n").at(-1)!.trim(), `error: ${error}`);
    assert.match(problems[0]!.error, new RegExp(`while checking flake output '${outputs.split(/[. ]/)[0]!}'`));
  });
}

test("takes what the reference takes, whether it is looked into or not", () => {
  const { outputs, problems, warnings } = check(`
    packages.x86_64-linux.default = d; devShells.x86_64-linux.default = d; formatter.x86_64-linux = d; hydraJobs.a.b = d;
    legacyPackages.x86_64-linux.x = throw "not looked at"; lib = throw "nor this"; homeConfigurations = throw "nor this";
    apps.x86_64-linux.x = { type = "app"; program = "/bin/x"; meta.description = "d"; };
    overlays.x = final: 3; nixosModules.x = 3; templates.x = { path = ./here; description = "x"; welcomeText = "w"; };
    nixosConfigurations.h.config.system.build.toplevel = d; bundlers.x86_64-linux.x = d: d;`);
  assert.deepEqual([problems, warnings], [[], []]);
  assert.equal(outputs.length, 13);
});

test("lists the checks of this system, and the systems that were left out", () => {
  const { checks, omittedSystems } = check('checks.x86_64-linux = { a = d; b = d; }; checks.aarch64-linux.c = throw "never"; packages.riscv64-linux.d = d;');
  assert.deepEqual(checks.map(({ path }) => path), ["checks.x86_64-linux.a", "checks.x86_64-linux.b"]);
  assert.match(checks[0]!.drvPath, /^\/nix\/store\/.*-d\.drv$/);
  assert.deepEqual(omittedSystems, ["aarch64-linux", "riscv64-linux"]);
});

test("warns of old and unknown names, and of apps that say nothing of themselves", () => {
  assert.deepEqual(check('defaultPackage.x86_64-linux = d; strange = 3; apps.x86_64-linux = { a = { type = "app"; program = "/x"; }; b = { type = "app"; program = "/x"; meta = { }; }; };').warnings, [
    "app 'apps.x86_64-linux.a' lacks attribute 'meta'",
    "app 'apps.x86_64-linux.b' lacks attribute 'meta.description'",
    "flake output attribute 'defaultPackage' is deprecated; use 'packages.<system>.default' instead",
    "unknown flake output 'strange'",
  ]);
});

test("tells all that is wrong, not only the first", () => {
  assert.deepEqual(check('packages.x86_64-linux = { x = throw "a"; y = 3; z = d; };').problems.map(({ path }) => path), ["packages.x86_64-linux.x", "packages.x86_64-linux.y"]);
});
