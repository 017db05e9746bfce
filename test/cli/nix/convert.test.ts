import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { SMALL_NIXOS } from "../../core/interop/small-nixos.ts";
import { runTsos } from "../tsos-process.ts";
import { startNixTrial, type NixTrial } from "./nix-process.ts";

const MACHINE = {
  "configuration.nix": '# The machine.\n{ config, lib, ... }:\n{\n  imports = [ ./web.nix ];\n  networking.hostName = "web"; # its name\n  environment.text = [ "on ${config.networking.hostName}" ./motd ];\n}\n',
  "web.nix": "{ lib, ... }: { services.web.enable = lib.mkForce true; }\n",
  motd: "hello\n",
};
const SHELL = { "shell.nix": '{ pkgs ? import <nixpkgs> { } }:\npkgs.mkShell {\n  packages = with pkgs; [ go gopls ];\n  GOFLAGS = "-mod=vendor";\n  shellHook = "echo ready";\n}\n' };

function write(trial: NixTrial, files: Readonly<Record<string, string>>, folder = "."): void {
  for (const [name, text] of Object.entries(files)) {
    const path = join(trial.folder, folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
}

const read = (trial: NixTrial, name: string): string => readFileSync(join(trial.folder, name), "utf8");

test("a configuration becomes system.config.ts and a file for each module, which evaluate to the same derivation", async () => {
  using trial = startNixTrial();
  write(trial, SMALL_NIXOS, "nixpkgs");
  write(trial, MACHINE, "project");
  const { code, stdout, stderr } = trial.run("convert", "project/configuration.nix");
  assert.equal(code, 0, stderr);
  assert.equal(stdout, "project/system.config.ts  from project/configuration.nix\nproject/web.ts  from project/web.nix\n");
  assert.match(stderr, /"tsos check" says whether it is right/);
  const text = read(trial, "project/system.config.ts");
  assert.match(text, /^\/\/ The machine\.\n/);
  assert.match(text, /hostName: "web" \}, \/\/ its name|hostName: "web",? .*\/\/ its name/);
  assert.match(text, /github\("NixOS\/nixpkgs", "nixos-26\.05"\)/);

  writeFileSync(join(trial.folder, "project/system.config.ts"), text.replace('github("NixOS/nixpkgs", "nixos-26.05")', '"path:../nixpkgs"'));
  const ours = await runTsos(["eval", "--drv", "--store", join(trial.folder, "machine")], { cwd: join(trial.folder, "project"), stateFolder: trial.folder, env: { HOME: trial.folder } });
  assert.equal(ours.code, 0, ours.stderr);
  const theirs = trial.runWith({ env: { NIX_STORE_DIR: "/nix/store" } }, "instantiate", "--eval", "--readonly-mode", "-E", `(import ${trial.folder}/nixpkgs/nixos/lib/eval-config.nix { system = "x86_64-linux"; modules = [ ${trial.folder}/project/configuration.nix ]; }).config.system.build.toplevel.drvPath`);
  assert.equal(theirs.code, 0, theirs.stderr);
  assert.equal(ours.stdout.trim(), JSON.parse(theirs.stdout));
});

test("a shell.nix becomes shell.config.ts", () => {
  using trial = startNixTrial();
  write(trial, SHELL);
  const { code, stderr } = trial.run("convert", "shell.nix", "--nixpkgs", "nixos-25.11");
  assert.equal(code, 0, stderr);
  const text = read(trial, "shell.config.ts");
  assert.match(text, /defineShell\(/);
  assert.match(text, /packages: \[\s*pkgs\.go,\s*pkgs\.gopls,?\s*\]/);
  assert.match(text, /env: \{\s*GOFLAGS: "-mod=vendor",?\s*\}/);
  assert.match(text, /"nixos-25\.11"/);
});

test("a file that is replaced keeps its inputs, unless another nixpkgs is named", () => {
  using trial = startNixTrial();
  write(trial, MACHINE);
  write(trial, { "system.config.ts": 'import { defineInputs, defineNixosSystem, nixFile, tarball } from "tsos";\nconst inputs = defineInputs({\n  nixpkgs: { url: "path:../tree", config: { allowUnfree: true } },\n  extra: tarball("http://a.example/x.tar.gz"),\n});\nexport default defineNixosSystem({ nixpkgs: inputs.nixpkgs, modules: [nixFile("./configuration.nix")] });\n' });
  assert.equal(trial.run("convert", "configuration.nix", "--force").code, 0);
  assert.match(read(trial, "system.config.ts"), /nixpkgs: \{ url: "path:\.\.\/tree", config: \{ allowUnfree: true \} \},\n {2}extra: tarball\("http:\/\/a\.example\/x\.tar\.gz"\),/);
  assert.match(read(trial, "system.config.ts"), /import \{ defineInputs, defineNixosSystem, lib, type NixosModule, path, tarball \}|import \{[^}]*\btarball\b[^}]*\} from "tsos"/);
  assert.doesNotMatch(read(trial, "system.config.ts"), /github/);
  assert.equal(trial.run("convert", "configuration.nix", "--force", "--nixpkgs", "nixos-unstable").code, 0);
  assert.match(read(trial, "system.config.ts"), /nixpkgs: github\("NixOS\/nixpkgs", "nixos-unstable"\),\n {2}extra: tarball/);
});

