import { defineSystem, path } from "tsos";

export default defineSystem(({ pkgs }) => ({
  networking: {
    hostName: "server",
    firewall: { enable: true, allowedTCPPorts: [22, 80] },
  },
  time: { timeZone: "Europe/Berlin" },
  i18n: { defaultLocale: "C.UTF-8" },

  environment: { systemPackages: [pkgs.git, pkgs.neovim, pkgs.htop] },

  users: {
    users: {
      dev: {
        isNormalUser: true,
        extraGroups: ["wheel"],
        description: "Developer",
      },
    },
  },
  security: { sudo: { enable: true, wheelNeedsPassword: false } },

  services: {
    nginx: {
      enable: true,
      virtualHosts: {
        localhost: { root: path("./site") },
      },
    },
    postgresql: {
      enable: true,
      package: pkgs.postgresql,
      ensureDatabases: ["app"],
      ensureUsers: [{ name: "app", ensureDBOwnership: true }],
    },
    openssh: {
      enable: true,
      settings: { PasswordAuthentication: false, PermitRootLogin: "no" },
    },
  },

  system: { stateVersion: "26.11" },
}));
