import { dedent, type NixosModule, type NixValue } from "tsos";

declare module "tsos" {
  interface NixosOwnOptions {
    readonly "backup.enable": boolean;
    readonly "backup.folders": NixValue;
    readonly "backup.target": string;
  }
}

const backup: NixosModule = ({ config, lib, pkgs }) => {
  const cfg = config.backup;
  const script = pkgs.writeShellScript("backup", dedent`
    set -eu
    for folder in ${cfg.folders.join(" ")}; do
      ${pkgs.rsync}/bin/rsync -a "$folder" ${cfg.target}
    done
  `);
  return {
    options: {
      backup: {
        enable: lib.mkEnableOption("backups"),
        folders: lib.mkOption({
          type: lib.types.listOf(lib.types.path),
          default: [],
          description: "What is kept.",
        }),
        // where it goes
        target: lib.mkOption({ type: lib.types.str, default: "/backup", description: "Where." }),
      },
    },

    config: lib.mkIf(cfg.enable, {
      environment: { systemPackages: [pkgs.rsync, ...(cfg.target === "/backup" ? [pkgs.hello] : [])] },
      systemd: {
        services: {
          backup: {
            startAt: "daily",
            serviceConfig: { Type: "oneshot", ExecStart: script },
          },
        },
      },
    }),
  };
};

export default backup;
