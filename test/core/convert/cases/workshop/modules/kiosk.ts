import type { NixosModule, NixValue } from "tsos";

declare module "tsos" {
  interface NixosOwnOptions {
    readonly "kiosk.enable": boolean;
    readonly "kiosk.port": number;
    readonly "kiosk.title": NixValue;
  }
}

const kiosk: NixosModule = ({ config, lib, pkgs }) => {
  const cfg = config.kiosk;
  return {
    options: {
      kiosk: {
        enable: lib.mkEnableOption("a page on the screen"),
        port: lib.mkOption({
          type: lib.types.port,
          default: 80,
          description: "Where the page is served.",
        }),
        title: lib.mkOption({
          type: lib.types.nullOr(lib.types.str),
          default: null,
          description: "What the page is called.",
        }),
      },
    },

    config: lib.mkIf(cfg.enable, {
      assertions: [{ assertion: cfg.port !== 22, message: "the port of ssh is taken" }],
      systemd: {
        services: {
          kiosk: {
            wantedBy: ["multi-user.target"],
            after: ["network.target"],
            environment: { TITLE: cfg.title === null ? `kiosk on ${config.networking.hostName}` : cfg.title },
            serviceConfig: { ExecStart: `${pkgs.python3}/bin/python3 -m http.server ${String(cfg.port)}` },
          },
        },
      },
      networking: { firewall: { allowedTCPPorts: [cfg.port] } },
    }),
  };
};

export default kiosk;
