{ config, lib, pkgs, ... }:
with lib;
let
  cfg = config.backup;
  script = pkgs.writeShellScript "backup" ''
    set -eu
    for folder in ${concatStringsSep " " cfg.folders}; do
      ${pkgs.rsync}/bin/rsync -a "$folder" ${cfg.target}
    done
  '';
in
{
  options.backup = {
    enable = mkEnableOption "backups";
    folders = mkOption { type = types.listOf types.path; default = [ ]; description = "What is kept."; };
    # where it goes
    target = mkOption { type = types.str; default = "/backup"; description = "Where."; };
  };

  config = mkIf cfg.enable {
    environment.systemPackages = [ pkgs.rsync ] ++ optional (cfg.target == "/backup") pkgs.hello;
    systemd.services.backup = {
      startAt = "daily";
      serviceConfig = { Type = "oneshot"; ExecStart = script; };
    };
  };
}
