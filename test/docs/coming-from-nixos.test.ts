/** What docs/coming-from-nixos.md says is done, with a machine of the test's own. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { readBlocks } from "./blocks.ts";
import { openDocsProject, withLocalTree, type DocsProject } from "./docs-project.ts";

const blocks = readBlocks("coming-from-nixos.md");
const [asItIs, mixed, shell] = blocks.filter(({ language }) => language === "ts").map(({ text }) => withLocalTree(text)) as [string, string, string];
const commands = blocks.filter(({ language }) => language === "sh").map(({ text }) => text.trim().split("\n").map((line) => line.split(" ").slice(1)));

const MACHINE = {
  "configuration.nix": '# My machine.\n{ pkgs, ... }: {\n  imports = [ ./users.nix ];\n  networking.hostName = "lap";\n  environment.systemPackages = [ pkgs.git ];\n  environment.variables.EDITOR = "vim";\n}\n',
  "users.nix": '{ lib, ... }: { users.users = lib.genAttrs [ "ada" ] (name: { isNormalUser = true; home = "/home/${name}"; }); }\n',
};

async function runAll(project: DocsProject, all: readonly (readonly string[])[]): Promise<string> {
  let last = "";
  for (const args of all) {
    const { code, stdout, stderr } = await project.run(...args);
    assert.equal(code, 0, `${args.join(" ")}: ${stderr}`);
    last = stdout;
    if (args[1] === "convert") {
      const file = args[2] === "shell.nix" ? "shell.config.ts" : "system.config.ts";
      project.write({ [file]: withLocalTree(readFileSync(join(project.folder, file), "utf8")) });
    }
  }
  return last.trim();
}

test("a machine as it is, and converted, has one derivation: the one of Nix", async () => {
  using project = openDocsProject();
  project.write({ ...MACHINE, "system.config.ts": asItIs });
  const before = await runAll(project, commands[0]!);
  assert.match(before, /-nixos-system-lap\.drv$/);
  const { stdout, stderr } = await project.run("nix", "instantiate", "--eval", "--readonly-mode", "--json", "-E", `(import ../nixpkgs/nixos/lib/eval-config.nix { system = "x86_64-linux"; modules = [ ./configuration.nix ]; }).config.system.build.toplevel.drvPath`);
  assert.equal(before, JSON.parse(stdout), stderr);
  assert.equal(await runAll(project, commands[1]!), before);
  assert.match(readFileSync(join(project.folder, "system.config.ts"), "utf8"), /^\/\/ My machine\.\n/);
});

test("a module of TypeScript beside the machine's own", async () => {
  using project = openDocsProject();
  project.write({ ...MACHINE, "system.config.ts": mixed });
  await runAll(project, [["check"]]);
  assert.equal(JSON.parse(await runAll(project, [["eval", "environment.variables.EDITOR"]])), "nvim");
});

test("a shell.nix becomes what the page shows", async () => {
  using project = openDocsProject();
  project.write({ "shell.nix": '{ pkgs ? import <nixpkgs> { } }:\npkgs.mkShell {\n  packages = [ pkgs.go pkgs.gopls ];\n  shellHook = "echo ready";\n  GOFLAGS = "-mod=vendor";\n}\n' });
  await runAll(project, commands[2]!);
  assert.equal(readFileSync(join(project.folder, "shell.config.ts"), "utf8"), shell.replace("// shell.config.ts\n", ""));
  assert.match(await runAll(project, [["eval", "--json"]]), /-go-1\.0/);
});

test("every command that the page names is there", async () => {
  using project = openDocsProject();
  const page = readFileSync(join(import.meta.dirname, "../../docs/coming-from-nixos.md"), "utf8");
  const named = new Set([...page.matchAll(/`tsos ([a-z-]+)/g)].map(([, name]) => name!));
  const { stdout, stderr } = await project.run("--help");
  for (const name of named) assert.match(stdout + stderr, new RegExp(`\\b${name}\\b`), name);
});
