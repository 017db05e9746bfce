{ pkgs, ... }: {
  services.printing = {
    enable = true;
    drivers = [ pkgs.gutenprint ];
    browsing = false;
  };
  services.avahi.enable = true;
}
