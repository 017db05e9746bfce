/** Every example of docs/home.md type-checks and evaluates, with small trees in the place of nixpkgs and home-manager. */
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { SMALL_HOME } from "../cli/small-home.ts";
import { readBlocks } from "./blocks.ts";
import { openDocsProject, withLocalTree } from "./docs-project.ts";

const blocks = readBlocks("home.md");

/** Home-manager's `nixos` module as the pages' small NixOS has it: options are freeform there, and a home is called with what it needs. */
const NIXOS_MODULE = `{ config, pkgs, ... }: { imports = [ ]; homes = builtins.mapAttrs (name: home: home { inherit pkgs config; options = { }; lib = { }; _prefix = [ "home-manager" "users" name ]; osConfig = config; }) config.home-manager.users; }`;

test("the page has a home and a machine", () => {
  assert.deepEqual(blocks.map(({ text }) => /^\/\/ (\S+)/.exec(text)![1]), ["home.config.ts", "system.config.ts"]);
});

blocks.forEach(({ text, heading }, index) => {
  test(`the example of "${heading}" type-checks and evaluates`, async () => {
    using project = openDocsProject();
    for (const [name, contents] of Object.entries(SMALL_HOME)) {
      const file = join(project.folder, "..", name);
      if (!name.startsWith("home-manager/")) continue;
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, contents);
    }
    mkdirSync(join(project.folder, "../home-manager/nixos"), { recursive: true });
    writeFileSync(join(project.folder, "../home-manager/nixos/default.nix"), NIXOS_MODULE);
    const name = /^\/\/ (\S+)/.exec(text)![1]!;
    project.write({ [name]: withLocalTree(text).replace(/github\("nix-community\/home-manager", "release-26\.05"\)/, '"path:../home-manager"'), "shell.nix": "{ programs.bash.enable = true; }" });
    const path = index === 0 ? "home.file" : "homes.ann.home.file";
    const { code, stdout, stderr } = await project.run("eval", path, "--json");
    assert.equal(code, 0, stderr);
    assert.match(stdout, index === 0 ? /"ann: see \/nix\/store\/[^"]*-hello-1\.0\/bin\/hello\\n"/ : /"web\\n"/);
    if (index === 0) {
      const checked = await project.run("check");
      assert.equal(checked.code, 0, checked.stderr);
    }
  });
});
