import { lib as tsosLib } from "../../../core/option/lib.ts";
import type { NixosModule } from "../../../core/package/define-nixos-system.ts";

/** The same machine, written in both languages. */
export type SystemPair = { readonly typescript: readonly NixosModule[]; readonly nix: string };

type Set = Readonly<Record<string, unknown>>;

/** A tree without the package set of Haskell has no shellcheck. */
const withoutShellcheck: NixosModule = {
  nixpkgs: {
    overlays: [
      (final: Set, prev: Set) => ({
        get "shellcheck-minimal"() {
          return { ...(prev["hello"] as object), compiler: { bootstrapAvailable: false } };
        },
        get shellcheck() {
          return final["shellcheck-minimal"];
        },
      }),
    ],
  },
};
const WITHOUT_SHELLCHECK = "{ nixpkgs.overlays = [ (final: prev: { shellcheck-minimal = prev.hello // { compiler.bootstrapAvailable = false; }; shellcheck = final.shellcheck-minimal; }) ]; }";

const disk: NixosModule = { boot: { loader: { grub: { enable: false } } }, fileSystems: { "/": { device: "/dev/sda1", fsType: "ext4" } }, system: { stateVersion: "26.05" } };
const DISK = '{ boot.loader.grub.enable = false; fileSystems."/" = { device = "/dev/sda1"; fsType = "ext4"; }; system.stateVersion = "26.05"; }';

export const SYSTEMS: Readonly<Record<string, SystemPair>> = {
  minimal: {
    typescript: [withoutShellcheck, disk, ({ pkgs }) => ({ services: { openssh: { enable: true } }, users: { users: { dev: { isNormalUser: true, extraGroups: ["wheel"] } } }, environment: { systemPackages: [pkgs["git"], pkgs["htop"]] } })],
    nix: `[ ${WITHOUT_SHELLCHECK} ${DISK} ({ pkgs, ... }: { services.openssh.enable = true; users.users.dev = { isNormalUser = true; extraGroups = [ "wheel" ]; }; environment.systemPackages = [ pkgs.git pkgs.htop ]; }) ]`,
  },
  server: {
    typescript: [
      withoutShellcheck,
      ({ pkgs, lib, config }) => ({
        boot: { loader: { "systemd-boot": { enable: true }, efi: { canTouchEfiVariables: true } } },
        fileSystems: { "/": { device: "/dev/disk/by-label/root", fsType: "ext4" }, "/boot": { device: "/dev/disk/by-label/boot", fsType: "vfat" } },
        networking: { hostName: "web-1", firewall: { allowedTCPPorts: [80, 443] } },
        services: {
          nginx: { enable: true, recommendedProxySettings: true, virtualHosts: { "example.org": { root: "/var/www", locations: { "/api": { proxyPass: "http://127.0.0.1:8080" } } } } },
          postgresql: { enable: true, ensureDatabases: ["app"], ensureUsers: [{ name: "app", ensureDBOwnership: true }] },
          openssh: { enable: true, settings: { PasswordAuthentication: false } },
        },
        systemd: { services: { report: { script: `echo ${config["networking"].hostName}`, serviceConfig: { Type: "oneshot" }, startAt: "hourly" } } },
        environment: { systemPackages: tsosLib.mkAfter([pkgs["git"], pkgs["neovim"], pkgs["htop"]]), etc: { motd: { text: "managed\n" } } },
        time: { timeZone: "Europe/Berlin" },
        system: { stateVersion: "26.05" },
        specialisation: { maintenance: { configuration: { services: { nginx: { enable: lib["mkForce"](false) } } } } },
      }),
    ],
    nix: `[ ${WITHOUT_SHELLCHECK} ({ pkgs, lib, config, ... }: {
      boot.loader = { systemd-boot.enable = true; efi.canTouchEfiVariables = true; };
      fileSystems = { "/" = { device = "/dev/disk/by-label/root"; fsType = "ext4"; }; "/boot" = { device = "/dev/disk/by-label/boot"; fsType = "vfat"; }; };
      networking = { hostName = "web-1"; firewall.allowedTCPPorts = [ 80 443 ]; };
      services.nginx = { enable = true; recommendedProxySettings = true; virtualHosts."example.org" = { root = "/var/www"; locations."/api".proxyPass = "http://127.0.0.1:8080"; }; };
      services.postgresql = { enable = true; ensureDatabases = [ "app" ]; ensureUsers = [ { name = "app"; ensureDBOwnership = true; } ]; };
      services.openssh = { enable = true; settings.PasswordAuthentication = false; };
      systemd.services.report = { script = "echo \${config.networking.hostName}"; serviceConfig.Type = "oneshot"; startAt = "hourly"; };
      environment.systemPackages = lib.mkAfter [ pkgs.git pkgs.neovim pkgs.htop ];
      environment.etc.motd.text = "managed\\n";
      time.timeZone = "Europe/Berlin";
      system.stateVersion = "26.05";
      specialisation.maintenance.configuration.services.nginx.enable = lib.mkForce false;
    }) ]`,
  },
};
