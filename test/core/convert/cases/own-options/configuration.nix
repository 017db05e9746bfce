# A machine with a module of its own.
{ ... }:
{
  imports = [ ./backup.nix ];
  boot.loader.grub.enable = false;
  fileSystems."/" = { device = "/dev/sda1"; fsType = "ext4"; };
  backup = { enable = true; folders = [ "/srv" "/home" ]; };
  system.stateVersion = "26.05";
}
