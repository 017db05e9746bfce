// What the demo switches its machine to: another page, another port, no OpenSSH, and a user more.
import { defineSystem, path } from "tsos";

export default defineSystem(({ pkgs }) => ({
  networking: {
    hostName: "server",
    firewall: { enable: true, allowedTCPPorts: [8080] },
  },
  time: { timeZone: "Europe/Berlin" },
  i18n: { defaultLocale: "C.UTF-8" },

  environment: { systemPackages: [pkgs.git, pkgs.neovim, pkgs.htop] },

  users: {
    users: {
      dev: { isNormalUser: true, extraGroups: ["wheel"], description: "Developer" },
      guest: { isNormalUser: true, description: "Guest" },
    },
  },
  security: { sudo: { enable: true, wheelNeedsPassword: false } },

  services: {
    nginx: {
      enable: true,
      virtualHosts: {
        localhost: { root: path("./site"), listen: [{ addr: "0.0.0.0", port: 8080 }] },
      },
    },
    postgresql: {
      enable: true,
      package: pkgs.postgresql,
      ensureDatabases: ["app"],
      ensureUsers: [{ name: "app", ensureDBOwnership: true }],
    },
  },

  system: { stateVersion: "26.11" },
}));
