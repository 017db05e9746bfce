import assert from "node:assert/strict";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { NixError } from "../../../core/nix/nix-error.ts";
import { SMALL_NIXOS } from "../interop/small-nixos.ts";
import { CASES, convertFolder, copyCase, evaluateNix, evaluateTypeScript, openConverted, openWorld, writeConverted, writeProject } from "./evaluate-converted.ts";

/**
 * Each folder of `cases` holds Nix files and what they become, which the type check of the repository reads like any
 * other file (but the shell: a project has the packages of its inputs by declarations of its own). With
 * TSOS_CONVERT_WRITE=1 the latter are written anew.
 */
for (const name of readdirSync(CASES)) {
  test(`${name} becomes what is written beside it`, (t) => {
    const file = existsSync(join(CASES, name, "shell.nix")) ? "shell.nix" : "configuration.nix";
    const { files } = convertFolder(copyCase(t, name), file);
    if (process.env["TSOS_CONVERT_WRITE"] === "1") writeConverted({ files } as never, join(CASES, name));
    for (const { path, text } of files) assert.equal(text, readFileSync(join(CASES, name, path), "utf8"), path);
    const written = readdirSync(join(CASES, name), { recursive: true, encoding: "utf8" }).filter((path) => path.endsWith(".ts"));
    assert.deepEqual(files.map(({ path }) => path).sort(), written.sort());
  });
}

for (const name of ["language", "modules", "marked"]) {
  test(`${name} evaluates to the same derivation in both languages`, async (t) => {
    using tree = writeProject(SMALL_NIXOS);
    const folder = copyCase(t, name);
    writeConverted(convertFolder(folder, "configuration.nix"), folder);
    assert.equal(await evaluateTypeScript(tree.folder, folder), evaluateNix(tree.folder, folder, "configuration.nix"));
  });
}

test("what stays Nix is marked with its source and its place", () => {
  const { marks, files } = convertFolder(join(CASES, "marked"), "configuration.nix");
  assert.deepEqual(marks.map(({ line, column }) => [line, column]), [[4, 41], [4, 47]]);
  assert.match(files[0]!.text, /\/\/ Not converted: .*In Nix:\n\s*\/\/ {3}1\.0/);
  assert.match(files[0]!.text, /nixExpression\("1\.0"\)/);
});

test("a file that does not parse is an error with the user's line", () => {
  using project = writeProject({ "configuration.nix": "{ ... }:\n{\n  a = ;\n}\n" });
  assert.throws(
    () => convertFolder(project.folder, "configuration.nix"),
    (error) => error instanceof NixError && error.kind === "parse" && error.position?.line === 3,
  );
});

test("a module that does not parse, or is not there, stays a Nix file", () => {
  using project = writeProject({ "configuration.nix": "{ imports = [ ./broken.nix ./missing.nix ]; }\n", "broken.nix": "{ a = ; }\n" });
  const { files } = convertFolder(project.folder, "configuration.nix");
  assert.equal(files.length, 1);
  assert.match(files[0]!.text, /imports: \[nixFile\("\.\/broken\.nix"\), nixFile\("\.\/missing\.nix"\)\]/);
});

test("modules outside of the folder keep their places below the folder of all", () => {
  using project = writeProject({ "hosts/a/configuration.nix": "{ imports = [ ../../common.nix ]; x = ./data; }\n", "common.nix": "{ }\n", "hosts/a/data": "1" });
  const { root, files } = convertFolder(project.folder, "hosts/a/configuration.nix");
  assert.equal(root, project.folder);
  assert.deepEqual(files.map(({ path }) => path), ["system.config.ts", "common.ts"]);
  assert.match(files[0]!.text, /import common from "\.\/common\.ts"/);
  assert.match(files[0]!.text, /x: path\("\.\/hosts\/a\/data"\)/);
});

test("a module reads an option that it declares itself", async () => {
  using tree = writeProject(SMALL_NIXOS);
  using project = writeProject({ "configuration.nix": '{ config, lib, ... }: { networking.hostName = "a"; environment.text = lib.mkIf (config.services.web.enable) [ config.networking.hostName ]; services.web.enable = true; }\n' });
  writeConverted(convertFolder(project.folder, "configuration.nix"), project.folder);
  const { config } = await openConverted(tree.folder, project.folder, "system.config.ts", openWorld(tree.folder, project.folder));
  assert.deepEqual([...((config["environment"] as { readonly text: readonly string[] }).text)], ["a"]);
});
