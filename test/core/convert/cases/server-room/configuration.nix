{ config, lib, pkgs, modulesPath, ... }:
let
  domain = "example.org";
  sites = { blog = 8001; shop = 8002; };
  proxy = port: { locations."/".proxyPass = "http://127.0.0.1:${toString port}"; };
in
{
  imports = [ (modulesPath + "/profiles/minimal.nix") ];

  boot.loader.systemd-boot.enable = true;
  fileSystems."/" = { device = "/dev/vda1"; fsType = "ext4"; };
  fileSystems."/boot" = { device = "/dev/vda2"; fsType = "vfat"; };

  networking = {
    inherit domain;
    hostName = "rack";
    firewall.allowedTCPPorts = [ 80 ] ++ lib.optionals config.services.openssh.enable [ 22 ] ++ lib.attrValues sites;
  };

  services.openssh = { enable = true; settings.PermitRootLogin = lib.mkDefault "no"; };
  services.nginx = {
    enable = true;
    virtualHosts = lib.mapAttrs' (name: port: lib.nameValuePair "${name}.${domain}" (proxy port)) sites // {
      # pages of the machine itself
      ${domain}.root = ./site;
    };
  };
  users.users = lib.genAttrs [ "anna" "berta" ] (name: { isNormalUser = true; home = "/home/${name}"; extraGroups = [ "wheel" ]; });
  environment.etc."motd".source = ./motd.txt;
  environment.etc."hosts-of".text = lib.concatMapStringsSep "\n" (name: "${name}.${config.networking.domain}") (lib.attrNames sites);
  system.stateVersion = "26.05";
}
