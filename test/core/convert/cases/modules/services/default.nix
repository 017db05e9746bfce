{ lib, config, pkgs, ... }: with lib; {
  services.web.enable = mkDefault true;
  environment.text = mkMerge [ [ "always" ] (mkIf config.services.web.enable [ "web ${pkgs.hello}" ]) ];
}
