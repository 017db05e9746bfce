# A workshop's machine: containers, timers and a printer, with values that several files share.
{ config, lib, pkgs, ... }:

with lib;

let
  hosts = import ./hosts.nix { prefix = "10.0.7"; };
  backup = name: { onCalendar ? "daily", paths }: {
    "backup-${name}" = {
      description = "Copies ${name} away";
      startAt = onCalendar;
      path = with pkgs; [ rsync openssh ];
      script = ''
        set -eu
        for path in ${escapeShellArgs paths}; do
          rsync -a "$path" "${hosts.store.address}:/backup/${config.networking.hostName}/''${path#/}"
        done
      '';
      serviceConfig = {
        Type = "oneshot";
        Nice = 10;
      };
    };
  };
in
{
  imports = [
    ./printing.nix
    ./modules/kiosk.nix
  ];

  boot.loader.grub.device = "/dev/sda";
  fileSystems."/" = { device = "/dev/sda1"; fsType = "ext4"; };

  networking = {
    hostName = "bench";
    useDHCP = false;
    interfaces.eth0.ipv4.addresses = [ { inherit (hosts.bench) address; prefixLength = 24; } ];
    # the names of all others
    extraHosts = concatStringsSep "\n" (mapAttrsToList (name: host: "${host.address} ${name}") (filterAttrs (name: _: name != config.networking.hostName) hosts));
  };

  systemd.services = mkMerge [
    (backup "home" { paths = [ "/home" "/srv/my drawings" ]; })
    (backup "state" { onCalendar = "weekly"; paths = [ "/var/lib" ]; })
    (mkIf config.kiosk.enable { kiosk.environment.URL = "http://${hosts.store.address}:${toString config.kiosk.port}/"; })
  ];

  kiosk = { enable = true; port = 8000 + 80; };

  users.users = listToAttrs (map (name: nameValuePair name { isNormalUser = true; extraGroups = optional (name == "ada") "wheel"; }) [ "ada" "grace" ]);

  environment.systemPackages = with pkgs; [ gcc gnumake ] ++ optionals (!config.services.xserver.enable) [ tmux ];
  nix.settings = { auto-optimise-store = true; trusted-users = mkAfter [ "@wheel" ]; };
  security.sudo.extraRules = [ { users = [ "grace" ]; commands = [ { command = "${pkgs.systemd}/bin/reboot"; options = [ "NOPASSWD" ]; } ]; } ];
  system.stateVersion = "26.05";
}
