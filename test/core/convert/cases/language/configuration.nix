# One machine, with most of what the language has.
{ config, pkgs, lib, ... }:

let
  # who may log in
  inherit (lib) mkIf mkForce;
  host-name = "web";
  ports = [ 80 443 ];
  double = n: n * 2;
  join = a: b: "${a}-${b}";
  joined = join host-name; # waits for one more
  site = rec { domain = "example.org"; url = "https://${domain}"; };
  defaults = { user = "www"; } // { group = "www"; };
in
{
  networking.hostName = "${host-name}-1";
  services.web.enable = mkForce true;

  environment.text = [
    # the first
    (joined "a")
    "${toString (double 4)}" # eight
    site.url
    (defaults.user or "nobody")
    (if config.services.web.enable then "on" else "off")
    (if defaults ? shell then defaults.shell else "none")
  ]
  ++ map (port: "port ${toString port}") ports
  ++ (if host-name == "web" then [ "web" ] else [ ])
  ++ (with site; [ domain ])
  ++ [
    ''
      a block
        with ''${escapes}, `ticks` and $PATH
      of ${host-name}
    ''
    /* and a path */
    "${pkgs.hello}/bin/hello"
  ];
}
