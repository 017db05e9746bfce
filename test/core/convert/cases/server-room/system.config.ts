import { defineInputs, defineNixosSystem, github, type NixosModule, type NixValue, path } from "tsos";

const inputs = defineInputs({ nixpkgs: github("NixOS/nixpkgs", "nixos-26.05") });

const configuration: NixosModule = ({ config, lib, modulesPath }) => {
  const domain = "example.org";
  const sites = { blog: 8001, shop: 8002 };
  const proxy = (port: NixValue) => ({
    locations: { "/": { proxyPass: `http://127.0.0.1:${String(port)}` } },
  });
  return {
    imports: [`${modulesPath}/profiles/minimal.nix`],

    boot: { loader: { "systemd-boot": { enable: true } } },
    fileSystems: {
      "/": { device: "/dev/vda1", fsType: "ext4" },
      "/boot": { device: "/dev/vda2", fsType: "vfat" },
    },

    networking: {
      domain,
      hostName: "rack",
      firewall: {
        allowedTCPPorts: [80, ...(config.services.openssh.enable ? [22] : []), ...lib.attrValues(sites)],
      },
    },

    services: {
      openssh: { enable: true, settings: { PermitRootLogin: lib.mkDefault("no") } },
      nginx: {
        enable: true,
        virtualHosts: {
          ...lib["mapAttrs'"]((name: NixValue, port: NixValue) => lib.nameValuePair(`${name}.${domain}`, proxy(port)), sites),
          ...{
            [domain]: {
              // pages of the machine itself
              root: path("./site"),
            },
          },
        },
      },
    },
    users: {
      users: lib.genAttrs(["anna", "berta"], (name: NixValue) => ({
        isNormalUser: true,
        home: `/home/${name}`,
        extraGroups: ["wheel"],
      })),
    },
    environment: {
      etc: {
        motd: { source: path("./motd.txt") },
        "hosts-of": {
          text: lib.attrNames(sites).map((name: NixValue) => `${name}.${config.networking.domain}`).join("\n"),
        },
      },
    },
    system: { stateVersion: "26.05" },
  };
};

export default defineNixosSystem({ nixpkgs: inputs.nixpkgs, modules: [configuration] });
