{ config, ... }:
{
  imports = [
    ./network.nix # the name
    ./services
    ({ lib, ... }: { environment.text = lib.mkOrder 1600 [ "last" ]; })
  ];
  environment.text = [ config.networking.hostName ];
}