test("one module becomes a file of TypeScript beside it, which a configuration imports", async () => {
  using trial = startNixTrial();
  write(trial, SMALL_NIXOS, "nixpkgs");
  write(trial, MACHINE, "project");
  const { code, stdout, stderr } = trial.run("convert", "--module", "project/web.nix");
  assert.deepEqual([code, stdout], [0, "project/web.ts  from project/web.nix\n"], stderr);
  assert.match(stderr, /in the place of nixFile\("web\.nix"\)/);
  assert.match(read(trial, "project/web.ts"), /^import \{ lib, type NixosModule \} from "tsos";\n\nconst web: NixosModule = [\s\S]*export default web;\n$/);
  write(trial, { "system.config.ts": 'import { defineInputs, defineNixosSystem } from "tsos";\nimport web from "./web.ts";\nexport default defineNixosSystem({ nixpkgs: defineInputs({ nixpkgs: "path:../nixpkgs" }).nixpkgs, modules: [web, { networking: { hostName: "web" } }] });\n' }, "project");
  const evaluated = await runTsos(["eval", "services.web.enable", "--store", join(trial.folder, "machine")], { cwd: join(trial.folder, "project"), stateFolder: trial.folder, env: { HOME: trial.folder } });
  assert.equal(evaluated.stdout.trim(), "true", evaluated.stderr);
});

test("what a home links to stays a path, and what is put into a text is a path of the store", () => {
  using trial = startNixTrial();
  write(trial, { "home.nix": '{ ... }: { home.username = "ann"; home.file.a.source = ./a; home.file.b.text = "${./a} ${./b.nix}"; }\n', a: "1", "b.nix": "{ }\n" });
  trial.run("convert", "home.nix");
  assert.match(read(trial, "home.config.ts"), /a: \{ source: nixFile\("\.\/a"\) \}, b: \{ text: `\$\{path\("\.\/a"\)\} \$\{path\("\.\/b\.nix"\)\}` \}/);
});

