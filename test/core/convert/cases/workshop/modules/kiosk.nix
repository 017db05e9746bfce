{ config, lib, pkgs, ... }:
let
  cfg = config.kiosk;
in
{
  options.kiosk = {
    enable = lib.mkEnableOption "a page on the screen";
    port = lib.mkOption {
      type = lib.types.port;
      default = 80;
      description = "Where the page is served.";
    };
    title = lib.mkOption {
      type = with lib.types; nullOr str;
      default = null;
      description = "What the page is called.";
    };
  };

  config = lib.mkIf cfg.enable {
    assertions = [ { assertion = cfg.port != 22; message = "the port of ssh is taken"; } ];
    systemd.services.kiosk = {
      wantedBy = [ "multi-user.target" ];
      after = [ "network.target" ];
      environment.TITLE = if cfg.title == null then "kiosk on ${config.networking.hostName}" else cfg.title;
      serviceConfig.ExecStart = "${pkgs.python3}/bin/python3 -m http.server ${toString cfg.port}";
    };
    networking.firewall.allowedTCPPorts = [ cfg.port ];
  };
}
