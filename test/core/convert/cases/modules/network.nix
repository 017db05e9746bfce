let names = import ./names.nix { number = 3; }; in
{ networking.hostName = names.host; }
