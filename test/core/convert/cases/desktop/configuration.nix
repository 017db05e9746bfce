{ config, pkgs, lib, ... }: {
  imports = [ ./hardware-configuration.nix ];
  nixpkgs.overlays = [
    (final: prev: {
      greeting = prev.writeText "greeting" "from ${final.hello.name}";
      hello = prev.hello.overrideAttrs (old: { doCheck = false; pname = old.pname + "-quick"; });
    })
  ];
  networking.hostName = "lap"; # short
  time.timeZone = "Europe/Berlin";
  i18n = rec { defaultLocale = "de_DE.UTF-8"; extraLocaleSettings = { LC_TIME = defaultLocale; }; };
  environment.systemPackages = with pkgs; [
    git # versions
    vim
    # (python3.withPackages (ps: with ps; [ requests ]))
    (writeShellScriptBin "hi" "cat ${greeting}")
  ];
  environment.variables = { EDITOR = "vim"; PAGER = lib.mkForce "less -R"; };
  users.users.me = {
    isNormalUser = true;
    description = "Me";
    extraGroups = [ "wheel" ] ++ (if config.networking.networkmanager.enable then [ "networkmanager" ] else [ ]);
    packages = lib.attrValues { inherit (pkgs) jq htop; };
  };
  systemd.services.greet = {
    wantedBy = [ "multi-user.target" ];
    script = ''
      cat ${pkgs.greeting}
      echo ${lib.escapeShellArg config.networking.hostName} ''${HOME:-none}
    '';
  };
  programs.bash.shellAliases = { ll = "ls -l"; gs = "git status"; };
  specialisation.quiet.configuration = { services.openssh.enable = lib.mkForce false; };
  services.openssh.enable = true;
  system.stateVersion = "26.05";
}
