/** home-manager's own modules with definitions of TypeScript, beside the same in Nix: the golden tree's packages, a tree of home-manager. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { createFolderFiles } from "../../../core/config/folder-files.ts";
import { createNixScope, type NixScope } from "../../../core/interop/nix-scope.ts";
import type { SettledModules } from "../../../core/interop/settle-modules.ts";
import type { HomeModule } from "../../../core/package/define-home.ts";
import type { NixosModule } from "../../../core/package/define-nixos-system.ts";
import { EvaluationRegistry } from "../../../core/package/evaluation-registry.ts";
import { createNixFile } from "../../../core/package/nix-file.ts";
import { GOLDEN_NIXPKGS, SKIP_NIXPKGS } from "../../golden/nixpkgs-tree.ts";

/** A tree of home-manager for the golden tree's nixpkgs. No clone of the project has it. */
const HOME_MANAGER = process.env["TSOS_HOME_MANAGER"];
const skip = SKIP_NIXPKGS !== false ? SKIP_NIXPKGS : HOME_MANAGER !== undefined && existsSync(join(HOME_MANAGER, "modules/home-environment.nix")) ? false : "no tree of home-manager; set TSOS_HOME_MANAGER";

const [NIXPKGS, HOME] = [`/nix/store/${"a".repeat(32)}-source`, `/nix/store/${"b".repeat(32)}-source`];

function openScope(): NixScope {
  const registry = new EvaluationRegistry();
  registry.addPath("source", NIXPKGS, GOLDEN_NIXPKGS!);
  registry.addPath("source", HOME, HOME_MANAGER!);
  return createNixScope({ registry, files: createFolderFiles(new Map([[NIXPKGS, GOLDEN_NIXPKGS!], [HOME, HOME_MANAGER!]])), sources: new Set([NIXPKGS, HOME]), log: () => undefined });
}

const drvPath = ({ toplevel }: SettledModules): string => (toplevel as { readonly drvPath: string }).drvPath;
const inNix = (text: string): string => (openScope().evaluate(text) as { readonly drvPath: string }).drvPath;

test("a home of its own has the same generation from both languages", { skip }, () => {
  const ann: HomeModule = ({ pkgs, lib, greeting }) => ({
    home: {
      username: "ann", homeDirectory: "/home/ann", stateVersion: "26.05", packages: [pkgs.hello, pkgs.jq],
      file: { ".greeting": { text: `${greeting} from ${pkgs.hello}/bin/hello\n` } },
      activation: { say: lib.hm.dag.entryAfter(["writeBoundary"], "echo said") },
    },
    programs: { git: { enable: true, settings: { user: { name: "Ann" } } }, bash: { enable: true, shellAliases: { ll: "ls -l" } } },
    systemd: { user: { services: { tick: { Unit: { Description: "tick" }, Service: { ExecStart: `${pkgs.coreutils}/bin/true` }, Install: { WantedBy: ["default.target"] } } } } },
  });
  const more: HomeModule = ({ config }) => ({ programs: { zsh: { enable: config.programs.git.enable } }, home: { sessionVariables: { WHO: config.home.username } } });
  const ours = openScope().homeConfiguration({ nixpkgs: NIXPKGS, homeManager: HOME, modules: [ann, more], extraSpecialArgs: { greeting: "hi" }, config: undefined, overlays: undefined, system: "x86_64-linux" });
  assert.equal(drvPath(ours), inNix(`let pkgs = import ${NIXPKGS} { system = "x86_64-linux"; config = { }; overlays = [ ]; }; in ((import ${HOME}/lib { inherit (pkgs) lib; }).homeManagerConfiguration {
    inherit pkgs;
    extraSpecialArgs.greeting = "hi";
    modules = [
      ({ pkgs, lib, greeting, ... }: {
        home = {
          username = "ann"; homeDirectory = "/home/ann"; stateVersion = "26.05"; packages = [ pkgs.hello pkgs.jq ];
          file.".greeting".text = "\${greeting} from \${pkgs.hello}/bin/hello\\n";
          activation.say = lib.hm.dag.entryAfter [ "writeBoundary" ] "echo said";
        };
        programs = { git = { enable = true; settings.user.name = "Ann"; }; bash = { enable = true; shellAliases.ll = "ls -l"; }; };
        systemd.user.services.tick = { Unit.Description = "tick"; Service.ExecStart = "\${pkgs.coreutils}/bin/true"; Install.WantedBy = [ "default.target" ]; };
      })
      ({ config, ... }: { programs.zsh.enable = config.programs.git.enable; home.sessionVariables.WHO = config.home.username; })
    ];
  }).activationPackage`));
});

test("a home that belongs to a machine of NixOS has the same toplevel from both languages", { skip }, () => {
  const ann: HomeModule = ({ pkgs, config, osConfig }) => ({
    home: { stateVersion: "26.05", packages: [pkgs.hello], file: { ".greeting": { text: `${config.home.username} on ${osConfig!["networking"].hostName}\n` } } },
    programs: { git: { enable: true }, bash: { enable: true } },
  });
  const machine: NixosModule = {
    boot: { loader: { grub: { enable: false } } }, fileSystems: { "/": { device: "none", fsType: "tmpfs" } },
    networking: { hostName: "web" }, system: { stateVersion: "26.05" }, users: { users: { ann: { isNormalUser: true } } },
    "home-manager": { useGlobalPkgs: true, useUserPackages: true, users: { ann } },
  };
  const without = `{ nixpkgs.overlays = [ (final: prev: { shellcheck-minimal = prev.hello // { compiler.bootstrapAvailable = false; }; shellcheck = final.shellcheck-minimal; }) ]; }`;
  const scope = openScope();
  const ours = scope.nixosSystem({ nixpkgs: NIXPKGS, modules: [createNixFile(`${HOME}/nixos`), scope.evaluate(without), machine], specialArgs: {}, config: undefined, overlays: undefined, system: "x86_64-linux" });
  assert.equal(drvPath(ours), inNix(`(import ${NIXPKGS}/nixos/lib/eval-config.nix { system = "x86_64-linux"; modulesLocation = "a file"; modules = [ ${HOME}/nixos ${without} ({ ... }: {
    boot.loader.grub.enable = false; fileSystems."/" = { device = "none"; fsType = "tmpfs"; }; networking.hostName = "web"; system.stateVersion = "26.05"; users.users.ann.isNormalUser = true;
    home-manager = { useGlobalPkgs = true; useUserPackages = true; users.ann = { pkgs, config, osConfig, ... }: {
      home = { stateVersion = "26.05"; packages = [ pkgs.hello ]; file.".greeting".text = "\${config.home.username} on \${osConfig.networking.hostName}\\n"; };
      programs = { git.enable = true; bash.enable = true; };
    }; };
  }) ]; }).config.system.build.toplevel`));
});
