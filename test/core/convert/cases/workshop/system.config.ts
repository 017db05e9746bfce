// A workshop's machine: containers, timers and a printer, with values that several files share.
import { dedent, defineInputs, defineNixosSystem, github, type NixosModule, type NixValue } from "tsos";
import hostsFile from "./hosts.ts";
import printing from "./printing.ts";
import kiosk from "./modules/kiosk.ts";

const inputs = defineInputs({ nixpkgs: github("NixOS/nixpkgs", "nixos-26.05") });

const configuration: NixosModule = ({ config, lib, pkgs }) => {
  const hosts = hostsFile({ prefix: "10.0.7" });
  const backup = (name: NixValue, { onCalendar = "daily", paths }: NixValue) => ({
    [`backup-${name}`]: {
      description: `Copies ${name} away`,
      startAt: onCalendar,
      path: [pkgs.rsync, pkgs.openssh],
      script: dedent`
        set -eu
        for path in ${lib.escapeShellArgs(paths)}; do
          rsync -a "$path" "${hosts.store.address}:/backup/${config.networking.hostName}/\${path#/}"
        done
      `,
      serviceConfig: {
        Type: "oneshot",
        Nice: 10,
      },
    },
  });
  return {
    imports: [
      printing,
      kiosk,
    ],

    boot: { loader: { grub: { device: "/dev/sda" } } },
    fileSystems: { "/": { device: "/dev/sda1", fsType: "ext4" } },

    networking: {
      hostName: "bench",
      useDHCP: false,
      interfaces: { eth0: { ipv4: { addresses: [{ address: hosts.bench.address, prefixLength: 24 }] } } },
      // the names of all others
      extraHosts: lib.concatStringsSep("\n", lib.mapAttrsToList((name: NixValue, host: NixValue) => `${host.address} ${name}`, lib.filterAttrs((name: NixValue, _: NixValue) => name !==
        config.networking.hostName, hosts))),
    },

    systemd: {
      services: lib.mkMerge([
        backup("home", { paths: ["/home", "/srv/my drawings"] }),
        backup("state", { onCalendar: "weekly", paths: ["/var/lib"] }),
        lib.mkIf(config.kiosk.enable, {
          kiosk: { environment: { URL: `http://${hosts.store.address}:${String(config.kiosk.port)}/` } },
        }),
      ]),
    },

    kiosk: { enable: true, port: 8000 + 80 },

    users: {
      users: lib.listToAttrs(["ada", "grace"].map((name: NixValue) => lib.nameValuePair(name, {
        isNormalUser: true,
        extraGroups: name === "ada" ? ["wheel"] : [],
      }))),
    },

    environment: {
      systemPackages: [pkgs.gcc, pkgs.gnumake, ...(!config.services.xserver.enable ? [pkgs.tmux] : [])],
    },
    nix: { settings: { "auto-optimise-store": true, "trusted-users": lib.mkAfter(["@wheel"]) } },
    security: {
      sudo: {
        extraRules: [{
          users: ["grace"],
          commands: [{ command: `${pkgs.systemd}/bin/reboot`, options: ["NOPASSWD"] }],
        }],
      },
    },
    system: { stateVersion: "26.05" },
  };
};

export default defineNixosSystem({ nixpkgs: inputs.nixpkgs, modules: [configuration] });