test("a home.nix, or what says whose home it is, becomes home.config.ts", () => {
  using trial = startNixTrial();
  write(trial, { "home.nix": "{ pkgs, ... }: { imports = [ ./git.nix ]; home.packages = [ pkgs.hello ]; }\n", "git.nix": '{ config, lib, ... }: { options.mine.name = lib.mkOption { type = lib.types.str; }; config.programs.git.enable = config.mine.name != ""; }\n', "other/ann.nix": '{ home.username = "ann"; }\n' });
  assert.equal(trial.run("convert", "home.nix").stdout, "home.config.ts  from home.nix\ngit.ts  from git.nix\n");
  assert.match(read(trial, "home.config.ts"), /homeManager: github\("nix-community\/home-manager", "release-26\.05"\)[\s\S]*const home: HomeModule = [\s\S]*export default defineHome\(\{ nixpkgs: inputs\.nixpkgs, homeManager: inputs\.homeManager, modules: \[home\] \}\);/);
  assert.match(read(trial, "git.ts"), /interface HomeOwnOptions \{\n {4}readonly "mine\.name": string;/);
  assert.equal(trial.run("convert", "other/ann.nix").stdout, "other/home.config.ts  from other/ann.nix\n");
});

test("packages of another channel are of this system, since a pure evaluation knows none", () => {
  using trial = startNixTrial();
  write(trial, { "configuration.nix": "{ config, ... }: let\n  unstable = import <nixos-unstable> { config = config.nixpkgs.config; };\n  plain = import <nixpkgs> { };\n  arm = import <nixpkgs> { system = \"aarch64-linux\"; };\nin { environment.systemPackages = [ unstable.git plain.jq arm.jq ]; }\n" });
  assert.equal(trial.run("convert", "configuration.nix").code, 0);
  const text = read(trial, "system.config.ts");
  assert.match(text, /unstable = inputs\.nixosUnstable\.nix<NixValue>\(\)\(\{\s*system: "x86_64-linux",\s*config: config\.nixpkgs\.config,?\s*\}\)/);
  assert.match(text, /plain = inputs\.nixpkgs\.nix<NixValue>\(\)\(\{ system: "x86_64-linux" \}\)/);
  assert.match(text, /arm = inputs\.nixpkgs\.nix<NixValue>\(\)\(\{ system: "aarch64-linux" \}\)/);
});

test("nothing that is there is overwritten without --force", () => {
  using trial = startNixTrial();
  write(trial, { ...MACHINE, "web.ts": "mine" });
  const refused = trial.run("convert", "configuration.nix");
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /web\.ts" is there already[\s\S]*--force/);
  assert.equal(existsSync(join(trial.folder, "system.config.ts")), false);
  assert.equal(read(trial, "web.ts"), "mine");
  assert.equal(trial.run("convert", "configuration.nix", "--force").code, 0);
  assert.match(read(trial, "web.ts"), /NixosModule/);
});

test("--dry-run names the files and writes none", () => {
  using trial = startNixTrial();
  write(trial, MACHINE);
  const before = readdirSync(trial.folder);
  const { code, stdout } = trial.run("convert", "configuration.nix", "--dry-run");
  assert.equal(code, 0);
  assert.match(stdout, /^system\.config\.ts {2}from configuration\.nix\nweb\.ts/);
  assert.deepEqual(readdirSync(trial.folder).filter((name) => !before.includes(name) && name.endsWith(".ts")), []);
});

test("--output writes elsewhere, with the files that the configuration names", () => {
  using trial = startNixTrial();
  write(trial, MACHINE);
  const { code, stdout, stderr } = trial.run("convert", "configuration.nix", "--output", "new/place");
  assert.equal(code, 0, stderr);
  assert.match(stdout, /new\/place\/motd {2}copied/);
  assert.equal(read(trial, "new/place/motd"), "hello\n");
  assert.equal(existsSync(join(trial.folder, "system.config.ts")), false);
});

test("a symbolic link is not written through", () => {
  using trial = startNixTrial();
  write(trial, { ...MACHINE, elsewhere: "kept" });
  symlinkSync("elsewhere", join(trial.folder, "web.ts"));
  const { code, stderr } = trial.run("convert", "configuration.nix", "--force");
  assert.equal(code, 1);
  assert.match(stderr, /web\.ts" is a symbolic link/);
  assert.equal(read(trial, "elsewhere"), "kept");
});

test("what stays Nix is said with its place and its reason", () => {
  using trial = startNixTrial();
  write(trial, { "configuration.nix": '{ ... }: {\n  a = builtins.baseNameOf "/b";\n}\n' });
  const { code, stderr } = trial.run("convert", "configuration.nix");
  assert.equal(code, 0);
  assert.match(stderr, /one place stays in the Nix language \(\d+\.\d % of the expressions\)/);
  assert.match(stderr, /configuration\.nix:2:\d+ {2}"baseNameOf" is a function that only the Nix language has/);
});

test("a file that does not parse is an error with its line, and nothing is written", () => {
  using trial = startNixTrial();
  write(trial, { "configuration.nix": "{ ... }:\n{\n  a = ;\n}\n" });
  const { code, stderr } = trial.run("convert", "configuration.nix");
  assert.equal(code, 1);
  assert.match(stderr, /syntax error[\s\S]*configuration\.nix:3:7/);
  assert.equal(existsSync(join(trial.folder, "system.config.ts")), false);
});

for (const [name, args, code, message] of [
  ["a file that is not there", ["missing.nix"], 1, /missing\.nix/],
  ["a shell.nix without mkShell", ["shell.nix"], 1, /mkShell/],
  ["no file", [], 1, /convert needs the file/],
  ["two files", ["a.nix", "b.nix"], 1, /takes one file, got 2/],
  ["an unknown flag", ["a.nix", "--nixpkg", "x"], 1, /unrecognised flag '--nixpkg'/],
  ["a flag without its value", ["a.nix", "--output"], 1, /'--output' requires 1 argument/],
] as const) {
  test(`${name} is refused`, () => {
    using trial = startNixTrial();
    write(trial, { "shell.nix": "{ }: derivation { }" });
    const found = trial.run("convert", ...args);
    assert.equal(found.code, code, found.stderr);
    assert.match(found.stderr, message);
    assert.deepEqual(readdirSync(trial.folder).filter((file) => file.endsWith(".ts")), []);
  });
}
