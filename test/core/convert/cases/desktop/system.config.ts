import { dedent, defineInputs, defineNixosSystem, github, type NixosModule, type NixValue } from "tsos";
import hardwareConfiguration from "./hardware-configuration.ts";

const inputs = defineInputs({ nixpkgs: github("NixOS/nixpkgs", "nixos-26.05") });

const configuration: NixosModule = ({ config, pkgs, lib }) => ({
  imports: [hardwareConfiguration],
  nixpkgs: {
    overlays: [(final: NixValue, prev: NixValue) => ({
      get greeting() {
        return prev.writeText("greeting", `from ${final.hello.name}`);
      },
      get hello() {
        return prev.hello.overrideAttrs((old: NixValue) => ({ doCheck: false, pname: `${old.pname}-quick` }));
      },
    })],
  },
  networking: {
    hostName: "lap", // short
  },
  time: { timeZone: "Europe/Berlin" },
  get i18n() {
    const defaultLocale = "de_DE.UTF-8";
    const extraLocaleSettings = { LC_TIME: defaultLocale };
    return { defaultLocale, extraLocaleSettings };
  },
  environment: {
    systemPackages: [
      pkgs.git, // versions
      pkgs.vim,
      // (python3.withPackages (ps: with ps; [ requests ]))
      pkgs.writeShellScriptBin("hi", `cat ${pkgs.greeting}`),
    ],
    variables: { EDITOR: "vim", PAGER: lib.mkForce("less -R") },
  },
  users: {
    users: {
      me: {
        isNormalUser: true,
        description: "Me",
        extraGroups: ["wheel", ...(config.networking.networkmanager.enable ? ["networkmanager"] : [])],
        packages: [pkgs.htop, pkgs.jq],
      },
    },
  },
  systemd: {
    services: {
      greet: {
        wantedBy: ["multi-user.target"],
        script: dedent`
          cat ${pkgs.greeting}
          echo ${lib.escapeShellArg(config.networking.hostName)} \${HOME:-none}
        `,
      },
    },
  },
  programs: { bash: { shellAliases: { ll: "ls -l", gs: "git status" } } },
  specialisation: { quiet: { configuration: { services: { openssh: { enable: lib.mkForce(false) } } } } },
  services: { openssh: { enable: true } },
  system: { stateVersion: "26.05" },
});

export default defineNixosSystem({ nixpkgs: inputs.nixpkgs, modules: [configuration] });
